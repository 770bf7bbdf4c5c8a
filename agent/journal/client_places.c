/* Where a client's logins had access, found by its name as the journal writes it: in any letter case the search would read
 * the whole journal, and closings wait for it. A client may be gone from the configuration, or have another name there. */
#include "journal/database.h"

#include <errno.h>

int journal_client_places(struct journal *j, const char *client,
	int (*each)(void *context, const char *server, const char *login, const char *database),
	void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step = SQLITE_DONE,
	    rc = database_prepare(&s, j,
		    "SELECT server, login, database FROM (SELECT DISTINCT server, login, database FROM record"
		    " WHERE kind = 'access' AND client = ?1 AND server IS NOT NULL"
		    " AND login IS NOT NULL AND database IS NOT NULL) AS p"
		    " WHERE (SELECT client FROM record WHERE kind = 'access' AND server = p.server"
		    " AND login = p.login COLLATE NOCASE AND database = p.database COLLATE NOCASE"
		    " AND client IS NOT NULL ORDER BY at DESC, id DESC LIMIT 1) = ?1 COLLATE NOCASE");

	if (!rc && (step = bind_text(s, 1, client)) != 0)
		return database_error(j->db, step);
	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW)
		rc = each(context, (const char *)sqlite3_column_text(s, 0),
			(const char *)sqlite3_column_text(s, 1),
			(const char *)sqlite3_column_text(s, 2));
	return rc || step == SQLITE_DONE ? rc : database_error(j->db, step);
}

int journal_client_had_place(bool *out, struct journal *j, const char *client, const char *server,
	const char *login, const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *const texts[] = {client, server, login, database};
	int rc = database_prepare(&s, j,
		"SELECT 1 FROM record WHERE kind = 'access' AND client = ?1 AND server = ?2"
		" AND login = ?3 COLLATE NOCASE AND database = ?4 COLLATE NOCASE LIMIT 1");

	if (rc)
		return rc;
	int step = bind_texts(s, texts, ARRAY_SIZE(texts));
	if (!step)
		step = sqlite3_step(s);
	rc = step == SQLITE_ROW ? 0 : database_error(j->db, step);
	if (!rc)
		*out = step == SQLITE_ROW;
	return rc;
}
