/* Revocations: access that an operator blocked, until it is reinstated. Each step is an event in the chain. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

static int override_event(struct journal *j, const char *action, const char *client,
	const char *login, instant_t at, const char *actor, const char *reason)
{
	struct journal_entry e = {
		.kind = JOURNAL_EVENT,
		.at = at,
		.actor = actor,
		.reason = reason,
		.client = client,
		.login = login,
		.action = action,
		.outcome = "done",
	};

	return journal_write(NULL, j, &e);
}

static int bind_override(sqlite3_stmt *s, const char *client, const char *login)
{
	return bind_texts(s, (const char *[]){client, login}, 2);
}

static int override_insert(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	/* A second revocation keeps the time of the first. */
	int step,
		rc = database_prepare(&s, j,
			"INSERT INTO override (client, login, at, actor, reason) VALUES (?, ?, ?, ?, ?)"
			" ON CONFLICT DO NOTHING");

	if (rc)
		return rc;
	step = bind_override(s, client, login);
	if (!step)
		step = sqlite3_bind_int64(s, 3, at);
	if (!step)
		step = bind_text(s, 4, actor);
	if (!step)
		step = bind_text(s, 5, reason);
	return step ? database_error(j->db, step) : database_run(j, s);
}

int override_add(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason)
{
	int rc = state_begin(j);

	if (rc)
		return rc;
	rc = override_insert(j, client, login, at, actor, reason);
	if (!rc)
		rc = override_event(j, "revoke", client, login, at, actor, reason);
	return transaction_end(j, rc);
}

static int override_delete(struct journal *j, const char *client, const char *login)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j, "DELETE FROM override WHERE client = ? AND login IS ?"),
	    step;

	if (rc)
		return rc;
	if ((step = bind_override(s, client, login)) != 0)
		return database_error(j->db, step);
	rc = database_run(j, s);
	if (!rc && sqlite3_changes(j->db) == 0)
		rc = -ENOENT;
	return rc;
}

static int override_take(void *list, sqlite3_stmt *s)
{
	struct overrides *l = list;
	struct override *item = ARRAY_MORE(l->items, l->n);
	char *text[3];
	int rc = item ? column_texts(text, s, 3) : -ENOMEM;

	if (!rc)
		*item = (struct override){.client = text[0],
			.login = text[1],
			.reason = text[2],
			.at = sqlite3_column_int64(s, 3)};
	return rc;
}

int override_read(struct overrides *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct overrides list = {0};
	int rc = database_prepare(
		&s, j, "SELECT client, login, reason, at FROM override ORDER BY client, login");

	if (!rc)
		rc = database_rows(j, s, override_take, &list);
	if (!rc)
		rc = passed_read(&list, j);
	if (rc)
		overrides_free(&list);
	else
		*out = list;
	return rc;
}

/* Removes each that is the same (override_is_same), and tells it by the names under which it was recorded. */
static int overrides_delete(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason)
{
	struct overrides list = {0};
	int rc = override_read(&list, j);
	size_t found = 0;

	for (size_t i = 0; i < list.n && !rc; i++) {
		const struct override *o = &list.items[i];
		if (!override_is_same(o->client, o->login, client, login))
			continue;
		found++;
		rc = override_delete(j, o->client, o->login);
		if (!rc)
			rc = override_event(j, "reinstate", o->client, o->login, at, actor, reason);
	}
	overrides_free(&list);
	return rc || found ? rc : -ENOENT;
}

int override_remove(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason)
{
	int rc = state_begin(j);

	if (rc)
		return rc;
	rc = overrides_delete(j, client, login, at, actor, reason);
	/* Nothing was changed, so a batch around this is not affected. */
	if (rc == -ENOENT) {
		rc = transaction_end(j, 0);
		return rc ? rc : -ENOENT;
	}
	return transaction_end(j, rc);
}

/* As override_is_same(). */
#define SAME(client_is, login_is)                                                                  \
	"CASE WHEN " login_is " IS NULL THEN login IS NULL AND client = " client_is                \
	" COLLATE NOCASE ELSE login = " login_is " COLLATE NOCASE END"

int override_was_reinstated(bool *out, struct journal *j, const struct override *revocation,
	const char *client, const char *login)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	/* A time before the clock was corrected may be one of a wrong future. */
	int rc = database_prepare(&s, j,
		"SELECT count(*) FROM record WHERE kind = 'event' AND action = 'reinstate' AND " SAME(
			"?1",
			"?2") " AND (id > (SELECT min(id) FROM record WHERE kind = 'event'"
			      " AND action = 'revoke' AND at = ?3 AND " SAME("?4",
				      "?5") ") OR (at >= ?3 AND id > (SELECT ifnull(max(id), 0) FROM record"
					    " WHERE kind = 'event' AND action = 'clock-reset')))");

	if (rc)
		return rc;
	if (bind_override(s, client, login) || sqlite3_bind_int64(s, 3, revocation->at) ||
		bind_text(s, 4, revocation->client) || bind_text(s, 5, revocation->login))
		return -ENOMEM;
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : database_error(j->db, rc);
	*out = sqlite3_column_int64(s, 0) > 0;
	return 0;
}

char *override_actor(struct journal *j, const char *client, const char *login)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	char *actor = NULL;

	if (!j || database_prepare(&s, j,
			  "SELECT actor FROM override WHERE " SAME(
				  "?1", "?2") " ORDER BY at LIMIT 1"))
		return NULL;
	if (bind_override(s, client, login) || sqlite3_step(s) != SQLITE_ROW ||
		column_text(&actor, s, 0))
		return NULL;
	return actor;
}
