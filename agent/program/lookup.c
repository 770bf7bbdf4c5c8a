/* Names of enum values, and lookups in the configuration. */
#include "program/zone.h"
#include "curfew/program.h"

#include "program/names.h"

#include <errno.h>
#include <unistd.h>
#include <string.h>

const char *level_name(enum level l)
{
	static const char *const names[] = {"none", "read-only", "write", "full"};

	return names[l];
}

const char *database_role_name(enum database_role r)
{
	return r == ROLE_STAGING ? "staging" : "production";
}

bool server_is_guarded(const struct server *s, const char *at)
{
	static const uint8_t every[16];
	struct endpoint e;

	if (!s->n_endpoints)
		return true;
	if (endpoint_parse(&e, at))
		return false;
	bool all = memcmp(e.addr, every, sizeof(every)) == 0;
	for (size_t i = 0; i < s->n_endpoints; i++) {
		const struct endpoint *k = &s->endpoints[i];
		if (endpoint_fault(k))
			continue;
		if (all ? k->family == e.family && k->port == e.port : !endpoint_compare(k, &e))
			return true;
	}
	return false;
}

bool server_is_expected(const struct server *s, const char *at)
{
	return server_is_guarded(s, at) || strings_contain(&s->known_listeners, at);
}

bool strings_contain(const struct strings *s, const char *item)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i], item))
			return true;
	return false;
}

/* Client names are unique whatever their case, so the case that a person types does not matter. */
uint64_t program_zones(const struct program *p)
{
	uint64_t sum = zone_identity(p->settings.timezone);
	const char *last = p->settings.timezone;

	for (size_t i = 0; i < p->n_clients; i++) {
		const char *zone = p->clients[i].timezone;
		/* Most clients have the same zone. */
		if (!streq(zone, last))
			sum = sum * 31 + zone_identity(zone);
		last = zone;
	}
	return sum;
}

static int client_compare(const void *name, const void *client)
{
	const struct client *c = client;

	return strcmp(name, c->name);
}

const struct client *program_client(const struct program *p, const char *name)
{
	const struct client *found = p->n_clients ? bsearch(name, p->clients, p->n_clients,
							    sizeof(*p->clients), client_compare)
						  : NULL;

	if (found)
		return found;
	/* In another case, which is seldom. */
	for (size_t i = 0; i < p->n_clients; i++)
		if (names_equal(p->clients[i].name, name))
			return &p->clients[i];
	return NULL;
}

const struct server *program_server(const struct program *p, const char *name)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (names_equal(p->servers[i].name, name))
			return &p->servers[i];
	return NULL;
}

/* `name` is "first.last". Both parts may contain dots. */
static bool person_matches(const struct user *u, const char *name)
{
	const char *first = u->first;

	for (; *first; first++, name++)
		if (to_small(*first) != to_small(*name))
			return false;
	if (!*u->last)
		return !*name;
	return *name == '.' && names_equal(u->last, name + 1);
}

const struct user *client_user(const struct client *c, const char *name)
{
	const struct user *found = NULL;

	for (size_t i = 0; i < c->n_users; i++) {
		const struct user *u = &c->users[i];

		if (names_equal(u->login, name) || names_equal(u->email, name))
			return u;
		/* Two users may have the same name. Then only login or email identifies one. */
		if (!person_matches(u, name))
			continue;
		if (found)
			return NULL;
		found = u;
	}
	return found;
}

char *user_sources_text(const struct user *u, instant_t now)
{
	_cleanup_free_ struct source *current = calloc(u->n_sources + 1, sizeof(*current));
	size_t n = 0;

	for (size_t i = 0; current && i < u->n_sources; i++)
		if (user_source_end(u, i) > now)
			current[n++] = u->sources[i];
	return current ? sources_text(current, n) : NULL;
}

const struct source *source_overlaps_trusted(const struct source *source, const struct server *s)
{
	for (size_t i = 0; i < s->n_trusted; i++)
		if (source_overlaps(source, &s->trusted[i]))
			return &s->trusted[i];
	return NULL;
}

int settings_credential(char path[4096], const struct settings *s, const char *name)
{
	static const char *const prefixes[] = {"curfew_", ""};

	/* Try the plain name last, because the message names the last one if neither exists. */
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		int n = snprintf(path, 4096, "%s/%s%s", s->credential_directory, prefixes[i], name);
		if (n < 0 || n >= 4096)
			return -ENAMETOOLONG;
		if (access(path, F_OK) == 0)
			break;
	}
	return 0;
}
