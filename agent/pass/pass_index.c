/* Finds a grant, a login, and what the journal has of a server by the names that a server returns, in any letter case. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

static int place_compare(
	const char *server, const char *login, const char *database, const struct grant *g)
{
	int c = strcmp(server, g->server->name);

	if (!c)
		c = names_compare(login, g->user->login);
	return c ? c : names_compare(database, g->database->name);
}

static int index_compare(const void *a, const void *b)
{
	const struct grant *x = *(const struct grant *const *)a;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the index has a grant in each place before it is sorted */
	return place_compare(x->server->name, x->user->login, x->database->name,
		*(const struct grant *const *)b);
}

int pass_index_build(struct pass *p)
{
	const struct program *program = p->o.program;
	_cleanup_free_ size_t *next = calloc(program->n_servers + 2, sizeof(*next));

	p->index = calloc(p->grants.n + 1, sizeof(*p->index));
	if (!p->index || !next)
		return -ENOMEM;
	/* Server by server, those of one are mostly in the order of their logins. */
	for (size_t i = 0; i < p->grants.n; i++)
		next[p->grants.items[i].server - program->servers + 1]++;
	for (size_t i = 0; i < program->n_servers; i++)
		next[i + 1] += next[i];
	for (size_t i = 0; i < p->grants.n; i++)
		p->index[next[p->grants.items[i].server - program->servers]++] =
			&p->grants.items[i];
	array_sort(p->index, p->grants.n, sizeof(*p->index), index_compare);
	return 0;
}

struct grant_key {
	const char *server, *login, *database;
};

static int grant_compare(const void *key, const void *item)
{
	const struct grant_key *k = key;

	return place_compare(k->server, k->login, k->database, *(const struct grant *const *)item);
}

const struct grant *pass_grant(
	const struct pass *p, const char *server, const char *login, const char *database)
{
	const struct grant_key key = {server, login, database};
	const struct grant **found =
		bsearch(&key, p->index, p->grants.n, sizeof(*p->index), grant_compare);

	return found ? *found : NULL;
}

const struct grant *pass_grant_next(size_t *at, const struct pass *p, const struct verified *v)
{
	int c = 1;

	while (*at < p->grants.n &&
		(c = place_compare(v->server, v->login, v->database, p->index[*at])) > 0)
		++*at;
	return c ? NULL : p->index[*at];
}

bool pass_is_in_force(const struct pass *p, const char *server, const char *login,
	const char *database, enum level level)
{
	for (size_t i = 0; p->o.in_force && i < p->o.in_force->n; i++) {
		const struct grant *g = &p->o.in_force->items[i];
		if (g->level != LEVEL_NONE && g->level >= level && streq(g->server->name, server) &&
			names_equal(g->user->login, login) &&
			(!database || names_equal(g->database->name, database)))
			return true;
	}
	return false;
}

static int login_compare(const void *item, const void *key)
{
	const struct grant *g = *(const struct grant *const *)item;
	const struct grant_key *k = key;
	int c = strcmp(g->server->name, k->server);

	return c ? c : names_compare(g->user->login, k->login);
}

const struct grant *const *pass_grants_of(
	size_t *n, const struct pass *p, const char *server, const char *login)
{
	const struct grant_key key = {.server = server, .login = login};
	size_t from = array_first(p->index, p->grants.n, sizeof(*p->index), &key, login_compare),
	       to = from;

	while (to < p->grants.n && !login_compare(&p->index[to], &key))
		to++;
	*n = to - from;
	return p->index + from;
}

bool pass_login_is_named(const struct pass *p, const char *server, const char *login)
{
	size_t n;

	pass_grants_of(&n, p, server, login);
	return n > 0;
}

static int identity_compare(const void *item, const void *key)
{
	const struct identity *i = item, *k = key;
	int c = strcmp(i->server, k->server);

	return c ? c : strcmp(i->login, k->login);
}

const struct identity *pass_identity(const struct pass *p, const char *server, const char *login)
{
	const struct identities *all = &p->identities;
	const struct identity key = {.server = server, .login = login};
	size_t at = array_first(all->items, all->n, sizeof(key), &key, identity_compare);

	if (at < all->n && !identity_compare(&all->items[at], &key))
		return &all->items[at];
	/* In another case: seldom, so that looking at each is quick enough. */
	for (size_t i = 0; i < all->n; i++)
		if (streq(all->items[i].server, server) && names_equal(all->items[i].login, login))
			return &all->items[i];
	return NULL;
}

static int server_compare(const void *item, const void *server)
{
	return strcmp(*(const char *const *)item, server);
}

/* Those of one server, in items that are sorted by it and begin with its name. NULL: none. */
static const void *items_of_server(
	size_t *n, const void *items, size_t count, size_t size, const char *server)
{
	const char *base = items;
	size_t from = array_first(items, count, size, server, server_compare), to = from;

	while (to < count && !server_compare(base + to * size, server))
		to++;
	*n = to - from;
	return *n ? base + from * size : NULL;
}

const struct verified_level *pass_verified_levels_of(
	size_t *n, const struct pass *p, const char *server)
{
	return items_of_server(n, p->levels.items, p->levels.n, sizeof(*p->levels.items), server);
}

const struct verified *pass_verified_of(size_t *n, const struct pass *p, const char *server)
{
	return items_of_server(
		n, p->verified.items, p->verified.n, sizeof(*p->verified.items), server);
}

size_t pass_grant_number(const struct pass *p, const struct grant *g)
{
	return (size_t)(g - p->grants.items);
}
