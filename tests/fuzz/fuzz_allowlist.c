/* Comments of the allowlist: whatever people, clients and servers are called, what goes into the kernel is a
 * text that nft can print and read again, and that steers no terminal. The list itself is sorted, without a
 * double, and nobody's way in outlasts the next narrowing on that server, or opens before its proof. */
#include "fuzz.h"

#include <sys/socket.h>
#include "curfew/allowlist.h"

#define MAX_GRANTS  12
#define MAX_SOURCES 3

struct scene {
	struct program program;
	struct server servers[2];
	struct endpoint endpoints[2][2];
	struct source trusted[2][MAX_SOURCES];
	struct client clients[MAX_GRANTS];
	struct user users[MAX_GRANTS];
	struct source sources[MAX_GRANTS][MAX_SOURCES];
	struct grant grants[MAX_GRANTS];
	enum admission admissions[MAX_GRANTS];
	size_t n_grants;
	char *names[2 * MAX_GRANTS + 2];
	size_t n_names;
};

static char *name_take(struct scene *s, struct input *in)
{
	return s->names[s->n_names++] = input_text(in, '\n');
}

/* From a small world, so that people meet at one address. */
static void source_take(struct source *out, struct input *in)
{
	unsigned choice = (unsigned)input_number(in, 1);

	*out = (struct source){.family = choice & 1 ? AF_INET6 : AF_INET};
	out->prefix = choice & 1 ? 128 : 32;
	out->addr[0] = 192;
	out->addr[3] = (uint8_t)(choice >> 1 & 7);
}

static void server_take(struct scene *s, struct input *in, size_t i)
{
	struct server *server = &s->servers[i];

	*server = (struct server){.name = name_take(s, in),
		.endpoints = s->endpoints[i],
		.n_endpoints = 2,
		.trusted = s->trusted[i],
		.n_trusted = input_number(in, 1) % (MAX_SOURCES + 1)};
	for (size_t e = 0; e < 2; e++)
		s->endpoints[i][e] = (struct endpoint){.family = e ? AF_INET6 : AF_INET,
			.addr = {10, 0, 0, (uint8_t)i},
			.port = (uint16_t)(1433 + input_number(in, 1) % 2)};
	for (size_t t = 0; t < server->n_trusted; t++)
		source_take(&s->trusted[i][t], in);
}

static void user_take(struct scene *s, struct input *in)
{
	size_t i = s->n_grants;

	s->clients[i] = (struct client){.name = name_take(s, in)};
	s->users[i] = (struct user){.login = name_take(s, in),
		.sources = s->sources[i],
		.n_sources = input_number(in, 1) % (MAX_SOURCES + 1)};
	for (size_t k = 0; k < s->users[i].n_sources; k++)
		source_take(&s->sources[i][k], in);
}

/* Of a person of its own, or one more of the person before, on the same server or the next. */
static void grant_take(struct scene *s, struct input *in)
{
	unsigned parts = (unsigned)input_number(in, 1);
	size_t i = s->n_grants, owner = i;
	struct grant *g = &s->grants[i];

	if (i && parts & 1) {
		*g = g[-1];
		g->server = parts & 2 ? &s->servers[1] : g->server;
	} else {
		user_take(s, in);
		*g = (struct grant){.client = &s->clients[owner],
			.user = &s->users[owner],
			.server = &s->servers[parts >> 1 & 1]};
	}
	g->level = (enum level)((parts >> 2 & 3) % 3);
	s->admissions[i] = (enum admission)((parts >> 4 & 3) % 3);
	g->until = (instant_t)input_number(in, 2);
	g->end = g->until + (instant_t)input_number(in, 1);
	s->n_grants++;
}

static enum admission grant_admission(const struct grant *g, void *context)
{
	const struct scene *s = context;

	return s->admissions[g - s->grants];
}

static void comment_check(const char *comment, size_t room)
{
	size_t n = strnlen(comment, room);

	REQUIRE(n < room && n <= ALLOW_COMMENT_MAX);
	REQUIRE(text_is_utf8(comment));
	REQUIRE(!text_has_controls(comment));
	/* nft's own strings have no escape for these. */
	REQUIRE(!strpbrk(comment, "\"\\*"));
}

/* Until when the owner of this grant is let in to its server; 0: not at all. */
static instant_t way_of(const struct scene *s, const struct grant *of, instant_t now)
{
	instant_t until = INT64_MAX;
	bool proved = false;

	for (size_t i = 0; i < s->n_grants; i++) {
		const struct grant *g = &s->grants[i];

		if (g->user != of->user || g->server != of->server)
			continue;
		if (s->admissions[i] == ADMIT_NOBODY)
			return 0;
		if (g->level == LEVEL_NONE || g->until <= now)
			continue;
		proved |= s->admissions[i] == ADMIT;
		until = g->until < until ? g->until : until;
	}
	return proved ? until : 0;
}

/* The longest way in of those who have this source on this endpoint: found the slow way. */
static instant_t end_of(const struct scene *s, const struct source *source,
	const struct endpoint *endpoint, instant_t now)
{
	instant_t end = 0;

	for (size_t i = 0; i < s->n_grants; i++) {
		const struct grant *g = &s->grants[i];
		instant_t way = way_of(s, g, now);

		for (size_t e = 0; e < g->server->n_endpoints; e++)
			for (size_t k = 0; k < g->user->n_sources; k++)
				if (way > end &&
					endpoint_compare(&g->server->endpoints[e], endpoint) == 0 &&
					source_compare(&g->user->sources[k], source) == 0)
					end = way;
	}
	return end;
}

static bool list_has(
	const struct allowlist *list, const struct source *source, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < list->n_allows; i++)
		if (endpoint_compare(&list->allows[i].endpoint, endpoint) == 0 &&
			source_compare(&list->allows[i].source, source) == 0)
			return true;
	return false;
}

/* Who may come in can. */
static void nobody_is_missing(const struct allowlist *list, const struct scene *s, instant_t now)
{
	for (size_t i = 0; i < s->n_grants; i++) {
		const struct grant *g = &s->grants[i];

		for (size_t e = 0; e < g->server->n_endpoints; e++)
			for (size_t k = 0; k < g->user->n_sources; k++) {
				const struct source *source = &g->user->sources[k];
				const struct endpoint *endpoint = &g->server->endpoints[e];

				if (source->family == endpoint->family &&
					end_of(s, source, endpoint, now) > 0)
					REQUIRE(list_has(list, source, endpoint));
			}
	}
}

static void list_check(const struct allowlist *list, const struct scene *s, instant_t now)
{
	for (size_t i = 0; i < list->n_allows; i++) {
		const struct allow *a = &list->allows[i];

		comment_check(a->comment, ALLOW_COMMENT_MAX + 1);
		REQUIRE(a->source.family == a->endpoint.family);
		REQUIRE(a->until > now);
		REQUIRE(a->until == end_of(s, &a->source, &a->endpoint, now));
		if (i == 0)
			continue;
		int order = endpoint_compare(&a[-1].endpoint, &a->endpoint);
		REQUIRE(order < 0 || (order == 0 && source_compare(&a[-1].source, &a->source) < 0));
	}
	for (size_t i = 0; i < list->n_trusted; i++)
		comment_check(list->trusted[i].comment, sizeof(list->trusted[i].comment));
	for (size_t i = 1; i < list->n_guards; i++)
		REQUIRE(guard_compare(&list->guards[i - 1], &list->guards[i]) < 0);
	nobody_is_missing(list, s, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct scene s = {.n_grants = 0};
	struct allowlist list;
	instant_t now = (instant_t)input_number(&in, 2);

	s.program = (struct program){.servers = s.servers, .n_servers = 2};
	server_take(&s, &in, 0);
	server_take(&s, &in, 1);
	while (in.left && s.n_grants < MAX_GRANTS)
		grant_take(&s, &in);
	const struct grants grants = {s.grants, s.n_grants};
	REQUIRE(allowlist_build(&list, &s.program, &grants, now, grant_admission, &s) == 0);
	list_check(&list, &s, now);
	allowlist_free(&list);
	for (size_t i = 0; i < s.n_names; i++)
		free(s.names[i]);
	return 0;
}
