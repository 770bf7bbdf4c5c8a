/* The login inventory: which logins on which server Curfew manages, and which it managed before. A server and login
 * have at most one present row, and one tombstone for each SID that was ever managed there, because a restored database
 * may bring any of them back. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

static int bind_identity(sqlite3_stmt *s, const char *server, const char *login)
{
	return bind_texts(s, (const char *[]){server, login}, 2);
}

int ledger_intend(struct journal *j, const char *server, const char *login, instant_t server_now)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_prepare(&s, j,
			"INSERT INTO ledger (server, login, sid, intended, created, removed)"
			" VALUES (?1, ?2, NULL, ?3, 0, 0) ON CONFLICT (server, login) WHERE removed = 0"
			" DO UPDATE SET intended = excluded.intended");

	if (rc)
		return rc;
	if ((step = bind_identity(s, server, login)) != 0 ||
		(step = sqlite3_bind_int64(s, 3, server_now)) != 0)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

static int ledger_write(struct journal *j, const char *sql, const struct identity *i)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j, sql), step;

	if (rc)
		return rc;
	step = bind_identity(s, i->server, i->login);
	if (!step && i->sid)
		step = sqlite3_bind_blob(s, 3, i->sid, (int)i->sid_size, SQLITE_TRANSIENT);
	if (!step)
		step = sqlite3_bind_int64(s, 4, i->intended);
	if (!step)
		step = sqlite3_bind_int64(s, 5, i->created);
	if (!step)
		step = sqlite3_bind_int64(s, 6, i->removed);
	return step ? database_error(j->db, step) : database_run(j, s);
}

/* If a login was re-created with another SID, keep the former SID as a tombstone. */
#define BURY_OTHER                                                                                  \
	"INSERT INTO ledger SELECT server, login, sid, 0, created, max(1, ?5, created) FROM ledger" \
	" WHERE server = ?1 AND login = ?2 AND removed = 0 AND sid <> ?3 AND ?4 IS NOT NULL"        \
	" AND ?6 = 0 ON CONFLICT DO NOTHING"
#define PUT_LIVING                                                                                 \
	"INSERT INTO ledger (server, login, sid, intended, created, removed)"                      \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (server, login) WHERE removed = 0"           \
	" DO UPDATE SET sid = excluded.sid, intended = excluded.intended, created = excluded.created"
#define PUT_TOMBSTONE                                                                              \
	"INSERT INTO ledger (server, login, sid, intended, created, removed)"                      \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (server, login, sid) WHERE removed <> 0"     \
	" DO UPDATE SET removed = excluded.removed"

int ledger_put(struct journal *j, const struct identity *i)
{
	int rc;

	if (i->sid_size > INT32_MAX)
		return -E2BIG;
	rc = state_begin(j);
	if (rc)
		return rc;
	if (i->removed) {
		rc = ledger_write(j, PUT_TOMBSTONE, i);
	} else {
		rc = ledger_write(j, BURY_OTHER, i);
		if (!rc)
			rc = ledger_write(j, PUT_LIVING, i);
	}
	return transaction_end(j, rc);
}

int ledger_remove(struct journal *j, const char *server, const char *login, instant_t now)
{
	/* A row without a SID leaves no tombstone. */
	static const char *const steps[] = {
		"DELETE FROM ledger WHERE server = ?1 AND login = ?2 AND (removed = 0 AND sid IS NULL OR"
		" removed <> 0 AND ?3 IS NOT NULL AND sid = (SELECT sid FROM ledger WHERE server = ?1"
		" AND login = ?2 AND removed = 0))",
		"UPDATE ledger SET removed = max(1, ?3), intended = 0"
		" WHERE server = ?1 AND login = ?2 AND removed = 0",
	};
	int rc = state_begin(j);

	if (rc)
		return rc;
	for (size_t n = 0; n < ARRAY_SIZE(steps) && !rc; n++) {
		_cleanup_statement_ sqlite3_stmt *s = NULL;
		int step;

		rc = database_prepare(&s, j, steps[n]);
		if (rc)
			break;
		step = bind_identity(s, server, login);
		if (!step)
			step = sqlite3_bind_int64(s, 3, now);
		rc = step ? database_error(j->db, step) : database_run(j, s);
	}
	return transaction_end(j, rc);
}

void identities_free(struct identities *i)
{
	for (size_t n = 0; n < i->n; n++) {
		free((char *)i->items[n].server);
		free((char *)i->items[n].login);
		free((uint8_t *)i->items[n].sid);
	}
	free(i->items);
	*i = (struct identities){0};
}

static int identity_take(void *list, sqlite3_stmt *s)
{
	struct identities *l = list;
	struct identity *item = ARRAY_MORE(l->items, l->n);
	int size = sqlite3_column_bytes(s, 2), rc;
	_cleanup_free_ uint8_t *sid = NULL;
	char *text[2];

	if (!item)
		return -ENOMEM;
	if (sqlite3_column_type(s, 2) != SQLITE_NULL) {
		/* One byte more, so that an empty SID is not NULL. */
		sid = calloc(1, (size_t)size + 1);
		if (!sid)
			return -ENOMEM;
		if (size)
			memcpy(sid, sqlite3_column_blob(s, 2), (size_t)size);
	}
	rc = column_texts(text, s, 2);
	if (rc)
		return rc;
	*item = (struct identity){
		.server = text[0],
		.login = text[1],
		.sid = sid,
		.sid_size = (size_t)size,
		.intended = sqlite3_column_int64(s, 3),
		.created = sqlite3_column_int64(s, 4),
		.removed = sqlite3_column_int64(s, 5),
	};
	sid = NULL;
	return 0;
}

int ledger_read(struct identities *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct identities list = {0};
	int rc = database_prepare(&s, j,
		"SELECT server, login, sid, intended, created, removed FROM ledger"
		" ORDER BY server, login, removed <> 0, removed, sid");

	if (!rc)
		rc = database_rows(j, s, identity_take, &list);
	if (rc)
		identities_free(&list);
	else
		*out = list;
	return rc;
}
