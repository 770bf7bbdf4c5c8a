/* What earlier readings saw counts, as far as it goes: a restart does not erase it, and nothing is surer than it was watched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inventory_scene.h"

#define DAYS_AGO(n) (SCENE_NOW - (n) * (instant_t)SCENE_DAY)

/* The server restarted, and Query Store was cleared, two days ago. */
static void restarted(struct inventory *v, const struct samples *samples)
{
	scene_begin(v);
	v->samples = samples;
	for (size_t i = 0; i < v->n_coverage; i++)
		if (v->coverage[i].since)
			v->coverage[i].since = DAYS_AGO(2);
	scene_item(v, "table", 1, "Quiet", "");
	scene_item(v, "table", 2, "Used", "");
	scene_item(v, "procedure", 3, "Idle", "A1");
	scene_item(v, "procedure", 4, "Ran", "A1");
}

static void colors_are(
	const struct samples *samples, const char *quiet, const char *used, const char *words)
{
	struct inventory v;

	restarted(&v, samples);
	assert_int_equal(inventory_finish(&v, NULL), 0);
	assert_string_equal(inventory_color_name(scene_find(&v, "dbo.Quiet")->color), quiet);
	assert_string_equal(inventory_color_name(scene_find(&v, "dbo.Idle")->color), quiet);
	assert_string_equal(inventory_color_name(scene_find(&v, "dbo.Used")->color), used);
	assert_string_equal(inventory_color_name(scene_find(&v, "dbo.Ran")->color), used);
	if (!strstr(scene_find(&v, "dbo.Quiet")->reason, words))
		fail_msg("%s", scene_find(&v, "dbo.Quiet")->reason);
	inventory_free(&v);
}

static void test_a_restart_erases_nothing(void **state)
{
	struct sample_watch watches[] = {{"index-usage", DAYS_AGO(120), DAYS_AGO(3), 0},
		{"query-store", DAYS_AGO(120), DAYS_AGO(3), 0}};
	struct sample_use uses[] = {{"table", "dbo.Used", "index-usage", DAYS_AGO(10)},
		{"procedure", "dbo.Ran", "query-store-use", DAYS_AGO(10)}};
	struct sample s = {.server = "sql01",
		.database = "Acme",
		.watches = watches,
		.n_watches = 2,
		.uses = uses,
		.n_uses = 2};
	const struct samples samples = {&s, 1};

	(void)state;
	colors_are(NULL, "yellow", "yellow", "watched for 2 of 90 days only");
	colors_are(&samples, "red", "green",
		"not used for 119 days (watched since 1972-05-30 but for 24 h around restarts)");
	/* What lies between is no watch. */
	watches[0].until = watches[1].until = DAYS_AGO(60);
	colors_are(&samples, "yellow", "green", "watched for 62 of 90 days only");
	watches[0].gap = watches[1].gap = 61 * SCENE_DAY;
	colors_are(&samples, "yellow", "green", "watched for 2 of 90 days only");
	/* Another list of the product: other things were watched. */
	watches[0] = (struct sample_watch){"index-usage/00", DAYS_AGO(120), DAYS_AGO(3), 0};
	watches[1] = (struct sample_watch){"query-store/00", DAYS_AGO(120), DAYS_AGO(3), 0};
	colors_are(&samples, "yellow", "green", "watched for 2 of 90 days only");
	/* Of the future is nothing. */
	watches[0] = (struct sample_watch){"index-usage", DAYS_AGO(120), SCENE_NOW + 1, 0};
	watches[1] = (struct sample_watch){"query-store", DAYS_AGO(120), SCENE_NOW + 1, 0};
	uses[0].last = uses[1].last = SCENE_NOW + 1;
	colors_are(&samples, "yellow", "yellow", "watched for 2 of 90 days only");
}

/* Reading by reading: what one leaves, the next takes. */
static void test_readings_join(void **state)
{
	struct sample first, second;
	struct samples samples = {&first, 1};
	struct inventory v;

	(void)state;
	scene_begin(&v);
	scene_item(&v, "table", 1, "Quiet", "");
	scene_item(&v, "table", 2, "Used", "");
	scene_use(&v, "index-usage", 2, 0, DAYS_AGO(1), 0);
	assert_int_equal(inventory_finish(&v, NULL), 0);
	assert_int_equal(inventory_sample(&first, &v, "sql01", "Acme"), 0);
	assert_int_equal(first.n_uses, 1);
	assert_string_equal(first.uses[0].name, "dbo.Used");
	assert_int_equal(first.n_watches, 2);
	assert_int_equal(first.watches[0].since, DAYS_AGO(200));
	assert_int_equal(first.tallies[0].red, 1);
	assert_int_equal(first.tallies[0].green, 1);
	assert_int_equal(first.tallies[0].undecided, 2);
	assert_int_equal(first.tallies[0].left, 2);

	struct inventory later;
	scene_begin(&later);
	later.samples = &samples;
	later.at = SCENE_NOW + 10 * SCENE_DAY;
	for (size_t i = 0; i < later.n_coverage; i++)
		if (later.coverage[i].since)
			later.coverage[i].since = SCENE_NOW + 4 * SCENE_DAY;
	/* Query Store is off for now: its watch ends where it was, and is not lost. */
	scene_part(&later, "Acme", "nothing", ANSWER_NO, 0);
	for (size_t i = 0; i < later.n_coverage; i++)
		if (streq(later.coverage[i].part, "query-store"))
			later.coverage[i].seen = ANSWER_NO;
	scene_item(&later, "table", 1, "Quiet", "");
	scene_item(&later, "table", 2, "Used", "");
	assert_int_equal(inventory_finish(&later, NULL), 0);
	assert_int_equal(inventory_sample(&second, &later, "sql01", "Acme"), 0);
	assert_int_equal(second.uses[0].last, DAYS_AGO(1));
	assert_int_equal(second.watches[0].since, DAYS_AGO(200));
	assert_int_equal(second.watches[0].gap, 4 * SCENE_DAY);
	assert_int_equal(second.watches[0].until, later.at);
	assert_int_equal(second.watches[1].until, SCENE_NOW);
	inventory_sample_clear(&second);
	inventory_sample_clear(&first);
	inventory_free(&later);
	inventory_free(&v);
}

/* A job counts with the database in which its first step runs, and one of another client's is not listed at all; what
 * belongs to no database counts where there is no other client. */
static void test_jobs_count_where_they_work(void **state)
{
	static const struct {
		const char *name, *database, *command;
	} steps[] = {{"Nightly", "ACME", "SELECT 1"}, {"Named", "master", "EXEC Acme.dbo.Idle"},
		{"Strange", "Other", "SELECT 1"}, {"Backup", "master", "BACKUP"}};
	struct sample_tally t;
	struct inventory v;

	(void)state;
	for (int alone = 0; alone < 2; alone++) {
		scene_begin(&v);
		v.databases[0].alone = alone;
		scene_item(&v, "procedure", 3, "Idle", "A1");
		scene_item_of(&v, "linked-server", 1, 0, "Far", "", "", "");
		scene_item_of(&v, "linked-server", 2, 0, "Unused", "", "", "");
		scene_item_of(&v, "synonym", 4, 0, "syn", "", "", "[far].[db].[dbo].[x]");
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
			struct record r = {.kind = RECORD_ITEM};
			scene_item_of(&v, "job", 0, 0, steps[i].name, "", "", "");
			RECORD_SET(&r, server, "sql01");
			RECORD_SET(&r, item.type, "job-step");
			RECORD_SET(&r, item.name, steps[i].name);
			RECORD_SET(&r, item.schema, steps[i].database);
			RECORD_SET(&r, item.target, steps[i].command);
			r.item.parent = 1;
			assert_int_equal(inventory_take(&v, &r), 0);
		}
		assert_int_equal(inventory_finish(&v, NULL), 0);
		assert_false(inventory_is_custom(scene_find(&v, "Strange")));
		assert_true(inventory_is_custom(scene_find(&v, "Backup")));
		assert_int_equal(scene_find(&v, "Far")->referrers, 1);
		inventory_tally(&t, &v, "sql01", "Acme");
		assert_int_equal(t.yellow + t.red, 5); /* Idle, syn, Nightly, Named, Far */
		inventory_tally(&t, &v, "sql01", "");
		assert_int_equal(t.yellow + t.red, 2); /* Backup, Unused */
		inventory_tally(&t, &v, NULL, NULL);
		assert_int_equal(t.yellow + t.red, alone ? 7 : 5);
		inventory_free(&v);
	}
}

/* More than can be kept: nothing is red by a memory that has holes. */
static void test_too_many_uses(void **state)
{
	struct inventory v;
	struct sample s;
	char name[32];

	(void)state;
	scene_begin(&v);
	for (uint64_t i = 1; i <= SAMPLE_USES_MAX + 1; i++) {
		snprintf(name, sizeof(name), "p%u", (unsigned)i);
		scene_item(&v, "procedure", i, name, "A1");
		scene_use(&v, "procedure-stats", i, 0, DAYS_AGO(1), 0);
	}
	assert_int_equal(inventory_finish(&v, NULL), 0);
	assert_int_equal(inventory_sample(&s, &v, "sql01", "Acme"), 0);
	assert_int_equal(s.n_uses, SAMPLE_USES_MAX);
	assert_int_equal(s.n_watches, 0);
	inventory_sample_clear(&s);
	inventory_free(&v);
}

/* A new index, and a procedure of the product that was changed: before that, nobody watched them. */
static void test_nothing_is_older_than_itself(void **state)
{
	static const char *const items[] = {"table dbo.T", "procedure dbo.Changed A1", NULL};
	struct vendor vendor = {0};
	struct inventory v;

	(void)state;
	scene_vendor(&vendor, "2017", items);
	scene_begin(&v);
	scene_item(&v, "table", 1, "T", "");
	scene_item_of(&v, "index", 2, 1, "ix_new", "", "", "");
	scene_item(&v, "procedure", 3, "Changed", "B2");
	for (size_t i = 0; i < v.n; i++)
		v.items[i].modified = DAYS_AGO(5);
	assert_int_equal(inventory_finish(&v, &vendor), 0);
	for (int i = 0; i < 2; i++) {
		const struct inventory_item *t = scene_find(&v, i ? "dbo.Changed" : "dbo.T.ix_new");
		assert_string_equal(inventory_color_name(t->color), "yellow");
		assert_non_null(strstr(t->reason, "watched for 5 of 90 days only"));
	}
	inventory_free(&v);
	vendor_free(&vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_restart_erases_nothing),
		cmocka_unit_test(test_readings_join),
		cmocka_unit_test(test_jobs_count_where_they_work),
		cmocka_unit_test(test_too_many_uses),
		cmocka_unit_test(test_nothing_is_older_than_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
