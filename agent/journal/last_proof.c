/* What proofs on record say of what could not be verified. */
#include "journal/database.h"

#include "curfew/unread_names.h"

#include <errno.h>

int journal_proof_is_repeated(bool *out, struct journal *j, const struct journal_entry *e)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	/* A change of the login in between is followed by a proof, which tells passes apart. A client of a new name, whose
	 * logins stayed, has none of its own yet: reports ask by its name. */
	int step,
		rc = database_prepare(&s, j,
			"SELECT kind = 'proof' AND outcome = ?4 AND level = ?5 AND detail = ?6"
			" AND client = ?7 COLLATE NOCASE FROM record"
			" WHERE server = ?1 AND login = ?2 COLLATE NOCASE AND client IS NOT NULL"
			" AND (kind IN ('intent', 'outcome')"
			" OR (kind = 'proof' AND database = ?3 COLLATE NOCASE)) ORDER BY id DESC LIMIT 1");
	const char *const texts[] = {
		e->server, e->login, e->database, e->outcome, e->level, e->detail, e->client};

	if (rc)
		return rc;
	step = bind_texts(s, texts, ARRAY_SIZE(texts));
	if (!step)
		step = sqlite3_step(s);
	rc = step == SQLITE_ROW ? 0 : database_error(j->db, step);
	if (!rc)
		*out = step == SQLITE_ROW && sqlite3_column_int(s, 0);
	return rc;
}

static int unread_look(void *context, sqlite3_stmt *s)
{
	const char **name = context;

	if (*name && unread_names_have((const char *)sqlite3_column_text(s, 0), *name))
		*name = NULL;
	return 0;
}

int journal_unread_was_told(bool *out, struct journal *j, const char *server, const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *name = database;
	int rc = database_prepare(&s, j,
		"SELECT detail FROM record WHERE kind = 'proof' AND server = ?1 AND outcome = 'unverified'"
		" AND instr(detail, ?2) ORDER BY id DESC");

	if (rc)
		return rc;
	int step = bind_texts(s, (const char *[]){server, database}, 2);
	rc = step ? database_error(j->db, step) : database_rows(j, s, unread_look, &name);
	if (!rc)
		*out = !name;
	return rc;
}
