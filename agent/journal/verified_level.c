/* The level that each login may still have on each database: kept until its removal is verified. Its table is `proved`. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

int verified_level_save(struct journal *j, const struct verified_level *p)
{
	_cleanup_kept_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_keep(&s, j, KEPT_LEVEL_SET,
			"INSERT INTO proved (server, login, database, level, at) VALUES (?, ?, ?, ?, ?)"
			" ON CONFLICT (server, login, database) DO UPDATE"
			" SET level = excluded.level, at = excluded.at");

	if (rc)
		return rc;
	step = bind_texts(s, (const char *[]){p->server, p->login, p->database}, 3);
	if (!step)
		step = bind_text(s, 4, level_name(p->level));
	if (!step)
		step = sqlite3_bind_int64(s, 5, p->at);
	if (step)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

void verified_level_list_free(struct verified_level_list *p)
{
	pool_free(&p->texts);
	free(p->items);
	*p = (struct verified_level_list){0};
}

static int verified_level_take(void *list, sqlite3_stmt *s)
{
	struct verified_level_list *l = list;
	const struct verified_level *last = l->n ? &l->items[l->n - 1] : NULL;
	struct verified_level v = {.at = sqlite3_column_int64(s, 4)};
	int rc = column_level(&v.level, s, 3);

	if (!rc)
		rc = column_login((const char **[]){&v.server, &v.login, &v.database}, &l->texts, s,
			last ? last->server : NULL, last ? last->login : NULL);
	return rc ? rc : ARRAY_ADD(l->items, l->n, v);
}

int verified_level_read(struct verified_level_list *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct verified_level_list list = {0};
	int rc = database_prepare(&s, j,
		"SELECT server, login, database, level, at FROM proved"
		" ORDER BY server, login, database");

	if (!rc)
		rc = database_rows(j, s, verified_level_take, &list);
	if (rc)
		verified_level_list_free(&list);
	else
		*out = list;
	return rc;
}

static int verified_level_compare(const void *a, const void *b)
{
	const struct verified_level *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	if (!c)
		c = strcmp(x->login, y->login);
	return c ? c : strcmp(x->database, y->database);
}

const struct verified_level *verified_level_find(
	const struct verified_level_list *list, const struct grant *g)
{
	const struct verified_level key = {
		.server = g->server->name, .login = g->user->login, .database = g->database->name};

	return list->n ? bsearch(&key, list->items, list->n, sizeof(key), verified_level_compare)
		       : NULL;
}
