/* Used by sql/ and the rooms above it: questions to a server, written into a text and sent as one batch. */
#ifndef CURFEW_SQL_QUESTION_H
#define CURFEW_SQL_QUESTION_H

#include "curfew/sql.h"
#include "curfew/text.h"

/* The database_id of system databases, which is the same on each server. */
enum { MASTER_ID = 1, TEMPDB_ID = 2 };

/* Writes a question: %C becomes its number, %D the number of the database, and %% a percent sign. The answer's rows contain
 * both numbers. */
void question_write(FILE *to, const char *text, size_t number, size_t database);
/* Enters a database that was read before. The batch ends there with error 50003 if the name leads to another database by
 * now, or if USE failed and the batch went on: then nothing is asked, and silence is no answer. So it does inside a
 * transaction, because what is seen there may be undone when the session ends. */
void question_enter_write(FILE *to, const char *database, int id);
/* Ends the text and sends it. 0, or as sql_session_run(). */
int question_ask(struct sql_session *s, struct sql_error *error, struct text *batch,
	sql_row_fn each, void *context);

#endif
