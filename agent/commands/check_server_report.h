/* The output of check-server: a line for each check at once, or one JSON object at the end. */
#ifndef CURFEW_COMMANDS_CHECK_SERVER_REPORT_H
#define CURFEW_COMMANDS_CHECK_SERVER_REPORT_H

#include "curfew/record.h"

struct check_report {
	bool json;
	const char *server; /* as shown */
	struct json_t *checks;
	size_t n, failed, skipped;
	bool reached; /* the server answered on its port */
	bool entered; /* ... and accepted the agent login */
	bool silent;  /* ... and then did not answer in time */
};
int check_report_begin(struct check_report *r);
/* A record_fn; its context is a struct check_report. */
int check_report_take(void *report, const struct record *record);
/* Adds a line of the command itself. */
void check_report_add(struct check_report *r, enum check_result result, const char *name,
	const char *detail, const char *fix);
/* Prints the last line or the JSON object. `rc`: an error that stopped the checks. Exit code. */
int check_report_end(struct check_report *r, int rc);

#endif
