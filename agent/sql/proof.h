/* Inside the proofs. Not for other modules. */
#ifndef CURFEW_SQL_PROOF_H
#define CURFEW_SQL_PROOF_H

#include "sql/visit.h"

/* By level; %zu stands for the target's number. */
extern const char *const proof_questions[LEVELS];

/* Proves each wanted level of the logins that `touched` names (NULL: of all), and for what has ended that it is gone,
 * and tells a RECORD_VERIFICATION for each. 0, or negative errno when the session was lost: then nothing more is proved. */
int proofs_tell(struct visit_run *run, struct sql_error *error, const struct touched *touched);

#endif
