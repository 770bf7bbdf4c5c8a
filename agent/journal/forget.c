/* `curfew forget`: drops journal data about access whose removal was not verified. */
#include "journal/refuted.h"
#include "curfew/state_tables.h"

#include <errno.h>

/* For database ?2, or for all (NULL). Tombstones keep the SIDs, because a restore may bring a user back. */
static const char *const forgets[] = {
	"DELETE FROM verification WHERE server = ?1 AND (?2 IS NULL OR database = ?2 COLLATE NOCASE)",
	"DELETE FROM proved WHERE server = ?1 AND (?2 IS NULL OR database = ?2 COLLATE NOCASE)",
	"DELETE FROM ledger WHERE server = ?1 AND ?2 IS NULL AND removed = 0 AND sid IS NULL",
	("DELETE FROM ledger WHERE server = ?1 AND ?2 IS NULL AND removed <> 0 AND EXISTS (SELECT 1 FROM ledger l"
	 " WHERE l.server = ledger.server AND l.login = ledger.login AND l.sid = ledger.sid AND l.removed = 0)"),
	"UPDATE ledger SET removed = max(1, ?3), intended = 0 WHERE server = ?1 AND ?2 IS NULL AND removed = 0",
	"DELETE FROM guard WHERE server = ?1 AND ?2 IS NULL",
#define FORGET(table)                                                                              \
	"DELETE FROM " table " WHERE server = ?1 AND (?2 IS NULL OR database = ?2 COLLATE NOCASE)"
	FORGET("watched"),
	FORGET("used"),
	FORGET("tally"),
	FORGET("decided"),
	FORGET("sampled"),
};

static int forget_run(int *changes, struct journal *j, const char *sql, const char *server,
	const char *database, instant_t at)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc = database_prepare(&s, j, sql);

	if (rc)
		return rc;
	step = bind_texts(s, (const char *[]){server, database}, 2);
	if (!step && sqlite3_bind_parameter_count(s) > 2)
		step = sqlite3_bind_int64(s, 3, at);
	if (step)
		return database_error(j->db, step);
	rc = database_run(j, s);
	*changes += sqlite3_changes(j->db);
	return rc;
}

int unread_forget(struct journal *j, const char *server, const char *database, instant_t at,
	const char *actor, const char *reason)
{
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = at,
		.actor = actor,
		.reason = reason,
		.server = server,
		.database = database,
		.action = "forget",
		.outcome = "done"};

	return journal_write(NULL, j, &e);
}

static int forgotten_take(void *list, sqlite3_stmt *s)
{
	struct forgotten_databases *l = list;
	struct forgotten_database d;
	int rc = column_shared(&d.server, &l->texts, s, 0, NULL);

	if (!rc)
		rc = column_shared(&d.database, &l->texts, s, 1, NULL);
	return rc ? rc : ARRAY_ADD(l->items, l->n, d);
}

/* An operator's event has no client, and the index of clients finds those. */
#define FORGOTTEN(is_since)                                                                         \
	"SELECT DISTINCT server, database FROM record AS f WHERE client IS NULL AND kind = 'event'" \
	" AND action = 'forget' AND server IS NOT NULL AND database IS NOT NULL"                    \
	" AND NOT EXISTS (SELECT 1 FROM record a WHERE a.kind = 'access' AND a.server = f.server"   \
	" AND a.database = f.database COLLATE NOCASE AND a.level <> 'none'"                         \
	" AND " is_since ") ORDER BY server, database"

static int forgotten_list(struct forgotten_databases *out, struct journal *j, const char *query)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct forgotten_databases list = {0};
	int rc = database_prepare(&s, j, query);

	*out = list;
	if (!rc)
		rc = database_rows(j, s, forgotten_take, &list);
	if (rc)
		forgotten_databases_free(&list);
	else
		*out = list;
	return rc;
}

/* The corrections of the clock stand in no index: they are looked for only where something is forgotten. */
int forgotten_databases_read(struct forgotten_databases *out, struct journal *j)
{
	bool resets;
	int rc = forgotten_list(out, j, FORGOTTEN("(a.at, a.id) > (f.at, f.id)"));

	if (rc || !out->n)
		return rc;
	forgotten_databases_free(out);
	rc = refuted_begin(&resets, j);
	if (!rc)
		rc = forgotten_list(out, j, FORGOTTEN(IS_LATER("a", "f")));
	refuted_end(j);
	return rc;
}

void forgotten_databases_free(struct forgotten_databases *f)
{
	free(f->items);
	pool_free(&f->texts);
	*f = (struct forgotten_databases){0};
}

int memory_forget(struct journal *j, const char *server, const char *database, instant_t at,
	const char *actor, const char *reason)
{
	int changes = 0, rc = state_begin(j);

	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(forgets) && !rc; i++)
		rc = forget_run(&changes, j, forgets[i], server, database, at);
	if (!rc && changes)
		rc = unread_forget(j, server, database, at, actor, reason);
	/* Nothing was changed, so a batch around this is not affected. */
	rc = transaction_end(j, rc);
	return rc || changes ? rc : -ENOENT;
}
