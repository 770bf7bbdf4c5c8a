/* Whom to tell that access was withdrawn: kept here, because a user who was taken out of the configuration is in no file
 * any more. */
#include "curfew/outbox.h"
#include "journal/database.h"

#include <errno.h>

#define COLUMNS "client, login, email, first, last, timezone, language, opens, ends"
enum { TEXTS = 7 };

int notified_person_save(struct journal *j, const struct notified_person *p)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *const texts[TEXTS] = {
		p->client, p->login, p->email, p->first, p->last, p->timezone, p->language};
	int step = 0,
	    rc = database_prepare(&s, j,
		    "INSERT INTO notified_person (" COLUMNS
		    ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
		    " WHERE EXISTS (SELECT 1 FROM told WHERE client = ?1 AND login = ?2)"
		    " ON CONFLICT (client, login) DO UPDATE SET email = excluded.email, first = excluded.first,"
		    " last = excluded.last, timezone = excluded.timezone, language = excluded.language,"
		    " opens = excluded.opens, ends = excluded.ends"
		    " WHERE (email, first, last, timezone, language, opens, ends) IS NOT"
		    " (excluded.email, excluded.first, excluded.last, excluded.timezone, excluded.language,"
		    " excluded.opens, excluded.ends)");

	if (rc)
		return rc;
	for (int i = 0; i < TEXTS && !step; i++)
		step = bind_text(s, i + 1, texts[i]);
	if (!step)
		step = sqlite3_bind_int64(s, TEXTS + 1, p->opens);
	if (!step)
		step = sqlite3_bind_int64(s, TEXTS + 2, p->ends);
	if (step)
		return database_error(j->db, step);
	rc = transaction_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

int notified_people_read(struct journal *j,
	int (*each)(void *context, const struct notified_person *p), void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step = SQLITE_DONE,
	    rc = database_prepare(
		    &s, j, "SELECT " COLUMNS " FROM notified_person ORDER BY client, login");

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		const char *text[TEXTS];

		for (int i = 0; i < TEXTS && !rc; i++)
			rc = (text[i] = (const char *)sqlite3_column_text(s, i)) ? 0 : -ENOMEM;
		if (!rc)
			rc = each(context,
				&(struct notified_person){text[0], text[1], text[2], text[3],
					text[4], text[5], text[6], sqlite3_column_int64(s, TEXTS),
					sqlite3_column_int64(s, TEXTS + 1)});
	}
	return rc || step == SQLITE_DONE ? rc : database_error(j->db, step);
}

int notified_person_forget(struct journal *j, const char *client, const char *login)
{
	static const char *const statements[] = {
		"DELETE FROM notified_person WHERE client = ? AND login = ?",
		"DELETE FROM told WHERE client = ? AND login = ?"};
	int rc = transaction_begin(j);

	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(statements) && !rc; i++) {
		_cleanup_statement_ sqlite3_stmt *s = NULL;
		int step;

		rc = database_prepare(&s, j, statements[i]);
		if (rc)
			break;
		step = bind_texts(s, (const char *[]){client, login}, 2);
		rc = step ? database_error(j->db, step) : database_run(j, s);
	}
	return transaction_end(j, rc);
}
