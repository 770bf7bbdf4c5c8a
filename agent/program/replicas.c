/* Replicas of an availability group: one server names the others, and what is scheduled there is scheduled on each. */
#include "program/replicas.h"

#include <string.h>

#include "program/problems.h"

bool server_has_replica(const struct server *s, const struct server *other)
{
	for (size_t i = 0; i < s->replicas.n; i++)
		if (names_equal(s->replicas.items[i], other->name))
			return true;
	return false;
}

const struct server *server_first(const struct program *p, const struct server *s)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (server_has_replica(&p->servers[i], s))
			return &p->servers[i];
	return s;
}

bool server_is_replicated(const struct program *p, const struct server *s)
{
	return s->replicas.n || server_first(p, s) != s;
}

bool database_is_on(const struct program *p, const struct database *d, const struct server *s)
{
	const struct server *named = &p->servers[d->server];

	return named == s || server_has_replica(named, s);
}

bool client_uses_server(const struct program *p, const struct client *c, const struct server *s)
{
	for (size_t i = 0; i < c->n_databases; i++)
		if (c->databases[i].server < p->n_servers && database_is_on(p, &c->databases[i], s))
			return true;
	return false;
}

bool client_names_database(
	const struct program *p, const struct client *c, const char *server, const char *database)
{
	const struct server *s = program_server(p, server);

	for (size_t i = 0; s && i < c->n_databases; i++)
		if (c->databases[i].server < p->n_servers &&
			database_is_on(p, &c->databases[i], s) &&
			names_equal(c->databases[i].name, database))
			return true;
	return false;
}

static bool strings_equal(const struct strings *a, const struct strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!strings_contain(b, a->items[i]))
			return false;
	return true;
}

static bool terms_equal(const struct level_terms *a, const struct level_terms *b)
{
	bool same_role = a->role && b->role ? names_equal(a->role, b->role) : a->role == b->role;

	return same_role && strings_equal(&a->member_of, &b->member_of) &&
	       strings_equal(&a->database_grants, &b->database_grants) &&
	       strings_equal(&a->database_denies, &b->database_denies) &&
	       strings_equal(&a->schema_grants, &b->schema_grants) &&
	       strings_equal(&a->schema_denies, &b->schema_denies);
}

/* A failover brings the roles along with the databases, so they must have the same permissions on all replicas. */
static void levels_compare(struct reading *r, const struct server *a, const struct server *b)
{
	for (int level = LEVEL_READ_ONLY; level < LEVELS; level++)
		if (!terms_equal(&a->terms[level], &b->terms[level])) {
			reading_say_line(r, SEVERITY_ERROR, b->line,
				"replica \"%s\" has other levels than \"%s\" (line %d); the databases bring their roles along, "
				"so write the same \"levels\" for both, or for all servers",
				b->name, a->name, a->line);
			return;
		}
}

static void replica_check(
	struct reading *r, const struct program *p, const struct server *s, const char *name)
{
	const struct server *other = program_server(p, name), *first;

	if (!other) {
		reading_say_line(r, SEVERITY_ERROR, s->line,
			"unknown replica \"%s\" of server \"%s\"; each replica is a server of its own in \"servers\"",
			name, s->name);
		return;
	}
	first = server_first(p, other);
	if (other == s)
		reading_say_line(r, SEVERITY_ERROR, s->line,
			"server \"%s\" names itself in \"replicas\"; name the other servers alone",
			s->name);
	else if (other->replicas.n)
		reading_say_line(r, SEVERITY_ERROR, other->line,
			"replica \"%s\" of \"%s\" (line %d) names \"replicas\" itself; only one server of a group names "
			"the others",
			other->name, s->name, s->line);
	else if (first != s)
		reading_say_line(r, SEVERITY_ERROR, s->line,
			"server \"%s\" is a replica of \"%s\" and of \"%s\"; a server belongs to one group",
			other->name, first->name, s->name);
	else
		levels_compare(r, s, other);
}

/* Replicas may share the address of their listener, which leads to the primary. Two other servers with one endpoint would
 * each allow users whom the other blocks. */
static void endpoints_compare(
	struct reading *r, const struct program *p, const struct server *a, const struct server *b)
{
	char buf[ENDPOINT_TEXT_MAX];

	if (server_first(p, a) == server_first(p, b))
		return;
	for (size_t i = 0; i < a->n_endpoints; i++)
		for (size_t j = 0; j < b->n_endpoints; j++)
			if (!endpoint_compare(&a->endpoints[i], &b->endpoints[j]))
				reading_say_line(r, SEVERITY_ERROR, b->line,
					"duplicate endpoint %s of server \"%s\" and of server \"%s\" (line %d); an "
					"endpoint must belong to one server, or to replicas of one group",
					endpoint_format(buf, &b->endpoints[j]), b->name, a->name,
					a->line);
}

void replicas_check(struct reading *r, const struct program *p)
{
	for (size_t i = 0; i < p->n_servers; i++) {
		for (size_t k = 0; k < p->servers[i].replicas.n; k++)
			replica_check(r, p, &p->servers[i], p->servers[i].replicas.items[k]);
		for (size_t k = 0; k < i; k++)
			endpoints_compare(r, p, &p->servers[k], &p->servers[i]);
	}
}
