/* The addresses and dates that the last notice to each user named. A change of them makes the next notice. Table `told`. */
#include "curfew/outbox.h"
#include "journal/database.h"

#include <errno.h>

int last_notice_read(char **sources, char **dates, unsigned *sequence, struct journal *j,
	const char *client, const char *login)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	char *text[2] = {NULL};
	int step,
		rc = database_prepare(&s, j,
			"SELECT sources, dates, sequence FROM told WHERE client = ? AND login = ?");

	if (rc)
		return rc;
	step = bind_texts(s, (const char *[]){client, login}, 2);
	if (step)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step == SQLITE_DONE)
		return -ENOENT;
	rc = step == SQLITE_ROW ? column_texts(text, s, 2) : database_error(j->db, step);
	if (rc)
		return rc;
	*sources = text[0];
	*dates = text[1];
	*sequence = (unsigned)sqlite3_column_int64(s, 2);
	return 0;
}

int last_notice_save(struct journal *j, const char *client, const char *login, const char *sources,
	const char *dates, unsigned sequence)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *const texts[] = {client, login, sources, dates};
	int step = 0,
	    rc = database_prepare(&s, j,
		    "INSERT INTO told (client, login, sources, dates, sequence) VALUES (?, ?, ?, ?, ?)"
		    " ON CONFLICT (client, login) DO UPDATE SET sources = excluded.sources, dates = excluded.dates,"
		    " sequence = excluded.sequence");

	if (rc)
		return rc;
	for (int i = 0; i < (int)ARRAY_SIZE(texts) && !step; i++)
		step = bind_text(s, i + 1, texts[i]);
	if (!step)
		step = sqlite3_bind_int64(s, 5, sequence);
	if (step)
		return database_error(j->db, step);
	rc = transaction_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}
