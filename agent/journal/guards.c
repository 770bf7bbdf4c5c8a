/* Saved guards of each server, so that an endpoint does not open to everybody when it leaves the configuration. */
#include "journal/database.h"
#include "curfew/state_tables.h"
#include "curfew/text.h"

#include <errno.h>
#include <string.h>

static char *trusted_text(const struct source *trusted, size_t n)
{
	char one[SOURCE_TEXT_MAX];
	struct text text;

	if (!text_begin(&text))
		return NULL;
	for (size_t i = 0; i < n; i++)
		fprintf(text.to, "%s%s", i ? "," : "", source_format(one, &trusted[i]));
	return text_end(&text);
}

static int bind_endpoint(sqlite3_stmt *s, const char *server, const struct endpoint *e)
{
	char endpoint[ENDPOINT_TEXT_MAX];
	return bind_texts(s, (const char *[]){server, endpoint_format(endpoint, e)}, 2);
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
	_cleanup_free_ char *trusted = trusted_text(s->trusted, s->n_trusted);
	bool changed = false;
	int rc = trusted ? transaction_begin(j) : -ENOMEM;

	if (rc)
		return rc;
	for (size_t i = 0; i < s->n_endpoints && !rc; i++)
		rc = guard_put(&changed, j, s->name, &s->endpoints[i], trusted);
	j->state_changed |= changed;
	return transaction_end(j, rc);
}

int guards_hold(struct journal *j, const struct kept_guard *k)
{
	_cleanup_free_ char *trusted = trusted_text(k->trusted, k->n_trusted);
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step,
		rc = trusted ? database_prepare(&s, j,
				       "INSERT INTO guard (server, endpoint, trusted, held) VALUES (?, ?, ?, 1)"
				       " ON CONFLICT (server, endpoint) DO UPDATE SET held = 1")
			     : -ENOMEM;

	if (rc)
		return rc;
	step = bind_endpoint(s, k->server, &k->endpoint);
	if (!step)
		step = bind_text(s, 3, trusted);
	if (step)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

static int trusted_parse(struct kept_guard *out, char *text)
{
	char *rest = text;

	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		struct source source;

		if (!*one)
			continue;
		if (source_parse(&source, one))
			return -EBADMSG;
		if (ARRAY_ADD(out->trusted, out->n_trusted, source))
			return -ENOMEM;
	}
	return 0;
}

static int guard_take(void *list, sqlite3_stmt *s)
{
	struct kept_guards *l = list;
	struct kept_guard *g = ARRAY_MORE(l->items, l->n);
	char *text[3];
	int rc = g ? column_texts(text, s, 3) : -ENOMEM;

	if (rc)
		return rc;
	*g = (struct kept_guard){.server = text[0], .held = sqlite3_column_int(s, 3) != 0};
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
	rc = database_prepare(&s, j,
		j->version < HELD_VERSION
			? "SELECT server, endpoint, trusted, 0 FROM guard ORDER BY server, endpoint"
			: "SELECT server, endpoint, trusted, held FROM guard ORDER BY server, endpoint");
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
