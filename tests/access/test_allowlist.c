/* The wanted allowlist: merging, deadlines, what is withheld, and comments made of hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "curfew/allowlist.h"

#define NOW 1800000000

/* A small program: two servers, three clients; grants as the schedule would make them. */
struct world {
	struct server servers[2];
	struct endpoint endpoints[2][2];
	struct source trusted[2][2];
	struct client clients[3];
	struct user users[3];
	struct source sources[3][3];
	struct database databases[2];
	struct program program;
	struct grant items[16];
	struct grants grants;
	char names[5][16], logins[3][32];
};

static struct source source_of(const char *text)
{
	struct source s;

	assert_int_equal(source_parse(&s, text), 0);
	return s;
}

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(&e, text), 0);
	return e;
}

static void world_init(struct world *w)
{
	static const char *const names[] = {"acme", "beta", "gamma", "sql07", "sqltest02"};
	static const char *const logins[] = {"acme.jane.doe", "beta.bob", "gamma.jo"};

	memset(w, 0, sizeof(*w));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strcpy(w->names[i], names[i]);
	for (size_t i = 0; i < ARRAY_SIZE(logins); i++)
		strcpy(w->logins[i], logins[i]);
	w->endpoints[0][0] = endpoint_of("192.0.2.10:1433");
	w->endpoints[0][1] = endpoint_of("[2001:db8::5]:1433");
	w->endpoints[1][0] = endpoint_of("192.0.2.11:1433");
	w->trusted[0][0] = source_of("10.0.0.0/8");
	w->trusted[0][1] = source_of("2001:db8:f::/48");
	w->trusted[1][0] = source_of("10.0.0.0/8");
	w->servers[0] = (struct server){.name = w->names[3],
		.endpoints = w->endpoints[0],
		.n_endpoints = 2,
		.trusted = w->trusted[0],
		.n_trusted = 2};
	w->servers[1] = (struct server){.name = w->names[4],
		.endpoints = w->endpoints[1],
		.n_endpoints = 1,
		.trusted = w->trusted[1],
		.n_trusted = 1};
	for (int i = 0; i < 3; i++) {
		w->clients[i].name = w->names[i];
		w->users[i] = (struct user){
			.login = w->logins[i], .sources = w->sources[i], .n_sources = 1};
		w->sources[i][0] = source_of("203.0.113.7");
	}
	w->program = (struct program){
		.servers = w->servers, .n_servers = 2, .clients = w->clients, .n_clients = 3};
	w->grants.items = w->items;
}

static void grant(struct world *w, int client, int server, enum level level, instant_t end)
{
	w->items[w->grants.n++] = (struct grant){
		.client = &w->clients[client],
		.user = &w->users[client],
		.server = &w->servers[server],
		.database = &w->databases[server],
		.level = level,
		.until = end,
		.end = end,
	};
	assert_true(w->grants.n <= ARRAY_SIZE(w->items));
}

static struct allowlist build(const struct world *w)
{
	struct allowlist a;

	size_t n = 99;

	assert_int_equal(allowlist_build(&a, &w->program, &w->grants, NOW, NULL, NULL), 0);
	assert_int_equal(allowlist_count(&n, &w->grants, NOW), 0);
	assert_int_equal(n, a.n_allows);
	return a;
}

static void test_empty(void **state)
{
	struct program none = {0};
	struct grants nobody = {0};
	struct allowlist a;

	(void)state;
	assert_int_equal(allowlist_build(&a, &none, &nobody, NOW, NULL, NULL), 0);
	assert_int_equal(a.n_allows + a.n_guards + a.n_trusted, 0);
	allowlist_free(&a);
	allowlist_free(&a);
}

static void test_guards_and_trusted(void **state)
{
	struct world w;
	struct allowlist a;

	(void)state;
	world_init(&w);
	/* Two servers behind one endpoint: one guard, and their trusted sources in one element. */
	w.endpoints[1][0] = w.endpoints[0][0];
	a = build(&w);
	assert_int_equal(a.n_allows, 0);
	assert_int_equal(a.n_guards, 2);
	assert_true(guard_compare(&a.guards[0], &a.guards[1]) < 0);
	assert_int_equal(a.n_trusted, 2);
	assert_string_equal(a.trusted[0].comment, "sql07, sqltest02");
	assert_int_equal(a.trusted[0].source.family, a.trusted[0].endpoint.family);
	assert_string_equal(a.trusted[1].comment, "sql07");
	assert_int_equal(a.trusted[1].source.family, a.trusted[1].endpoint.family);
	allowlist_free(&a);
}

/* People behind one address: the latest of theirs. One login: until the first of its narrowings on that server. */
static void test_merging(void **state)
{
	struct world w;
	struct allowlist a;

	(void)state;
	world_init(&w);
	grant(&w, 0, 0, LEVEL_FULL, NOW + 100);
	grant(&w, 0, 0, LEVEL_READ_ONLY, NOW + 300); /* another database of hers on that server */
	grant(&w, 0, 0, LEVEL_NONE, NOW + 10);	     /* opens then: no narrowing */
	grant(&w, 0, 1, LEVEL_FULL, NOW + 50);
	grant(&w, 1, 0, LEVEL_FULL, NOW + 200);
	a = build(&w);
	assert_int_equal(a.n_allows, 2);
	assert_int_equal(a.allows[0].endpoint.port, 1433);
	assert_int_equal(endpoint_compare(&a.allows[0].endpoint, &w.endpoints[0][0]), 0);
	assert_int_equal(a.allows[0].until, NOW + 200);
	assert_string_equal(a.allows[0].comment, "acme/acme.jane.doe, beta/beta.bob");
	assert_int_equal(endpoint_compare(&a.allows[1].endpoint, &w.endpoints[1][0]), 0);
	assert_int_equal(a.allows[1].until, NOW + 50);
	assert_string_equal(a.allows[1].comment, "acme/acme.jane.doe");
	allowlist_free(&a);
}

/* Full until go-live, read-only for long after it: the way in ends at go-live, and is there again when read-only is
 * proved. */
static void test_until_the_narrowing(void **state)
{
	struct world w;
	struct allowlist a;

	(void)state;
	world_init(&w);
	grant(&w, 0, 0, LEVEL_FULL, NOW + 5000);
	w.items[0].until = NOW + 60;
	w.items[0].next_level = LEVEL_READ_ONLY;
	a = build(&w);
	assert_int_equal(a.n_allows, 1);
	assert_int_equal(a.allows[0].until, NOW + 60);
	allowlist_free(&a);
	w.items[0].level = LEVEL_READ_ONLY;
	w.items[0].next_level = LEVEL_NONE;
	w.items[0].until = NOW + 5000;
	a = build(&w);
	assert_int_equal(a.allows[0].until, NOW + 5000);
	allowlist_free(&a);
}

struct verdicts {
	const struct world *world;
	enum admission of[16];
};

static enum admission verdict(const struct grant *g, void *context)
{
	const struct verdicts *v = context;

	return v->of[g - v->world->items];
}

static void test_who_is_left_out(void **state)
{
	struct world w;
	struct allowlist a;
	struct verdicts v = {&w, {ADMIT, ADMIT, ADMIT, ADMIT_NOT_YET, ADMIT}};

	(void)state;
	world_init(&w);
	grant(&w, 0, 0, LEVEL_NONE, NOW + 100);
	grant(&w, 0, 1, LEVEL_FULL, NOW);
	grant(&w, 0, 1, LEVEL_FULL, NOW - 1);
	grant(&w, 1, 0, LEVEL_FULL, NOW + 500);
	grant(&w, 2, 0, LEVEL_READ_ONLY, NOW + 1);
	assert_int_equal(allowlist_build(&a, &w.program, &w.grants, NOW, verdict, &v), 0);
	assert_int_equal(a.n_allows, 1);
	/* The one who is left out lends nobody his deadline. */
	assert_int_equal(a.allows[0].until, NOW + 1);
	allowlist_free(&a);
}

/* One database where a login holds too much shuts it out of the whole server, though it should not be there at all;
 * of that server alone, and nobody else. */
static void test_who_holds_too_much(void **state)
{
	struct world w;
	struct allowlist a;
	struct verdicts v = {&w, {ADMIT, ADMIT, ADMIT, ADMIT}};

	(void)state;
	world_init(&w);
	grant(&w, 0, 0, LEVEL_READ_ONLY, NOW + 100);
	grant(&w, 0, 0, LEVEL_NONE, NOW - 100);
	grant(&w, 0, 1, LEVEL_FULL, NOW + 200);
	grant(&w, 1, 0, LEVEL_FULL, NOW + 300);
	assert_int_equal(allowlist_build(&a, &w.program, &w.grants, NOW, verdict, &v), 0);
	assert_int_equal(a.n_allows, 2);
	assert_string_equal(a.allows[0].comment, "acme/acme.jane.doe, beta/beta.bob");
	allowlist_free(&a);
	for (int i = 0; i < 2; i++) {
		v.of[i] = ADMIT_NOBODY;
		assert_int_equal(allowlist_build(&a, &w.program, &w.grants, NOW, verdict, &v), 0);
		assert_int_equal(a.n_allows, 2);
		assert_string_equal(a.allows[0].comment, "beta/beta.bob");
		assert_string_equal(a.allows[1].comment, "acme/acme.jane.doe");
		assert_int_equal(a.allows[1].until, NOW + 200);
		allowlist_free(&a);
		v.of[i] = ADMIT;
	}
}

/* Not proved in one database, at its level in another: she comes in for that, until the first of both narrows. */
static void test_proved_in_part(void **state)
{
	struct world w;
	struct allowlist a;
	struct verdicts v = {&w, {ADMIT_NOT_YET, ADMIT}};

	(void)state;
	world_init(&w);
	grant(&w, 0, 0, LEVEL_FULL, NOW + 100);
	grant(&w, 0, 0, LEVEL_READ_ONLY, NOW + 300);
	assert_int_equal(allowlist_build(&a, &w.program, &w.grants, NOW, verdict, &v), 0);
	assert_int_equal(a.n_allows, 1);
	assert_int_equal(a.allows[0].until, NOW + 100);
	allowlist_free(&a);
}

static void test_sorted_and_unique(void **state)
{
	struct world w;
	struct allowlist a;

	(void)state;
	world_init(&w);
	for (int i = 0; i < 3; i++) {
		w.users[i].n_sources = 3;
		w.sources[i][1] = source_of(i == 1 ? "198.51.100.0/24" : "198.51.100.128/25");
		w.sources[i][2] = source_of("2001:db8:7::/64");
		grant(&w, i, 0, LEVEL_FULL, NOW + 100 + i);
		grant(&w, i, 1, LEVEL_FULL, NOW + 100 + i);
	}
	a = build(&w);
	/* Three of IPv4 on each server, one of IPv6 on the one that has such an endpoint. */
	assert_int_equal(a.n_allows, 7);
	for (size_t i = 1; i < a.n_allows; i++) {
		int r = endpoint_compare(&a.allows[i - 1].endpoint, &a.allows[i].endpoint);

		assert_true(r < 0 || (r == 0 && source_compare(&a.allows[i - 1].source,
							&a.allows[i].source) < 0));
		assert_int_equal(a.allows[i].source.family, a.allows[i].endpoint.family);
	}
	allowlist_free(&a);
}

static const char *comment_of(struct world *w, const char *login, char out[ALLOW_COMMENT_MAX + 1])
{
	_cleanup_free_ char *copy = strdup(login);
	struct allowlist a;

	assert_non_null(copy);
	w->users[0].login = copy;
	a = build(w);
	snprintf(out, ALLOW_COMMENT_MAX + 1, "%s", a.allows[0].comment);
	allowlist_free(&a);
	return out;
}

static void test_hostile_names(void **state)
{
	static const struct {
		const char *login, *comment;
	} examples[] = {
		{"jane\" accept; # ", "acme/jane_ accept; # "},
		{"a\nb\tc\rd\x1b[31m\x7f", "acme/a_b_c_d_[31m_"},
		{"back\\slash*", "acme/back_slash_"},
		{"Zo\xc3\xab", "acme/Zo\xc3\xab"},
		{"\xe5\xb1\xb1\xe7\x94\xb0", "acme/\xe5\xb1\xb1\xe7\x94\xb0"},
		{"\xf0\x9f\x90\x98", "acme/\xf0\x9f\x90\x98"},
		{"c1\xc2\x9b!", "acme/c1_!"},	  /* a control of eight bits */
		{"x\xe2\x80\xaeyz", "acme/x_yz"}, /* writes from right to left */
		{"x\xe2\x80\x8by", "acme/x_y"},	  /* no width */
		{"bad\xff\xfe", "acme/bad__"},	  /* no UTF-8 at all */
		{"over\xc0\xaf", "acme/over__"},  /* overlong */
		{"half\xe5\xb1", "acme/half__"},  /* cut off */
		{"surrogate\xed\xa0\x80", "acme/surrogate___"},
	};
	char comment[ALLOW_COMMENT_MAX + 1];
	struct world w;

	(void)state;
	world_init(&w);
	grant(&w, 0, 1, LEVEL_FULL, NOW + 100);
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		assert_string_equal(
			comment_of(&w, examples[i].login, comment), examples[i].comment);
}

static void test_cut(void **state)
{
	char login[400], comment[ALLOW_COMMENT_MAX + 1];
	struct world w;

	(void)state;
	world_init(&w);
	grant(&w, 0, 1, LEVEL_FULL, NOW + 100);
	/* Exactly as long as may be: not cut. */
	memset(login, 'x', sizeof(login));
	login[ALLOW_COMMENT_MAX - 5] = '\0';
	comment_of(&w, login, comment);
	assert_int_equal(strlen(comment), ALLOW_COMMENT_MAX);
	assert_null(strstr(comment, "..."));
	/* Cut between characters, at every offset of them. */
	for (size_t pad = 0; pad < 4; pad++) {
		memset(login, 'x', pad);
		for (size_t i = pad; i + 4 < sizeof(login) - 1; i += 3)
			memcpy(login + i, "\xe5\xb1\xb1", 4);
		comment_of(&w, login, comment);
		assert_true(strlen(comment) <= ALLOW_COMMENT_MAX);
		assert_true(strlen(comment) > ALLOW_COMMENT_MAX - 6);
		assert_string_equal(comment + strlen(comment) - 6, "\xe5\xb1\xb1...");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_guards_and_trusted),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_until_the_narrowing),
		cmocka_unit_test(test_who_is_left_out),
		cmocka_unit_test(test_who_holds_too_much),
		cmocka_unit_test(test_proved_in_part),
		cmocka_unit_test(test_sorted_and_unique),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
