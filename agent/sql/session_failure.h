/* Why a session did not come about, in words that tell a person where, what, and what would be right. */
#ifndef CURFEW_SQL_SESSION_FAILURE_H
#define CURFEW_SQL_SESSION_FAILURE_H

#include "curfew/sql.h"

/* Whether this process can read `path` and finds a certificate in it: the library says of neither that it did not.
 * 0, or negative errno with the words in `error`. */
int ca_file_check(struct sql_error *error, const char *path);

/* Puts the library's words for a session that was not opened into ours. Returns its negative errno. */
int session_failure(struct sql_error *error, const struct sql_session_options *o);

#endif
