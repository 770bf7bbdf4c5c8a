/* Used by sql/ and the rooms above it: converts values of rows. */
#ifndef CURFEW_SQL_ROWS_H
#define CURFEW_SQL_ROWS_H

#include "curfew/sql.h"

bool row_is(const struct sql_value *v, const char *part);
/* NULL is 0. */
int64_t row_number(const struct sql_value *v);
char row_letter(const struct sql_value *v);
/* Text without trailing spaces, which some servers add. NULL for NULL or without memory. */
char *row_text(const struct sql_value *v);
/* A name that was fetched as bytes (sql/name.h). False without memory or if it is invalid. NULL becomes "". */
bool row_name(char **to, const struct sql_value *v);
/* The same, but NULL stays NULL. */
bool row_name_or_null(char **to, const struct sql_value *v);
/* A copy; NULL stays NULL. False without memory. */
bool row_copy(char **to, const char *text);
void row_sid(struct sid *to, const struct sql_value *v);

/* A row N'session' with the columns of session_select. 0, -ENOMEM, or -EBADMSG. The caller frees it with
 * session_free(). */
int row_session(struct observed_session *to, const struct sql_value *v, int n);
/* A row N'rollback' about one of these sessions: it is ending. 0, ROLLBACK_UNTOLD if the server does not tell which are, or
 * -EBADMSG. */
#define ROLLBACK_UNTOLD 1
int row_rollback(
	struct observed_session *sessions, size_t n_sessions, const struct sql_value *v, int n);
void session_free(struct observed_session *s); /* frees the members */
/* Frees all; the array is empty afterwards. */
void sessions_free(struct observed_session **items, size_t *n);
/* An address and a port in the form of an endpoint; "": unknown, or the loopback. */
void row_endpoint(
	char to[ENDPOINT_TEXT_MAX], const struct sql_value *address, const struct sql_value *port);

#endif
