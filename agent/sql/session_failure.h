/* Why a session could not be opened, as text: where, what, and how to fix it. */
#ifndef CURFEW_SQL_SESSION_FAILURE_H
#define CURFEW_SQL_SESSION_FAILURE_H

#include "curfew/sql.h"

/* Whether this process can read `path` and finds a certificate in it. FreeTDS reports neither error. 0, or negative
 * errno with the text in `error`. */
int ca_file_check(struct sql_error *error, const char *path);

/* Replaces db-lib's text for a session that could not be opened. Returns its negative errno. */
int session_failure(struct sql_error *error, const struct sql_session_options *o);

#endif
