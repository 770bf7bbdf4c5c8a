/* Inside the proofs. Not for other modules. */
#ifndef CURFEW_SQL_PROOF_H
#define CURFEW_SQL_PROOF_H

#include "sql/visit.h"

/* By level; %zu stands for the target's number. */
extern const char *const proof_questions[LEVELS];

/* Keeps the verdict on the grant of that number, and tells it. */
void verdict_tell(struct visit_run *run, size_t number, const struct grant_place *place,
	enum verification result, enum state state, const char *evidence);
/* For a grant that has ended: is it gone? */
void gone_tell(struct visit_run *run, size_t number);

typedef bool (*verify_filter)(const struct visit_run *run, const struct grant *g);
bool verify_all(const struct visit_run *run, const struct grant *g);
/* Asks the server what each login that the filter chooses may do; of what has ended, looks whether it is gone. Keeps the
 * verdicts, and tells a RECORD_VERIFICATION for each. 0, or negative errno when the session was lost: then nothing more
 * is verified. */
int verify_run(struct visit_run *run, struct sql_error *error, verify_filter filter);

#endif
