/* Used by sql/ and the rooms above it: converts values of rows. */
#ifndef CURFEW_SQL_ROWS_H
#define CURFEW_SQL_ROWS_H

#include "curfew/sql.h"

/* Appends a zeroed item. NULL without memory; the array is then unchanged. */
void *row_array_more(void *items, size_t *n, size_t size);
#define ROW_MORE(array, count)                                                                     \
	({                                                                                         \
		__typeof__(array) more_ = row_array_more((array), &(count), sizeof(*(array)));     \
		if (more_)                                                                         \
			(array) = more_;                                                           \
		more_ ? &(array)[(count)-1] : NULL;                                                \
	})

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
void session_free(struct observed_session *s); /* frees the members */
/* Frees all; the array is empty afterwards. */
void sessions_free(struct observed_session **items, size_t *n);

#endif
