/* The schedule's table row by row, at each instant and a second before it. */
#include "curfew/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* Instants of the one client of the tables. */
#define S   (100 * DAY)
#define G   (200 * DAY)
#define T   (280 * DAY)
#define E14 (214 * DAY)
#define E30 (230 * DAY)

struct world {
	struct program program;
	struct server server;
	struct client client;
	struct user user;
	struct database database;
};

/* One user on one database of one client; nothing is owned. */
static void world_make(struct world *w, enum database_role role, enum level before, bool go_live)
{
	*w = (struct world){0};
	w->server.name = (char *)"sql01";
	w->database =
		(struct database){.role = role, .name = (char *)"Acme", .before_go_live = before};
	w->user.login = (char *)"acme.jane.doe";
	w->client = (struct client){.name = (char *)"acme",
		.approved = S - DAY,
		.starts = S,
		.has_go_live = go_live,
		.go_live = go_live ? G : 0,
		.testing_end = T,
		.staging_end = go_live ? E14 : 0,
		.end = go_live ? E30 : T,
		.users = &w->user,
		.n_users = 1,
		.databases = &w->database,
		.n_databases = 1};
	w->program = (struct program){
		.servers = &w->server, .n_servers = 1, .clients = &w->client, .n_clients = 1};
}

static struct grant world_grant(const struct world *w, const struct overrides *o, instant_t now)
{
	struct grants g;
	struct grant grant;

	assert_int_equal(schedule_at(&g, &w->program, o, now), 0);
	assert_int_equal(g.n, 1);
	grant = g.items[0];
	grants_free(&g);
	return grant;
}

struct row {
	instant_t now;
	enum phase phase;
	enum level level, next;
	instant_t from, until;
};

static void rows_check(
	const struct world *w, const struct overrides *o, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct grant g = world_grant(w, o, rows[i].now);

		if (g.phase != rows[i].phase || g.level != rows[i].level ||
			g.next_level != rows[i].next || g.from != rows[i].from ||
			g.until != rows[i].until)
			fail_msg("row %zu: %s %s -> %s from %lld until %lld", i,
				phase_name(g.phase), level_name(g.level), level_name(g.next_level),
				(long long)g.from, (long long)g.until);
	}
}

static void test_staging_row(void **state)
{
	static const struct row rows[] = {
		{0, PHASE_PENDING, LEVEL_NONE, LEVEL_FULL, 0, S},
		{S - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_FULL, 0, S},
		{S, PHASE_TESTING, LEVEL_FULL, LEVEL_READ_ONLY, S, G},
		{G - 1, PHASE_TESTING, LEVEL_FULL, LEVEL_READ_ONLY, S, G},
		{G, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E14},
		{E14 - 1, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E14},
		{E14, PHASE_LIVE, LEVEL_NONE, LEVEL_NONE, E14, E14},
		{E30 - 1, PHASE_LIVE, LEVEL_NONE, LEVEL_NONE, E14, E14},
		{E30, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E14, E14},
		{E30 + 1000 * DAY, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E14, E14},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	rows_check(&w, NULL, rows, ARRAY_SIZE(rows));
}

/* Staging and production alike: the level that the file names, until go-live. */
static void test_write_until_go_live(void **state)
{
	static const struct row staging[] = {
		{S - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_WRITE, 0, S},
		{S, PHASE_TESTING, LEVEL_WRITE, LEVEL_READ_ONLY, S, G},
		{G, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E14},
	};
	static const struct row production[] = {
		{S, PHASE_TESTING, LEVEL_WRITE, LEVEL_READ_ONLY, S, G},
		{G - 1, PHASE_TESTING, LEVEL_WRITE, LEVEL_READ_ONLY, S, G},
		{G, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E30},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_WRITE, true);
	rows_check(&w, NULL, staging, ARRAY_SIZE(staging));
	world_make(&w, ROLE_PRODUCTION, LEVEL_WRITE, true);
	rows_check(&w, NULL, production, ARRAY_SIZE(production));
}

static void test_staging_end_is_bounded(void **state)
{
	static const struct row rows[] = {
		{E30 - 1, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E30},
		{E30, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E30, E30},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	w.client.staging_end = E30 + 50 * DAY;
	rows_check(&w, NULL, rows, ARRAY_SIZE(rows));
}

static void test_staging_ends_at_go_live(void **state)
{
	static const struct row rows[] = {
		{G - 1, PHASE_TESTING, LEVEL_FULL, LEVEL_NONE, S, G},
		{G, PHASE_LIVE, LEVEL_NONE, LEVEL_NONE, G, G},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	w.client.staging_end = G;
	rows_check(&w, NULL, rows, ARRAY_SIZE(rows));
}

static void test_production_row(void **state)
{
	static const struct row closed[] = {
		{S - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_READ_ONLY, 0, G},
		{S, PHASE_TESTING, LEVEL_NONE, LEVEL_READ_ONLY, 0, G},
		{G - 1, PHASE_TESTING, LEVEL_NONE, LEVEL_READ_ONLY, 0, G},
		{G, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E30},
		{E14, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E30},
		{E30 - 1, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E30},
		{E30, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E30, E30},
	};
	/* Nothing changes for the person at go-live: one period. */
	static const struct row reading[] = {
		{S - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_READ_ONLY, 0, S},
		{S, PHASE_TESTING, LEVEL_READ_ONLY, LEVEL_NONE, S, E30},
		{G, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, S, E30},
		{E30, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E30, E30},
	};
	static const struct row full[] = {
		{S - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_FULL, 0, S},
		{S, PHASE_TESTING, LEVEL_FULL, LEVEL_READ_ONLY, S, G},
		{G - 1, PHASE_TESTING, LEVEL_FULL, LEVEL_READ_ONLY, S, G},
		{G, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G, E30},
		{E30, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E30, E30},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_PRODUCTION, LEVEL_NONE, true);
	rows_check(&w, NULL, closed, ARRAY_SIZE(closed));
	world_make(&w, ROLE_PRODUCTION, LEVEL_READ_ONLY, true);
	rows_check(&w, NULL, reading, ARRAY_SIZE(reading));
	world_make(&w, ROLE_PRODUCTION, LEVEL_FULL, true);
	rows_check(&w, NULL, full, ARRAY_SIZE(full));
}

static void test_no_go_live_row(void **state)
{
	static const struct row staging[] = {
		{S - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_FULL, 0, S},
		{S, PHASE_TESTING, LEVEL_FULL, LEVEL_NONE, S, T},
		{T - 1, PHASE_TESTING, LEVEL_FULL, LEVEL_NONE, S, T},
		{T, PHASE_LAPSED, LEVEL_NONE, LEVEL_NONE, T, T},
	};
	static const struct row reading[] = {
		{S, PHASE_TESTING, LEVEL_READ_ONLY, LEVEL_NONE, S, T},
		{T, PHASE_LAPSED, LEVEL_NONE, LEVEL_NONE, T, T},
	};
	/* Never any access; the end is told all the same. */
	static const struct row closed[] = {
		{S, PHASE_TESTING, LEVEL_NONE, LEVEL_NONE, 0, T},
		{T, PHASE_LAPSED, LEVEL_NONE, LEVEL_NONE, 0, T},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, false);
	rows_check(&w, NULL, staging, ARRAY_SIZE(staging));
	world_make(&w, ROLE_PRODUCTION, LEVEL_READ_ONLY, false);
	rows_check(&w, NULL, reading, ARRAY_SIZE(reading));
	world_make(&w, ROLE_PRODUCTION, LEVEL_NONE, false);
	rows_check(&w, NULL, closed, ARRAY_SIZE(closed));
}

static void test_approval_holds_back(void **state)
{
	static const struct row late[] = {
		{S + 10 * DAY - 1, PHASE_PENDING, LEVEL_NONE, LEVEL_FULL, 0, S + 10 * DAY},
		{S + 10 * DAY, PHASE_TESTING, LEVEL_FULL, LEVEL_READ_ONLY, S + 10 * DAY, G},
	};
	static const struct row after_go_live[] = {
		{G, PHASE_PENDING, LEVEL_NONE, LEVEL_READ_ONLY, 0, G + DAY},
		{G + DAY, PHASE_LIVE, LEVEL_READ_ONLY, LEVEL_NONE, G + DAY, E14},
		{E14, PHASE_LIVE, LEVEL_NONE, LEVEL_NONE, E14, E14},
	};
	static const struct row too_late[] = {
		{G, PHASE_PENDING, LEVEL_NONE, LEVEL_NONE, 0, E14},
		{E30 + DAY, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, 0, E14},
	};
	struct world w;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	w.client.approved = S + 10 * DAY;
	rows_check(&w, NULL, late, ARRAY_SIZE(late));
	w.client.approved = G + DAY;
	rows_check(&w, NULL, after_go_live, ARRAY_SIZE(after_go_live));
	w.client.approved = E30 + DAY;
	rows_check(&w, NULL, too_late, ARRAY_SIZE(too_late));
}

static void test_revoked(void **state)
{
	const instant_t at = S + 5 * DAY;
	const struct row rows[] = {
		/* Recorded while the system clock was ahead: in force at once, not when that time comes. */
		{at - 1, PHASE_REVOKED, LEVEL_NONE, LEVEL_NONE, at - 1, E14},
		{at, PHASE_REVOKED, LEVEL_NONE, LEVEL_NONE, at, E14},
		{G, PHASE_REVOKED, LEVEL_NONE, LEVEL_NONE, at, E14},
		{E14, PHASE_REVOKED, LEVEL_NONE, LEVEL_NONE, E14, E14},
		{E30, PHASE_ENDED, LEVEL_NONE, LEVEL_NONE, E14, E14},
	};
	struct override items[] = {
		{.client = (char *)"ACME", .login = NULL, .at = at + DAY},
		/* The login's, whatever name the client had then. */
		{.client = (char *)"former", .login = (char *)"ACME.Jane.Doe", .at = at},
		{.client = (char *)"beta", .login = NULL, .at = 0},
		{.client = (char *)"acme", .login = (char *)"acme.john.roe", .at = 0},
	};
	struct overrides o = {items, ARRAY_SIZE(items)};
	struct world w;
	struct grants g;
	instant_t next;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	rows_check(&w, &o, rows, ARRAY_SIZE(rows));
	assert_int_equal(schedule_at(&g, &w.program, &o, at), 0);
	assert_false(schedule_next(&next, &g, at));
	grants_free(&g);
}

static void test_next_change(void **state)
{
	static const instant_t changes[] = {S, G, E14};
	struct world w;
	struct grants g;
	instant_t now = 0, next;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++, now = next) {
		assert_int_equal(schedule_at(&g, &w.program, NULL, now), 0);
		assert_true(schedule_next(&next, &g, now));
		assert_int_equal(next, changes[i]);
		grants_free(&g);
	}
	assert_int_equal(schedule_at(&g, &w.program, NULL, now), 0);
	assert_false(schedule_next(&next, &g, now));
	grants_free(&g);
}

/* The end of a temporary source is a change while there is access. */
static void test_next_source_end(void **state)
{
	instant_t ends[] = {S - 5, G + 7, E14 + 9, SOURCE_NO_END}, now = S, next;
	static const instant_t changes[] = {G, G + 7, E14};
	struct source sources[4] = {{0}};
	struct world w;
	struct grants g;

	(void)state;
	world_make(&w, ROLE_STAGING, LEVEL_FULL, true);
	w.user.sources = sources;
	w.user.source_ends = ends;
	w.user.n_sources = 4;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++, now = next) {
		assert_int_equal(schedule_at(&g, &w.program, NULL, now), 0);
		assert_true(schedule_next(&next, &g, now));
		assert_int_equal(next, changes[i]);
		grants_free(&g);
	}
	assert_int_equal(schedule_at(&g, &w.program, NULL, now), 0);
	assert_false(schedule_next(&next, &g, now));
	grants_free(&g);
}

static void test_nobody(void **state)
{
	struct program empty = {0};
	struct grants g;
	instant_t next;

	(void)state;
	assert_int_equal(schedule_at(&g, &empty, NULL, S), 0);
	assert_int_equal(g.n, 0);
	assert_false(schedule_next(&next, &g, S));
	grants_free(&g);
	grants_free(NULL);
	overrides_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_staging_row),
		cmocka_unit_test(test_next_source_end),
		cmocka_unit_test(test_write_until_go_live),
		cmocka_unit_test(test_staging_end_is_bounded),
		cmocka_unit_test(test_staging_ends_at_go_live),
		cmocka_unit_test(test_production_row),
		cmocka_unit_test(test_no_go_live_row),
		cmocka_unit_test(test_approval_holds_back),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_next_change),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
