/* Baselines: the items of a database when access started, so that the audit can report what is new or changed. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

static int bind_database(sqlite3_stmt *s, const char *server, const char *database)
{
	return bind_texts(s, (const char *[]){server, database}, 2);
}

/* Runs a statement with parameters for server, database, and optionally a time. */
static int baseline_run(
	struct journal *j, const char *sql, const char *server, const char *database, instant_t at)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j, sql), step;

	if (rc)
		return rc;
	step = bind_database(s, server, database);
	if (!step && sqlite3_bind_parameter_count(s) > 2)
		step = sqlite3_bind_int64(s, 3, at);
	return step ? database_error(j->db, step) : database_run(j, s);
}

static int items_put(struct journal *j, const char *server, const char *database,
	const struct baseline_item *items, size_t n)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j,
		"INSERT INTO baseline_item (server, database, kind, name, hash) VALUES (?, ?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET hash = excluded.hash");

	for (size_t i = 0; i < n && !rc; i++) {
		int step = bind_database(s, server, database);

		if (!step)
			step = bind_text(s, 3, items[i].kind);
		if (!step)
			step = bind_text(s, 4, items[i].name);
		if (!step)
			step = bind_text(s, 5, items[i].hash);
		rc = step ? database_error(j->db, step) : database_run(j, s);
		sqlite3_reset(s);
	}
	return rc;
}

int baseline_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j, const char *server,
	const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	crypto_generichash_state h;
	int rc = database_prepare(&s, j,
		"SELECT kind, name, hash FROM baseline_item WHERE server = ? AND database = ?"
		" ORDER BY kind, name");

	if (rc)
		return rc;
	hash_begin(&h, j, "curfew journal baseline");
	rc = database_error(j->db, bind_database(s, server, database));
	if (!rc)
		rc = rows_hash(&h, j, s);
	crypto_generichash_final(&h, digest, JOURNAL_HASH_SIZE);
	return rc;
}

static int baseline_seal(struct journal *j, const char *server, const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	uint8_t digest[JOURNAL_HASH_SIZE];
	int step, rc = baseline_digest(digest, j, server, database);

	if (!rc)
		rc = database_prepare(&s, j,
			"UPDATE baseline SET digest = ?3 WHERE server = ?1 AND database = ?2");
	if (rc)
		return rc;
	step = bind_database(s, server, database);
	if (!step)
		step = sqlite3_bind_blob(s, 3, digest, sizeof(digest), SQLITE_STATIC);
	return step ? database_error(j->db, step) : database_run(j, s);
}

int baselines_seal(struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc = database_prepare(
			  &s, j, "SELECT server, database FROM baseline WHERE digest IS NULL");

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		_cleanup_free_ char *server = strdup((const char *)sqlite3_column_text(s, 0));
		_cleanup_free_ char *database = strdup((const char *)sqlite3_column_text(s, 1));

		rc = server && database ? baseline_seal(j, server, database) : -ENOMEM;
		/* The row no longer belongs to the result that is being read. */
		sqlite3_reset(s);
	}
	return rc ? rc : database_error(j->db, step);
}

int baseline_put(struct journal *j, const char *server, const char *database, instant_t at,
	const struct baseline_item *items, size_t n)
{
	int rc = state_begin(j);

	if (rc)
		return rc;
	rc = baseline_run(j, "DELETE FROM baseline_item WHERE server = ? AND database = ?", server,
		database, 0);
	if (!rc)
		rc = baseline_run(j,
			"INSERT INTO baseline (server, database, at) VALUES (?, ?, ?)"
			" ON CONFLICT DO UPDATE SET at = excluded.at",
			server, database, at);
	if (!rc)
		rc = items_put(j, server, database, items, n);
	if (!rc)
		rc = baseline_seal(j, server, database);
	return transaction_end(j, rc);
}

struct items {
	struct baseline_item *items; /* the strings are owned */
	size_t n;
};

static void items_free(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((char *)l->items[i].kind);
		free((char *)l->items[i].name);
		free((char *)l->items[i].hash);
	}
	free(l->items);
}

static int items_take(void *list, sqlite3_stmt *s)
{
	struct items *l = list;
	struct baseline_item *item = ARRAY_MORE(l->items, l->n);
	char *text[3];
	int rc = item ? column_texts(text, s, 3) : -ENOMEM;

	if (!rc)
		*item = (struct baseline_item){text[0], text[1], text[2]};
	return rc;
}

int baseline_taken(instant_t *at, struct journal *j, const char *server, const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(
		    &s, j, "SELECT at FROM baseline WHERE server = ? AND database = ?"),
	    step;

	if (rc)
		return rc;
	if ((step = bind_database(s, server, database)) != 0)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -ENOENT : database_error(j->db, step);
	*at = sqlite3_column_int64(s, 0);
	return 0;
}

int baseline_read(struct journal *j, const char *server, const char *database, baseline_fn each,
	void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	_cleanup_(items_free) struct items list = {0};
	instant_t at = 0;
	int step, rc = baseline_taken(&at, j, server, database);

	if (!rc)
		rc = database_prepare(&s, j,
			"SELECT kind, name, hash FROM baseline_item WHERE server = ? AND database = ?"
			" ORDER BY kind, name");
	if (rc)
		return rc;
	if ((step = bind_database(s, server, database)) != 0)
		return database_error(j->db, step);
	rc = database_rows(j, s, items_take, &list);
	/* Do not keep the file locked while `each` runs. */
	statement_finalize(&s);
	for (size_t i = 0; i < list.n && !rc; i++)
		rc = each(context, at, &list.items[i]);
	return rc;
}
