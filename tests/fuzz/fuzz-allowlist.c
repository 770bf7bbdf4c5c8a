/* Comments of the allowlist: whatever people, clients and servers are called, what goes into the kernel is a
 * text that nft can print and read again, and that steers no terminal. The list itself is sorted, without a
 * double, and nobody stays longer than the last of their grants. */
#include "fuzz.h"

#include <sys/socket.h>
#include <curfew/allowlist.h>

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

static void grant_take(struct scene *s, struct input *in)
{
	size_t i = s->n_grants++;

	s->clients[i] = (struct client){.name = name_take(s, in)};
	s->users[i] = (struct user){.login = name_take(s, in),
		.sources = s->sources[i],
		.n_sources = input_number(in, 1) % (MAX_SOURCES + 1)};
	for (size_t k = 0; k < s->users[i].n_sources; k++)
		source_take(&s->sources[i][k], in);
	s->grants[i] = (struct grant){.client = &s->clients[i],
		.user = &s->users[i],
		.server = &s->servers[input_number(in, 1) % 2],
		.level = (enum level)(input_number(in, 1) % 3),
		.end = (instant_t)input_number(in, 2)};
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

/* The last end of those who have this source on this endpoint: found the slow way. */
static instant_t end_of(const struct scene *s, const struct allow *a)
{
	instant_t end = 0;

	for (size_t i = 0; i < s->n_grants; i++) {
		const struct grant *g = &s->grants[i];

		for (size_t e = 0; e < g->server->n_endpoints; e++)
			for (size_t k = 0; k < g->user->n_sources; k++)
				if (g->level != LEVEL_NONE && g->end > end &&
					endpoint_compare(&g->server->endpoints[e], &a->endpoint) ==
						0 &&
					source_compare(&g->user->sources[k], &a->source) == 0)
					end = g->end;
	}
	return end;
}

static void list_check(const struct allowlist *list, const struct scene *s, instant_t now)
{
	for (size_t i = 0; i < list->n_allows; i++) {
		const struct allow *a = &list->allows[i];

		comment_check(a->comment, sizeof(a->comment));
		REQUIRE(a->source.family == a->endpoint.family);
		REQUIRE(a->until > now);
		REQUIRE(a->until == end_of(s, a));
		if (i == 0)
			continue;
		int order = endpoint_compare(&a[-1].endpoint, &a->endpoint);
		REQUIRE(order < 0 || (order == 0 && source_compare(&a[-1].source, &a->source) < 0));
	}
	for (size_t i = 0; i < list->n_trusted; i++)
		comment_check(list->trusted[i].comment, sizeof(list->trusted[i].comment));
	for (size_t i = 1; i < list->n_guards; i++)
		REQUIRE(endpoint_compare(&list->guards[i - 1], &list->guards[i]) < 0);
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
	REQUIRE(allowlist_build(&list, &s.program, &grants, now, NULL, NULL) == 0);
	list_check(&list, &s, now);
	allowlist_free(&list);
	for (size_t i = 0; i < s.n_names; i++)
		free(s.names[i]);
	return 0;
}
