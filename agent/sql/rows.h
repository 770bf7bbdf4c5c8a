/* Values of rows into what they stand for: shared by those that read answers. Not for other modules. */
#ifndef CURFEW_SQL_ROWS_H
#define CURFEW_SQL_ROWS_H

#include "curfew/sql.h"

/* One more zeroed item at the end; NULL without memory, the array as it was. */
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
/* A text without trailing blanks, which some servers pad with; NULL for NULL or without memory. */
char *row_text(const struct sql_value *v);
/* A name fetched as bytes (sql/name.h); false without memory or when it is none. NULL becomes the empty text. */
bool row_name(char **to, const struct sql_value *v);
/* ... NULL stays NULL. */
bool row_name_or_null(char **to, const struct sql_value *v);
void row_sid(struct sid *to, const struct sql_value *v);

/* A row N'session' as session_select asks for it. 0, -ENOMEM or -EBADMSG. What it points to is the caller's. */
int row_session(struct observed_session *to, const struct sql_value *v, int n);
void session_free(struct observed_session *s); /* what it points to */

#endif
