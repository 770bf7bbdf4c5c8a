/* Used only by the rooms that visit a server: the parts of a verification. */
#ifndef CURFEW_SQL_PROOF_H
#define CURFEW_SQL_PROOF_H

#include "proof/visit_run.h"

/* By level. %C is replaced by the number of the target. */
extern const char *const proof_questions[LEVELS];

/* Saves the verdict on a grant, and reports it. */
void verdict_tell(struct visit_run *run, size_t number, const struct grant_place *place,
	enum verification result, enum state state, const char *evidence);
/* A denial that may hide something in the database from the user of the place or from the agent login, as words; without a
 * place, a user from the agent login. NULL: there is none. */
const char *hidden_words(char buf[RECORD_TEXT_MAX], const struct visit_run *run,
	const struct observed_database *d, const struct grant_place *place);
/* For an ended grant: checks whether it is removed. */
void gone_tell(struct visit_run *run, size_t number);

typedef bool (*verify_filter)(const struct visit_run *run, const struct grant *g);
bool verify_all(const struct visit_run *run, const struct grant *g);
/* Asks the server for the effective permissions of each login that the filter selects, and checks ended grants. Saves
 * the verdicts and reports a RECORD_VERIFICATION for each. 0, or negative errno if the session was lost; then the
 * remaining grants are not verified. */
int verify_run(struct visit_run *run, struct sql_error *error, verify_filter filter);

#endif
