/* Saved guards of each server, so that an endpoint does not open to everybody when it leaves the configuration. */
#include "journal/database.h"
#include "curfew/state_tables.h"
#include "curfew/text.h"

#include <errno.h>
#include <string.h>

static char *trusted_text(const struct server *s)
{
	char one[SOURCE_TEXT_MAX];
	struct text text;

	if (!text_begin(&text))
		return NULL;
	for (size_t i = 0; i < s->n_trusted; i++)
		fprintf(text.to, "%s%s", i ? "," : "", source_format(one, &s->trusted[i]));
	return text_end(&text);
}

static int bind_endpoint(sqlite3_stmt *s, const char *server, const struct endpoint *e)
{
	char endpoint[ENDPOINT_TEXT_MAX];
	int rc = bind_text(s, 1, server);

	return rc ? rc : bind_text(s, 2, endpoint_format(endpoint, e));
}

static int guard_put(bool *changed, struct journal *j, const char *server, const struct endpoint *e,
	const char *trusted)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc = database_prepare(&s, j,
			  "INSERT INTO guard (server, endpoint, trusted) VALUES (?, ?, ?)"
			  " ON CONFLICT (server, endpoint) DO UPDATE SET trusted = excluded.trusted"
			  " WHERE trusted <> excluded.trusted");

	if (rc)
		return rc;
	step = bind_endpoint(s, server, e);
	if (!step)
		step = bind_text(s, 3, trusted);
	if (step)
		return database_error(j->db, step);
	rc = database_run(j, s);
	*changed |= !rc && sqlite3_changes(j->db) > 0;
	return rc;
}

int guards_save(struct journal *j, const struct server *s)
{
	_cleanup_free_ char *trusted = trusted_text(s);
	bool changed = false;
	int rc = trusted ? transaction_begin(j) : -ENOMEM;

	if (rc)
		return rc;
	for (size_t i = 0; i < s->n_endpoints && !rc; i++)
		rc = guard_put(&changed, j, s->name, &s->endpoints[i], trusted);
	j->state_changed |= changed;
	return transaction_end(j, rc);
}

static int trusted_parse(struct kept_guard *out, char *text)
{
	char *rest = text;

	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		struct source *items;

		if (!*one)
			continue;
		items = array_grown(out->trusted, out->n_trusted, sizeof(*items));
		if (!items)
			return -ENOMEM;
		out->trusted = items;
		if (source_parse(&items[out->n_trusted], one))
			return -EBADMSG;
		out->n_trusted++;
	}
	return 0;
}

static int guard_take(void *list, sqlite3_stmt *s)
{
	struct kept_guards *l = list;
	struct kept_guard *items = array_grown(l->items, l->n, sizeof(*items));
	char *text[3];
	int rc;

	if (!items)
		return -ENOMEM;
	l->items = items;
	rc = column_texts(text, s, 3);
	if (rc)
		return rc;
	struct kept_guard *g = &items[l->n++];
	*g = (struct kept_guard){.server = text[0]};
	rc = endpoint_parse(&g->endpoint, text[1]) ? -EBADMSG : trusted_parse(g, text[2]);
	free(text[1]);
	free(text[2]);
	return rc;
}

int guards_load(struct kept_guards *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct kept_guards list = {0};
	int rc;

	*out = list;
	if (j->version < 2)
		return 0;
	rc = database_prepare(
		&s, j, "SELECT server, endpoint, trusted FROM guard ORDER BY server, endpoint");
	if (!rc)
		rc = database_rows(j, s, guard_take, &list);
	if (rc)
		kept_guards_free(&list);
	else
		*out = list;
	return rc;
}

int guards_drop(struct journal *j, const char *server, const struct endpoint *e)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_prepare(&s, j, "DELETE FROM guard WHERE server = ? AND endpoint = ?");

	if (rc)
		return rc;
	step = bind_endpoint(s, server, e);
	if (step)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}
