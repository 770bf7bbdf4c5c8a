/* A date moved ahead after it has passed: what it would give again, and on whose word. */
#include "curfew/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define S   (100 * DAY)
#define G   (200 * DAY + 50)
#define E14 (214 * DAY + 50)
#define E30 (230 * DAY + 50)

struct world {
	struct program program;
	struct server server;
	struct client client;
	struct user user;
	struct database databases[2];
	struct passed passed[PASSED_WHATS + 2]; /* and of both databases */
	struct overrides overrides;
};

static struct world *world_make(void)
{
	static struct world w;

	w = (struct world){0};
	w.server.name = (char *)"sql01";
	w.databases[0] = (struct database){
		.role = ROLE_STAGING, .name = (char *)"Test", .before_go_live = LEVEL_FULL};
	w.databases[1] = (struct database){.role = ROLE_PRODUCTION, .name = (char *)"Prod"};
	w.user.login = (char *)"acme.jane.doe";
	w.client = (struct client){.name = (char *)"acme",
		.ticket = (char *)"CS-1",
		.approved = S - DAY,
		.starts = S,
		.has_go_live = true,
		.go_live = G,
		.testing_end = 280 * DAY,
		.staging_end = E14,
		.end = E30,
		.users = &w.user,
		.n_users = 1,
		.databases = w.databases,
		.n_databases = 2};
	w.program = (struct program){
		.servers = &w.server, .n_servers = 1, .clients = &w.client, .n_clients = 1};
	w.overrides.passed = w.passed;
	return &w;
}

/* As a pass at `now` leaves it. */
static void remember(struct world *w, instant_t now)
{
	struct passed now_passed[PASSED_WHATS + 2];
	size_t n = client_passed(now_passed, &w->client, &w->overrides, now);

	for (size_t i = 0; i < 2; i++)
		n += database_passed(&now_passed[n], &w->program, &w->client, &w->databases[i],
			&w->overrides, now);
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < w->overrides.n_passed && !passed_is_same(&w->passed[k], &now_passed[i]))
			k++;
		w->passed[k] = now_passed[i];
		w->overrides.n_passed += k == w->overrides.n_passed;
	}
}

static void move(struct world *w, instant_t go_live, const char *ticket, instant_t approved)
{
	w->client.go_live = go_live;
	w->client.staging_end = go_live + 14 * DAY;
	w->client.end = go_live + 30 * DAY;
	w->client.ticket = (char *)ticket;
	w->client.approved = approved;
}

/* "Prod" sorts before "Test". */
static void assert_levels(const struct world *w, instant_t now, enum level test, enum level prod)
{
	struct grants g;

	assert_int_equal(schedule_at(&g, &w->program, &w->overrides, now), 0);
	assert_int_equal(g.items[0].level, prod);
	assert_int_equal(g.items[1].level, test);
	grants_free(&g);
}

static void test_moved_before_it_passed(void **state)
{
	struct world *w = world_make();

	(void)state;
	remember(w, G - 1);
	assert_int_equal(w->overrides.n_passed, 0);
	move(w, G + 50 * DAY, "CS-1", S - DAY);
	assert_levels(w, G + DAY, LEVEL_FULL, LEVEL_NONE);
}

/* Beyond the end that the old go-live had: that end is not one of the new go-live. */
static void test_go_live_moved_beyond_the_old_end(void **state)
{
	struct world *w = world_make();
	static const instant_t days[] = {205, 213, 215, 229, 231, 239, 240, 241, 253};

	(void)state;
	remember(w, G + DAY);
	move(w, G + 40 * DAY, "CS-2", 202 * DAY);
	for (size_t i = 0; i < ARRAY_SIZE(days); i++) {
		instant_t now = days[i] * DAY + 51;
		bool live = now >= G + 40 * DAY;

		remember(w, now);
		assert_levels(w, now, live ? LEVEL_READ_ONLY : LEVEL_FULL,
			live ? LEVEL_READ_ONLY : LEVEL_NONE);
	}
	remember(w, G + 71 * DAY);
	assert_levels(w, G + 71 * DAY, LEVEL_NONE, LEVEL_NONE);
	/* Once the end itself has come, an approval from before it moves nothing. */
	w = world_make();
	remember(w, G + DAY);
	remember(w, E30);
	move(w, E30 + 40 * DAY, "CS-2", 202 * DAY);
	remember(w, E30 + DAY);
	assert_levels(w, E30 + DAY, LEVEL_NONE, LEVEL_NONE);
}

static void test_go_live_moved_after_it_passed(void **state)
{
	static const struct {
		const char *ticket;
		instant_t approved;
		bool opens;
	} cases[] = {
		{"CS-1", S - DAY, false},
		{"CS-1", 200 * DAY, false}, /* the old ticket */
		{"CS-2", S - DAY, false},   /* an old approval */
		{"CS-2", 199 * DAY, false}, /* of the day before */
		{"CS-2", 200 * DAY, true},  /* of that very day */
		{"CS-2", 203 * DAY, true},
	};
	struct reopening r[REOPENINGS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world *w = world_make();

		remember(w, G + 2 * DAY);
		assert_int_equal(w->overrides.n_passed, 4);
		assert_int_equal(
			client_reopenings(r, &w->program, &w->client, &w->overrides, G + 3 * DAY),
			0);
		move(w, G + 300 * DAY, cases[i].ticket, cases[i].approved);
		assert_int_equal(
			client_reopenings(r, &w->program, &w->client, &w->overrides, G + 5 * DAY),
			1);
		assert_int_equal(r[0].what, PASSED_GO_LIVE);
		assert_int_equal(r[0].passed, G);
		assert_int_equal(r[0].approved, cases[i].opens);
		if (cases[i].opens) {
			assert_levels(w, G + 5 * DAY, LEVEL_FULL, LEVEL_NONE);
			continue;
		}
		/* As it was, with the ends that it had, whatever passes see meanwhile. */
		for (int day = 5; day < 60; day++) {
			remember(w, G + day * DAY);
			assert_levels(w, G + day * DAY, day < 14 ? LEVEL_READ_ONLY : LEVEL_NONE,
				day < 30 ? LEVEL_READ_ONLY : LEVEL_NONE);
		}
	}
}

static void test_go_live_taken_out_after_it_passed(void **state)
{
	struct world *w = world_make();

	(void)state;
	remember(w, G + DAY);
	w->client.has_go_live = false;
	w->client.end = w->client.testing_end;
	assert_levels(w, G + 2 * DAY, LEVEL_READ_ONLY, LEVEL_READ_ONLY);
	assert_levels(w, E14, LEVEL_NONE, LEVEL_READ_ONLY);
	assert_levels(w, E30, LEVEL_NONE, LEVEL_NONE);
}

static void test_end_moved_after_it_passed(void **state)
{
	struct world *w = world_make();

	(void)state;
	remember(w, E30 + DAY);
	w->client.end = E30 + 60 * DAY;
	assert_levels(w, E30 + 2 * DAY, LEVEL_NONE, LEVEL_NONE);
	w->client.ticket = (char *)"CS-2";
	assert_levels(w, E30 + 2 * DAY, LEVEL_NONE, LEVEL_NONE);
	w->client.approved = E30 + DAY;
	assert_levels(w, E30 + 2 * DAY, LEVEL_NONE, LEVEL_READ_ONLY);
}

/* Within the 30 days a new ticket is enough for staging. */
static void test_staging_extended(void **state)
{
	struct world *w = world_make();

	(void)state;
	remember(w, E14 + DAY);
	w->client.staging_end = E30;
	assert_levels(w, E14 + DAY, LEVEL_NONE, LEVEL_READ_ONLY);
	w->client.ticket = (char *)"CS-2";
	assert_levels(w, E14 + DAY, LEVEL_READ_ONLY, LEVEL_READ_ONLY);
	/* Before it has come it needs none. */
	w = world_make();
	remember(w, E14 - DAY);
	w->client.staging_end = E30;
	remember(w, E14 - 1);
	assert_levels(w, E14 + DAY, LEVEL_READ_ONLY, LEVEL_READ_ONLY);
}

/* Written as production after its end as staging: access comes back as by a later date, with a new ticket alone. */
static void test_staging_called_production(void **state)
{
	struct reopening r[REOPENINGS_MAX];
	struct world *w = world_make();

	(void)state;
	remember(w, E14 + DAY);
	w->databases[0].role = ROLE_PRODUCTION;
	remember(w, E14 + 2 * DAY);
	assert_levels(w, E14 + 2 * DAY, LEVEL_NONE, LEVEL_READ_ONLY);
	assert_int_equal(
		client_reopenings(r, &w->program, &w->client, &w->overrides, E14 + 2 * DAY), 1);
	assert_int_equal(r[0].what, PASSED_STAGING_END);
	assert_int_equal(r[0].passed, E14);
	assert_int_equal(r[0].wanted, E30);
	assert_false(r[0].approved);
	w->client.ticket = (char *)"CS-2";
	remember(w, E14 + 3 * DAY);
	assert_levels(w, E14 + 3 * DAY, LEVEL_READ_ONLY, LEVEL_READ_ONLY);
	assert_int_equal(client_reopenings(r, &w->program, &w->client, &w->overrides, E30), 0);
	/* Before that end has come, it takes no ticket, and ends with production. */
	w = world_make();
	remember(w, G + DAY);
	w->databases[0].role = ROLE_PRODUCTION;
	remember(w, G + 2 * DAY);
	assert_levels(w, E14 + DAY, LEVEL_READ_ONLY, LEVEL_READ_ONLY);
	assert_levels(w, E30, LEVEL_NONE, LEVEL_NONE);
	/* One of the same name on another server is another database. */
	w = world_make();
	remember(w, E14 + DAY);
	w->databases[0].role = ROLE_PRODUCTION;
	w->server.name = (char *)"sql02";
	assert_levels(w, E14 + 2 * DAY, LEVEL_READ_ONLY, LEVEL_READ_ONLY);
}

/* Whatever moves where, without a new ticket nothing is wider than what had passed. */
static void test_never_wider(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct world *w = world_make();
		enum level widest[2] = {LEVEL_FULL, LEVEL_FULL};

		for (instant_t now = S; now < G + 100 * DAY;
			now += (instant_t)(seed >> 16) % (9 * DAY)) {
			struct grants g;

			seed = seed * 1664525u + 1013904223u;
			if (seed % 5 == 0)
				move(w, S + (instant_t)(seed >> 8) % (200 * DAY), "CS-1", S - DAY);
			bool live = w->overrides.n_passed > 0;
			assert_int_equal(schedule_at(&g, &w->program, &w->overrides, now), 0);
			for (size_t i = 0; i < g.n; i++) {
				if (live)
					assert_true(g.items[i].level <= widest[i] ||
						    widest[i] == LEVEL_FULL);
				if (live && g.items[i].level < widest[i])
					widest[i] = g.items[i].level;
			}
			grants_free(&g);
			remember(w, now);
		}
	}
}

/* Sorted or added later, in whatever letter case: each is found, and none of another client. */
static void test_each_is_found(void **state)
{
	static char names[40][16];
	struct passed passed[ARRAY_SIZE(names)];
	struct overrides o = {.passed = passed};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(names[i], sizeof(names[i]), i % 3 ? "client%zu" : "Client%zu",
			i * 7 % (ARRAY_SIZE(names) / 2));
		passed[i] = (struct passed){.client = names[i],
			.what = i < ARRAY_SIZE(names) / 2 ? PASSED_GO_LIVE : PASSED_END};
	}
	for (o.n_passed = 0; o.n_passed <= ARRAY_SIZE(passed); o.n_passed++) {
		if (o.n_passed % 8 == 0)
			passed_sort(&o);
		for (size_t k = 0; k < ARRAY_SIZE(passed); k++) {
			size_t n = 0, found = 0;

			for (size_t i = 0; i < o.n_passed; i++)
				n += names_equal(passed[i].client, passed[k].client);
			for (size_t i = passed_first(&o, passed[k].client); i < o.n_passed;
				i = passed_next(&o, passed[k].client, i)) {
				assert_true(names_equal(passed[i].client, passed[k].client));
				found++;
			}
			assert_int_equal(found, n);
			assert_true(k >= o.n_passed || passed_find(&o, &passed[k]));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved_before_it_passed),
		cmocka_unit_test(test_each_is_found),
		cmocka_unit_test(test_go_live_moved_after_it_passed),
		cmocka_unit_test(test_go_live_moved_beyond_the_old_end),
		cmocka_unit_test(test_go_live_taken_out_after_it_passed),
		cmocka_unit_test(test_end_moved_after_it_passed),
		cmocka_unit_test(test_staging_extended),
		cmocka_unit_test(test_staging_called_production),
		cmocka_unit_test(test_never_wider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
