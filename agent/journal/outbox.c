/* Notices on their way. Each change of a row is one transaction with its record. */
#include "curfew/outbox.h"
#include "journal/database.h"

#include <errno.h>
#include <string.h>

#define OUTBOX_VERSION 3

static const char *const states[] = {"queued", "handed", "sent", "failed", "uncertain"};

const char *outbox_state_name(enum outbox_state s)
{
	return (size_t)s < ARRAY_SIZE(states) ? states[s] : "?";
}

int outbox_has(bool *out, struct journal *j, const char *event, const char *recipient)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc = database_prepare(
			  &s, j, "SELECT 1 FROM outbox WHERE event = ? AND recipient = ?");

	if (rc)
		return rc;
	step = bind_texts(s, (const char *[]){event, recipient}, 2);
	if (step)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	*out = step == SQLITE_ROW;
	return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : database_error(j->db, step);
}

static int item_record(struct journal *j, const char *action, const char *client, const char *login,
	const char *notice, const char *recipient, const char *detail, instant_t at)
{
	char text[768];
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = at,
		.action = action,
		.actor = "service",
		.client = client,
		.login = login,
		.detail = text};

	snprintf(text, sizeof(text), "%s to %s%s%s", notice, recipient,
		detail && *detail ? ": " : "", detail ? detail : "");
	return journal_write(NULL, j, &e);
}

static int item_insert(struct journal *j, const struct outbox_item *i)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *const texts[] = {
		i->event, i->recipient, i->client, i->login, i->notice, i->message};
	int step = 0,
	    rc = database_prepare(&s, j,
		    "INSERT INTO outbox (event, recipient, client, login, notice, message, created, next, state, attempts)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?7, ?7, 'queued', 0)");

	if (rc)
		return rc;
	for (int k = 0; k < (int)ARRAY_SIZE(texts) && !step; k++)
		step = bind_text(s, k + 1, texts[k]);
	if (!step)
		step = sqlite3_bind_int64(s, 7, i->created);
	return step ? database_error(j->db, step) : database_run(j, s);
}

int outbox_add(struct journal *j, const struct outbox_item *i)
{
	bool known = false;
	int rc = transaction_begin(j);

	if (rc)
		return rc;
	rc = outbox_has(&known, j, i->event, i->recipient);
	if (!rc && !known)
		rc = item_insert(j, i);
	if (!rc && !known)
		rc = item_record(j, "notice", i->client, i->login, i->notice, i->recipient, NULL,
			i->created);
	rc = transaction_end(j, rc);
	return rc ? rc : !known;
}

static int item_read(struct outbox_item *out, sqlite3_stmt *s)
{
	char *text[6];
	int rc = column_texts(text, s, 6);

	if (rc)
		return rc;
	*out = (struct outbox_item){.event = text[0],
		.recipient = text[1],
		.client = text[2],
		.login = text[3],
		.notice = text[4],
		.message = text[5],
		.id = sqlite3_column_int64(s, 6),
		.created = sqlite3_column_int64(s, 7),
		.attempts = (unsigned)sqlite3_column_int64(s, 8)};
	return 0;
}

#define ITEM                                                                                       \
	"SELECT event, recipient, client, login, notice, message, id, created, attempts FROM outbox "

/* The first item of a query with one number in it; -ENOENT: there is none. */
static int item_query(struct outbox_item *out, struct journal *j, const char *query, int64_t number)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc = database_prepare(&s, j, query);

	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, number);
	if (step)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step == SQLITE_ROW)
		return item_read(out, s);
	return step == SQLITE_DONE ? -ENOENT : database_error(j->db, step);
}

int outbox_next(struct outbox_item *out, struct journal *j, instant_t now)
{
	return item_query(
		out, j, ITEM "WHERE state = 'queued' AND next <= ? ORDER BY next, id LIMIT 1", now);
}

void outbox_item_free(struct outbox_item *i)
{
	const char *const texts[] = {
		i->event, i->recipient, i->client, i->login, i->notice, i->message};

	for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
		free((char *)texts[k]);
	*i = (struct outbox_item){0};
}

int outbox_last_is(
	char **out, struct journal *j, const char *client, const char *login, const char *notice)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *const texts[] = {client, login, notice};
	int step = 0,
	    rc = database_prepare(&s, j,
		    "SELECT event FROM (SELECT event, notice FROM outbox WHERE client = ? AND login = ? AND notice <> 'sheet'"
		    " ORDER BY id DESC LIMIT 1) WHERE notice = ?");

	*out = NULL;
	if (rc)
		return rc;
	for (int i = 0; i < (int)ARRAY_SIZE(texts) && !step; i++)
		step = bind_text(s, i + 1, texts[i]);
	if (step)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step == SQLITE_ROW)
		return column_texts(out, s, 1);
	return step == SQLITE_DONE ? 0 : database_error(j->db, step);
}

static int item_find(struct outbox_item *out, struct journal *j, int64_t id)
{
	return item_query(out, j, ITEM "WHERE id = ?", id);
}

static int item_update(
	struct journal *j, int64_t id, enum outbox_state state, const char *detail, instant_t next)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	bool ended = state != OUTBOX_QUEUED && state != OUTBOX_HANDED;
	int step,
		rc = database_prepare(&s, j,
			"UPDATE outbox SET state = ?1, detail = ifnull(?2, detail), next = ?3,"
			" attempts = attempts + (?1 = 'queued'), message = CASE ?5 WHEN 0 THEN message END WHERE id = ?4");

	if (rc)
		return rc;
	step = bind_texts(s, (const char *[]){outbox_state_name(state), detail}, 2);
	if (!step)
		step = sqlite3_bind_int64(s, 3, next);
	if (!step)
		step = sqlite3_bind_int64(s, 4, id);
	if (!step)
		step = sqlite3_bind_int64(s, 5, ended);
	return step ? database_error(j->db, step) : database_run(j, s);
}

int outbox_mark(struct journal *j, int64_t id, enum outbox_state state, const char *detail,
	instant_t next, instant_t now)
{
	static const char *const actions[] = {
		NULL, NULL, "notice-sent", "notice-failed", "notice-uncertain"};
	struct outbox_item i = {0};
	int rc = transaction_begin(j);

	if (rc)
		return rc;
	rc = item_find(&i, j, id);
	if (!rc)
		rc = item_update(j, id, state, detail, next);
	if (!rc && actions[state])
		rc = item_record(
			j, actions[state], i.client, i.login, i.notice, i.recipient, detail, now);
	outbox_item_free(&i);
	return transaction_end(j, rc);
}

static int state_find(const char *name)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(states) && (!name || !streq(name, states[i])))
		i++;
	return (int)i;
}

int outbox_told(struct journal *j, const char *client, instant_t from, instant_t to,
	int (*each)(void *context, const struct outbox_item *i), void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_prepare(&s, j,
			"SELECT notice, recipient, state, detail, created FROM outbox WHERE client = ? AND login IS NOT NULL"
			" AND created >= ? AND created < ? ORDER BY created, id");

	if (rc)
		return rc;
	step = bind_text(s, 1, client);
	if (!step)
		step = sqlite3_bind_int64(s, 2, from);
	if (!step)
		step = sqlite3_bind_int64(s, 3, to);
	while (!step && !rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		const struct outbox_item i = {.notice = (const char *)sqlite3_column_text(s, 0),
			.recipient = (const char *)sqlite3_column_text(s, 1),
			.state = (enum outbox_state)state_find(
				(const char *)sqlite3_column_text(s, 2)),
			.detail = (const char *)sqlite3_column_text(s, 3),
			.created = sqlite3_column_int64(s, 4)};

		step = 0;
		rc = i.notice && i.recipient ? each(context, &i) : -ENOMEM;
	}
	return rc ? rc : step == SQLITE_DONE ? 0 : database_error(j->db, step);
}

struct ids {
	int64_t *items;
	size_t n;
};

static int id_take(void *list, sqlite3_stmt *s)
{
	struct ids *l = list;

	return ARRAY_ADD(l->items, l->n, sqlite3_column_int64(s, 0));
}

/* Every row of that state comes to its end. */
static int rows_end(struct journal *j, const char *query, enum outbox_state state,
	const char *detail, instant_t now)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct ids ids = {0};
	int rc = database_prepare(&s, j, query);

	if (!rc)
		rc = database_rows(j, s, id_take, &ids);
	for (size_t i = 0; i < ids.n && !rc; i++)
		rc = outbox_mark(j, ids.items[i], state, detail, now, now);
	int n = (int)ids.n;
	free(ids.items);
	return rc ? rc : n;
}

int outbox_recover(struct journal *j, instant_t now)
{
	return rows_end(j, "SELECT id FROM outbox WHERE state = 'handed'", OUTBOX_UNCERTAIN,
		"the service ended before the mail server's answer was recorded; not sent again",
		now);
}

int notices_since(instant_t *out, struct journal *j, instant_t now)
{
	int64_t since = 0;
	int rc = database_number(&since, j, "SELECT ifnull(max(since), 0) FROM notices_on", 0);
	bool were_off = !since;

	if (!rc && were_off) {
		char sql[96];

		since = now;
		snprintf(sql, sizeof(sql), "INSERT INTO notices_on VALUES (1, %lld);",
			(long long)now);
		rc = database_execute(j, sql);
	}
	if (!rc)
		*out = since;
	return rc ? rc : were_off;
}

int notices_off(struct journal *j, instant_t now)
{
	int64_t on = 0;
	int rc = database_number(&on, j, "SELECT count(*) FROM notices_on", 0);

	if (rc || !on)
		return rc;
	rc = transaction_begin(j);
	if (rc)
		return rc;
	rc = rows_end(j, "SELECT id FROM outbox WHERE state = 'queued'", OUTBOX_FAILED,
		"notices were switched off", now);
	if (rc >= 0)
		rc = database_execute(j,
			"DELETE FROM notices_on; DELETE FROM told; DELETE FROM notified_person;");
	return transaction_end(j, rc);
}

int outbox_count(struct outbox_counts *out, struct journal *j, instant_t now)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc;

	*out = (struct outbox_counts){0};
	if (j->version < OUTBOX_VERSION)
		return 0;
	rc = database_prepare(&s, j,
		"SELECT count(*) FILTER (WHERE state IN ('queued', 'handed')),"
		" count(*) FILTER (WHERE state = 'failed' AND next > ?1), count(*) FILTER (WHERE state = 'uncertain' AND next > ?1),"
		" ifnull(min(created) FILTER (WHERE state IN ('queued', 'handed')), 0),"
		" (SELECT detail FROM outbox WHERE detail IS NOT NULL AND state <> 'sent' ORDER BY state IN ('queued') DESC, id DESC)"
		" FROM outbox");
	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, now - 30 * DAY);
	if (step || (step = sqlite3_step(s)) != SQLITE_ROW)
		return database_error(j->db, step);
	out->queued = sqlite3_column_int64(s, 0);
	out->failed = sqlite3_column_int64(s, 1);
	out->uncertain = sqlite3_column_int64(s, 2);
	out->oldest = sqlite3_column_int64(s, 3);
	if (sqlite3_column_text(s, 4))
		snprintf(out->detail, sizeof(out->detail), "%s", sqlite3_column_text(s, 4));
	return 0;
}
