/* The level that a server last proved for a login on a database. */
#include "database.h"

#include <errno.h>
#include <string.h>

int proved_put(struct journal *j, const struct proved *p)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc, r = database_prepare(&s, j,
			"INSERT INTO proved (server, login, database, level, at) VALUES (?, ?, ?, ?, ?)"
			" ON CONFLICT (server, login, database) DO UPDATE"
			" SET level = excluded.level, at = excluded.at");

	if (r)
		return r;
	rc = bind_text(s, 1, p->server);
	if (!rc)
		rc = bind_text(s, 2, p->login);
	if (!rc)
		rc = bind_text(s, 3, p->database);
	if (!rc)
		rc = bind_text(s, 4, level_name(p->level));
	if (!rc)
		rc = sqlite3_bind_int64(s, 5, p->at);
	if (rc)
		return database_error(j->db, rc);
	r = transaction_begin(j);
	return r ? r : transaction_end(j, database_run(j, s));
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

static int level_parse(enum level *out, const char *name)
{
	for (int l = LEVEL_NONE; name && l <= LEVEL_FULL; l++) {
		if (strcmp(name, level_name((enum level)l)) == 0) {
			*out = (enum level)l;
			return 0;
		}
	}
	return -EBADMSG;
}

static int proved_item(struct proved *out, sqlite3_stmt *s)
{
	char *text[3] = {NULL, NULL, NULL};
	enum level level;
	int r = level_parse(&level, (const char *)sqlite3_column_text(s, 3));

	for (int i = 0; i < 3 && !r; i++)
		r = column_text(&text[i], s, i);
	if (r) {
		for (int i = 0; i < 3; i++)
			free(text[i]);
		return r;
	}
	*out = (struct proved){text[0], text[1], text[2], level, sqlite3_column_int64(s, 4)};
	return 0;
}

int proved_read(struct proved_list *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct proved_list list = {0};
	size_t room = 0;
	int rc = SQLITE_DONE, r = database_prepare(&s, j,
				      "SELECT server, login, database, level, at FROM proved"
				      " ORDER BY server, login, database");

	while (!r && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (list.n == room) {
			struct proved *more;

			room = room ? room * 2 : 64;
			more = reallocarray(list.items, room, sizeof(*more));
			if (!more) {
				r = -ENOMEM;
				break;
			}
			list.items = more;
		}
		r = proved_item(&list.items[list.n], s);
		if (!r)
			list.n++;
	}
	if (!r)
		r = database_error(j->db, rc);
	if (r)
		proved_list_free(&list);
	else
		*out = list;
	return r;
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

enum admission proved_admission(const struct proved_list *list, const struct grant *g)
{
	const struct proved *p = proved_find(list, g);

	return p ? admission_of(p->level, g->level) : ADMIT_NOT_YET;
}
