/* When a pass writes its records: servers may answer long after it began, and lists be long. */
#include "pass_scene.h"

#include <netinet/in.h>
#include "pass/pass_internal.h"

static struct clock clock_of_test = {.fixed = true};

static void the_server_takes_nine_minutes(struct pass *p, struct scene *s)
{
	(void)p;
	(void)s;
	clock_of_test.at += 540;
}

static void expect_at(const struct scene *s, enum journal_kind kind, instant_t at)
{
	struct collected c = scene_journal(s, kind);
	size_t n = 0;

	for (size_t i = 0; i < c.n; i++)
		if (!strcmp(c.items[i].server, "sqltest02")) {
			assert_int_equal(c.items[i].at, at);
			n++;
		}
	assert_true(n);
	collected_free(&c);
}

/* What a slow server did is of the time at which it said so. The pass's own time decides, and nothing is before it. */
static void test_each_record_has_its_own_time(void **state)
{
	struct scene *s = *state;
	struct pass_result result;
	struct pass *p;

	s->options.clock = &clock_of_test;
	clock_of_test.at = TESTING - 1;
	assert_int_equal(pass_new(&p, &s->options), 0);
	scene_work(p, the_server_takes_nine_minutes, s);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	expect_at(s, JOURNAL_INTENT, TESTING);
	expect_at(s, JOURNAL_OUTCOME, TESTING + 539);
	expect_at(s, JOURNAL_PROOF, TESTING + 539);
	expect_at(s, JOURNAL_ACCESS, TESTING + 539);
}

/* A user who left the files: what they had has ended when its server says so, however long another one takes. */
static void test_what_left_the_files_ends_when_its_server_says_so(void **state)
{
	struct scene *s = *state;
	const struct journal_entry had = {.kind = JOURNAL_ACCESS,
		.at = TESTING - 1,
		.client = "acme",
		.login = "acme.john.roe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.level = "full",
		.outcome = "verified",
		.after = ACCESS_ALLOWED,
		.sources = "203.0.113.8"};
	const struct verified_level seen = {.server = had.server,
		.login = had.login,
		.database = had.database,
		.level = LEVEL_FULL,
		.at = had.at};
	struct pass_result result;
	struct pass *p;

	assert_int_equal(verified_level_save(s->journal, &seen), 0);
	assert_int_equal(journal_write(NULL, s->journal, &had), 0);
	s->options.clock = &clock_of_test;
	clock_of_test.at = TESTING;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_close_network(p), 0);
	struct record r = scene_record(RECORD_SERVER, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_grant(had.server, had.database, LEVEL_NONE);
	RECORD_SET(&r, login, had.login);
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_record(RECORD_END, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	clock_of_test.at += 540;
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	struct collected c = scene_journal(s, JOURNAL_ACCESS);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.items[1].level, "none");
	assert_int_equal(c.items[1].at, TESTING);
	collected_free(&c);
}

/* After a restart, a clock that was set back would grant again what ended since. */
static void test_by_a_time_that_is_not_saved_nothing_is_granted(void **state)
{
	struct scene *s = *state;
	struct clock nowhere;
	struct record plan = scene_plan("sqltest02", 1, CHANGE_LOGIN_ENABLE, "acme.jane.doe");
	struct record r = scene_record(RECORD_INTENT, "sqltest02");
	struct pass_result result;
	struct pass *p;

	r.intent.number = 1;
	assert_int_equal(clock_open(&nowhere, "/proc"), 0);
	s->options.clock = &nowhere;
	assert_int_equal(pass_new(&p, &s->options), 0);
	assert_int_equal(pass_record(p, &plan), 0);
	assert_true(pass_record(p, &r) < 0);
	plan.kind = RECORD_OUTCOME;
	plan.state = STATE_DRIFT;
	assert_int_equal(pass_record(p, &plan), 0);
	assert_int_equal(pass_finish(&result, p), 0);
	pass_free(p);
	assert_true(result.time_failed);
	assert_false(result.held);
	assert_false(result.journal_failed);
	/* It is on record that the change was left out, and nothing stays open. */
	struct collected outcomes = scene_journal(s, JOURNAL_OUTCOME);
	assert_true(outcomes.n > 0);
	assert_string_equal(outcomes.items[0].outcome, "failed");
	assert_true(outcomes.items[0].intent > 0);
	collected_free(&outcomes);
}

static void nobody_keeps_it(void *context, const struct journal_entry *e)
{
	(void)context;
	(void)e;
}

/* Until it is committed it is in memory too: of a long list only a part. */
static void test_a_long_list_is_committed_in_parts(void **state)
{
	struct scene *s = *state;
	static struct firewall_change items[9000];
	const struct firewall_changes none = {0}, done = {.items = items, .n = ARRAY_SIZE(items)};
	struct pass *p;

	s->options.unrecorded = nobody_keeps_it;
	assert_int_equal(pass_new(&p, &s->options), 0);
	for (size_t i = 0; i < done.n; i++)
		items[i] = (struct firewall_change){.kind = FIREWALL_ALLOW_ADD,
			.source = {.family = AF_INET, .prefix = 32},
			.endpoint = {.family = AF_INET},
			.comment = "acme/acme.jane.doe"};
	pass_outcomes_journal(p, &none, NULL, &done, 0);
	assert_in_range(p->n_batch, 1, done.n / 2);
	assert_int_equal(pass_journal_commit(p), 0);
	pass_free(p);
	struct collected outcomes = scene_journal(s, JOURNAL_OUTCOME);
	assert_int_equal(outcomes.n, done.n);
	collected_free(&outcomes);
}

static void count_it(void *context, const struct journal_entry *e)
{
	(void)e;
	++*(size_t *)context;
}

/* Each is kept to be recorded later, of the planned changes that were not made too. */
static void test_what_cannot_be_recorded_is_kept(void **state)
{
	struct scene *s = *state;
	struct firewall_change items[5];
	const struct firewall_changes planned = {.items = items, .n = ARRAY_SIZE(items)},
				      none = {0};
	int64_t ids[ARRAY_SIZE(items)] = {1, 1, 1, 1, 1};
	size_t kept = 0;
	sqlite3 *other;
	struct pass *p;

	s->options.unrecorded = count_it;
	s->options.context = &kept;
	assert_int_equal(pass_new(&p, &s->options), 0);
	for (size_t i = 0; i < planned.n; i++)
		items[i] = (struct firewall_change){.kind = FIREWALL_ALLOW_ADD,
			.source = {.family = AF_INET, .prefix = 32},
			.endpoint = {.family = AF_INET},
			.comment = "acme/acme.jane.doe"};
	assert_int_equal(
		sqlite3_open(sqlite3_db_filename(s->options.journal->db, "main"), &other), 0);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), 0);
	journal_patience(s->options.journal, 0);
	pass_outcomes_journal(p, &planned, ids, &none, -ECANCELED);
	assert_int_equal(kept, planned.n);
	pass_free(p);
	sqlite3_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_long_list_is_committed_in_parts, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_recorded_is_kept, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_each_record_has_its_own_time, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_left_the_files_ends_when_its_server_says_so, scene_setup,
			scene_teardown),
		cmocka_unit_test_setup_teardown(test_by_a_time_that_is_not_saved_nothing_is_granted,
			scene_setup, scene_teardown),
	};
	return cmocka_run_group_tests_name("times of a pass", tests, NULL, NULL);
}
