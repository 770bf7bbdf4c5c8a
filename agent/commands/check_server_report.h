/* What check-server prints: line by line as it comes, or one JSON object at the end. */
#ifndef CURFEW_COMMANDS_CHECK_SERVER_REPORT_H
#define CURFEW_COMMANDS_CHECK_SERVER_REPORT_H

#include "curfew/record.h"

struct check_report {
	bool json;
	const char *server; /* as shown */
	struct json_t *checks;
	size_t n, failed, skipped;
	bool reached; /* the server answered on its port */
	bool entered; /* ... and let the agent in */
	bool silent;  /* ... and then did not go on in time */
};
int check_report_begin(struct check_report *r);
/* record_fn over a struct check_report. */
int check_report_take(void *report, const struct record *record);
/* One more line, of the command's own. */
void check_report_add(struct check_report *r, enum check_result result, const char *name,
	const char *detail, const char *fix);
/* The last line, or the JSON object. `rc`: the checks could not be run. The exit code. */
int check_report_end(struct check_report *r, int rc);

#endif
