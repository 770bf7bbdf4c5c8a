/* What must hold of the schedule for any client: random programs against the table said in another way. */
#include "curfew/schedule.h"

#include "../program/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define MAX_CLIENTS	8
#define USERS		3
#define DATABASES	4
#define HORIZON		(1000 * DAY)
#define CLIENT_NAME_MAX 16

struct crowd {
	struct program program;
	struct server servers[2];
	struct client clients[MAX_CLIENTS];
	struct user users[MAX_CLIENTS][USERS];
	struct database databases[MAX_CLIENTS][DATABASES];
	char names[MAX_CLIENTS][CLIENT_NAME_MAX];
	char logins[MAX_CLIENTS][USERS][CLIENT_NAME_MAX];
};

static void client_random(struct crowd *c, struct prng *p, size_t i)
{
	static const char *const names[DATABASES] = {"D", "c", "B", "a"};
	instant_t starts = prng_between(p, 1, 300 * DAY), go_live;
	struct client *client = &c->clients[i];

	snprintf(c->names[i], sizeof(c->names[i]), "client%zu", i);
	go_live = prng_between(p, starts, starts + 200 * DAY);
	*client = (struct client){.name = c->names[i],
		.approved = prng_between(p, 1, 400 * DAY),
		.starts = starts,
		.testing_end = prng_between(p, starts + 1, starts + 200 * DAY),
		.has_go_live = prng_below(p, 4) != 0,
		.users = c->users[i],
		.n_users = 1 + prng_below(p, USERS),
		.databases = c->databases[i],
		.n_databases = 1 + prng_below(p, DATABASES)};
	client->end = client->testing_end;
	if (client->has_go_live) {
		client->go_live = go_live;
		client->end = go_live + prng_between(p, 1, 40 * DAY);
		client->staging_end = prng_between(p, go_live, client->end);
	}
	for (size_t u = 0; u < USERS; u++) {
		snprintf(c->logins[i][u], sizeof(c->logins[i][u]), "c%zu.%zu", i, USERS - u);
		c->users[i][u].login = c->logins[i][u];
	}
	for (size_t d = 0; d < DATABASES; d++)
		c->databases[i][d] =
			(struct database){.role = prng_below(p, 2) ? ROLE_STAGING : ROLE_PRODUCTION,
				.server = prng_below(p, 2),
				.name = (char *)(uintptr_t)names[d],
				.before_go_live = (enum level)prng_below(p, LEVELS)};
}

static void crowd_random(struct crowd *c, struct prng *p)
{
	memset(c, 0, sizeof(*c));
	c->servers[0].name = (char *)"sql1";
	c->servers[1].name = (char *)"sql2";
	c->program = (struct program){.servers = c->servers,
		.n_servers = 2,
		.clients = c->clients,
		.n_clients = MAX_CLIENTS};
	for (size_t i = 0; i < MAX_CLIENTS; i++)
		client_random(c, p, i);
}

static void grants_in_order(const struct grants *g)
{
	for (size_t i = 1; i < g->n; i++) {
		const struct grant *a = &g->items[i - 1], *b = &g->items[i];
		int order = strcmp(a->client->name, b->client->name);

		if (!order)
			order = strcmp(a->user->login, b->user->login);
		if (!order)
			order = strcmp(a->server->name, b->server->name);
		if (!order)
			order = strcmp(a->database->name, b->database->name);
		assert_true(order < 0);
	}
}

/* What the table says, said a second time and in another way: minute by minute instead of by periods. */
static enum level table_level(const struct grant *g, instant_t now)
{
	const struct client *c = g->client;
	bool is_staging = g->database->role == ROLE_STAGING;
	enum level before = g->database->before_go_live;

	if (now < c->starts || now < c->approved)
		return LEVEL_NONE;
	if (!c->has_go_live)
		return now < c->testing_end ? before : LEVEL_NONE;
	if (is_staging && now >= c->staging_end)
		return LEVEL_NONE;
	if (now >= c->end)
		return LEVEL_NONE;
	return now < c->go_live ? before : LEVEL_READ_ONLY;
}

static void grant_check(const struct grant *g, instant_t now)
{
	assert_int_equal(g->level, table_level(g, now));
	/* No grant without an end, and none beyond its client's. */
	assert_true(g->until > 0 && g->end > 0);
	assert_true(g->end <= g->client->end);
	assert_true(g->from <= now || g->level == LEVEL_NONE);
	if (g->level != LEVEL_NONE) {
		assert_true(g->from <= now && now < g->until && g->until <= g->end);
		assert_int_equal(table_level(g, g->end), LEVEL_NONE);
	}
	/* Half open on both sides: the level begins at `from` and another one at `until`. */
	if (g->from > 0) {
		assert_int_equal(table_level(g, g->from), g->level);
		assert_int_not_equal(table_level(g, g->from - 1), g->level);
	}
	if (g->next_level != g->level) {
		assert_true(now < g->until);
		assert_int_equal(table_level(g, g->until - 1), g->level);
		assert_int_equal(table_level(g, g->until), g->next_level);
	}
}

static void test_any_client(void **state)
{
	static struct crowd c;
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 500; i++) {
		crowd_random(&c, &p);
		for (int j = 0; j < 20; j++) {
			instant_t now = prng_between(&p, 1, HORIZON), next;
			struct grants g;

			/* Half of them at an instant at which something changes. */
			if (j % 2) {
				assert_int_equal(schedule_at(&g, &c.program, NULL, now), 0);
				if (schedule_next(&next, &g, now)) {
					assert_true(next > now);
					now = next - (j % 4 == 1);
				}
				grants_free(&g);
			}
			assert_int_equal(schedule_at(&g, &c.program, NULL, now), 0);
			grants_in_order(&g);
			for (size_t k = 0; k < g.n; k++)
				grant_check(&g.items[k], now);
			grants_free(&g);
		}
	}
}

/* Walks through every change that schedule_next() names: between two of them nothing differs, after go-live
 * nothing widens, and the walk ends. */
static void test_whole_lives(void **state)
{
	static struct crowd c;
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct grants now_grants, later;
		instant_t now = 0, next;
		int steps = 0;

		crowd_random(&c, &p);
		assert_int_equal(schedule_at(&now_grants, &c.program, NULL, now), 0);
		while (schedule_next(&next, &now_grants, now)) {
			bool changed = false;
			instant_t between = prng_between(&p, now, next - 1);

			assert_int_equal(schedule_at(&later, &c.program, NULL, between), 0);
			for (size_t k = 0; k < later.n; k++)
				assert_int_equal(later.items[k].level, now_grants.items[k].level);
			grants_free(&later);
			assert_int_equal(schedule_at(&later, &c.program, NULL, next), 0);
			for (size_t k = 0; k < later.n; k++) {
				const struct client *client = later.items[k].client;
				enum level before = now_grants.items[k].level;

				changed |= later.items[k].level != before;
				/* A late approval or a closed production database opens to
				 * read-only at most. */
				if (client->has_go_live && next > client->go_live &&
					client->approved <= client->go_live)
					assert_true(later.items[k].level <= before);
				if (client->has_go_live && next >= client->go_live)
					assert_true(later.items[k].level <= LEVEL_READ_ONLY);
			}
			assert_true(changed);
			grants_free(&now_grants);
			now_grants = later;
			now = next;
			assert_true(++steps < 1000);
		}
		for (size_t k = 0; k < now_grants.n; k++)
			assert_int_equal(now_grants.items[k].level, LEVEL_NONE);
		grants_free(&now_grants);
	}
}

static bool grants_equal(const struct grant *a, const struct grant *b)
{
	return a->client == b->client && a->user == b->user && a->server == b->server &&
	       a->database == b->database && a->phase == b->phase && a->level == b->level &&
	       a->next_level == b->next_level && a->from == b->from && a->until == b->until &&
	       a->end == b->end;
}

static void test_clients_are_independent(void **state)
{
	static struct crowd c;
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 500; i++) {
		instant_t now = prng_between(&p, 1, HORIZON);
		struct grants few, all;
		size_t k = 0;

		crowd_random(&c, &p);
		assert_int_equal(schedule_at(&all, &c.program, NULL, now), 0);
		c.program.n_clients = MAX_CLIENTS - 1;
		assert_int_equal(schedule_at(&few, &c.program, NULL, now), 0);
		for (size_t j = 0; j < all.n; j++) {
			if (all.items[j].client == &c.clients[MAX_CLIENTS - 1])
				continue;
			assert_true(k < few.n);
			assert_true(grants_equal(&all.items[j], &few.items[k]));
			k++;
		}
		assert_int_equal(k, few.n);
		grants_free(&few);
		grants_free(&all);
	}
}

/* Whatever is revoked, nobody gets more, and only those who are named get less. */
static void test_overrides_only_narrow(void **state)
{
	static struct crowd c;
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 500; i++) {
		instant_t now = prng_between(&p, 1, HORIZON), at = prng_between(&p, 1, HORIZON);
		struct override item = {.at = at};
		struct overrides o = {&item, 1};
		struct grants before, after;
		size_t who = prng_below(&p, MAX_CLIENTS);

		crowd_random(&c, &p);
		item.client = c.names[who];
		item.login = prng_below(&p, 2) ? c.logins[who][0] : NULL;
		assert_int_equal(schedule_at(&before, &c.program, NULL, now), 0);
		assert_int_equal(schedule_at(&after, &c.program, &o, now), 0);
		for (size_t k = 0; k < before.n; k++) {
			const struct grant *g = &after.items[k];
			bool named = g->client == &c.clients[who] &&
				     (!item.login || g->user == &c.users[who][0]);

			assert_true(g->until > 0);
			if (named)
				assert_int_equal(g->level, LEVEL_NONE);
			else
				assert_true(grants_equal(g, &before.items[k]));
		}
		grants_free(&before);
		grants_free(&after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_client),
		cmocka_unit_test(test_whole_lives),
		cmocka_unit_test(test_clients_are_independent),
		cmocka_unit_test(test_overrides_only_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
