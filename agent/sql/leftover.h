/* Inside the search for leftovers. Not for other modules. */
#ifndef CURFEW_SQL_LEFTOVER_H
#define CURFEW_SQL_LEFTOVER_H

#include "sql/pass.h"

struct leftover {
	const char *name;
	enum finding_severity severity;
	enum { LEFTOVER_DATABASE, LEFTOVER_SERVER } scope;
	const char *words; /* what it is, for a person */
	const char *text;
};
extern const struct leftover leftovers[]; /* ends with a NULL name */
extern const char baseline_question[];

/* Runs every check and tells a RECORD_FINDING for each row, a RECORD_NOTE for each check that this server cannot answer.
 * 0, or negative errno when the session was lost. */
int leftovers_tell(struct pass_run *run, struct sql_error *error);
/* Tells RECORD_BASELINE for every item of the named databases (NULL-terminated; as the configuration writes them), and a
 * last one with an empty name for each database that was read whole. */
int baselines_tell(struct pass_run *run, struct sql_error *error, const char *const *databases);

#endif
