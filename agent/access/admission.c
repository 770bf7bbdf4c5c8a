/* Whether the packet filter may allow a login, decided by the last verification on its server: not before there is one, and
 * not if it was incomplete or showed more than is scheduled now. Also the lists of verified levels. */
#include <stdlib.h>
#include <string.h>

#include "curfew/access.h"

int verified_compare(const void *a, const void *b)
{
	const struct verified *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	if (!c)
		c = strcmp(x->login, y->login);
	return c ? c : strcmp(x->database, y->database);
}

void verified_list_free(struct verified_list *v)
{
	pool_free(&v->texts);
	free(v->items);
	*v = (struct verified_list){0};
}

enum admission admission_by(const struct verified *last, enum level scheduled)
{
	if (!last)
		return ADMIT_NOT_YET;
	/* A result that could not be verified may hide any permission. */
	if (last->result != VERIFICATION_VERIFIED || last->level > scheduled)
		return ADMIT_NOBODY;
	return last->level == LEVEL_NONE ? ADMIT_NOT_YET : ADMIT;
}

/* Index of the first item of this login on this server. */
static size_t login_first(const struct verified_list *list, const char *server, const char *login)
{
	const struct verified key = {.server = server, .login = login, .database = ""};

	return array_first(list->items, list->n, sizeof(key), &key, verified_compare);
}

/* Whether the client's file names this database on the grant's server. */
static bool database_is_named(const struct grant *g, const char *database)
{
	const struct client *c = g->client;

	for (size_t i = 0; i < c->n_databases; i++)
		if (c->databases[i].server == g->database->server &&
			names_equal(c->databases[i].name, database))
			return true;
	return false;
}

static bool login_has_left(const struct verified_list *list, const struct grant *g)
{
	for (size_t i = login_first(list, g->server->name, g->user->login); i < list->n; i++) {
		const struct verified *p = &list->items[i];

		if (!streq(p->server, g->server->name) || !streq(p->login, g->user->login))
			break;
		if (p->level != LEVEL_NONE && !database_is_named(g, p->database))
			return true;
	}
	return false;
}

const struct verified *verified_find(const struct verified_list *list, const struct grant *g)
{
	const struct verified key = {
		.server = g->server->name, .login = g->user->login, .database = g->database->name};

	return list->n ? bsearch(&key, list->items, list->n, sizeof(key), verified_compare) : NULL;
}

enum admission verified_admission(const struct verified_list *list, const struct grant *g)
{
	return login_has_left(list, g) ? ADMIT_NOBODY
				       : admission_by(verified_find(list, g), g->level);
}
