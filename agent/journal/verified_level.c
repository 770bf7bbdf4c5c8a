/* The level that a server last verified for a login on a database. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

int proved_put(struct journal *j, const struct proved *p)
{
	_cleanup_kept_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_keep(&s, j, KEPT_LEVEL_SET,
			"INSERT INTO proved (server, login, database, level, at) VALUES (?, ?, ?, ?, ?)"
			" ON CONFLICT (server, login, database) DO UPDATE"
			" SET level = excluded.level, at = excluded.at");

	if (rc)
		return rc;
	step = bind_text(s, 1, p->server);
	if (!step)
		step = bind_text(s, 2, p->login);
	if (!step)
		step = bind_text(s, 3, p->database);
	if (!step)
		step = bind_text(s, 4, level_name(p->level));
	if (!step)
		step = sqlite3_bind_int64(s, 5, p->at);
	if (step)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

void proved_list_free(struct proved_list *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free((char *)p->items[i].server);
		free((char *)p->items[i].login);
		free((char *)p->items[i].database);
	}
	free(p->items);
	*p = (struct proved_list){0};
}

static int proved_take(void *list, sqlite3_stmt *s)
{
	struct proved_list *l = list;
	struct proved *items = array_grown(l->items, l->n, sizeof(*items));
	char *text[3];
	enum level level;
	int rc;

	if (!items)
		return -ENOMEM;
	l->items = items;
	rc = column_level(&level, s, 3);
	if (!rc)
		rc = column_texts(text, s, 3);
	if (!rc)
		items[l->n++] = (struct proved){
			text[0], text[1], text[2], level, sqlite3_column_int64(s, 4)};
	return rc;
}

int proved_read(struct proved_list *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct proved_list list = {0};
	int rc = database_prepare(&s, j,
		"SELECT server, login, database, level, at FROM proved"
		" ORDER BY server, login, database");

	if (!rc)
		rc = database_rows(j, s, proved_take, &list);
	if (rc)
		proved_list_free(&list);
	else
		*out = list;
	return rc;
}

static int proved_compare(const void *a, const void *b)
{
	const struct proved *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	if (!c)
		c = strcmp(x->login, y->login);
	return c ? c : strcmp(x->database, y->database);
}

const struct proved *proved_find(const struct proved_list *list, const struct grant *g)
{
	const struct proved key = {
		.server = g->server->name, .login = g->user->login, .database = g->database->name};

	return list->n ? bsearch(&key, list->items, list->n, sizeof(key), proved_compare) : NULL;
}
