/* Whether a pass that was begun ahead is the one of its instant: only if it is what would be begun then. */
#include "lane_stage.h"

#include <sqlite3.h>

#include "curfew/state_tables.h"
#include "service/internal.h"

struct early_stage {
	struct stage *stage;
	struct service s;
};

static unsigned job_adjust(void *context, struct worker_job *job)
{
	const struct early_stage *e = context;

	return e->stage->adjust(e->stage, job);
}

static void ended(void *context, int error, const struct pass_result *result)
{
	(void)context, (void)result;
	assert_int_equal(error, 0);
}

static int setup(void **state)
{
	struct early_stage *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_int_equal(stage_setup((void **)&e->stage), 0);
	const struct lane_options o = {e->stage->dispatcher, monotonic_ms, job_adjust, ended, e};
	assert_int_equal(lane_new(&e->s.passes.lane, &o), 0);
	assert_int_equal(lane_new(&e->s.early.lane, &o), 0);
	e->s.journal = e->stage->journal;
	e->s.loaded.program = e->stage->program;
	*state = e;
	return 0;
}

static int teardown(void **state)
{
	struct early_stage *e = *state;

	lane_free(e->s.passes.lane);
	lane_free(e->s.early.lane);
	stage_teardown((void **)&e->stage);
	free(e);
	return 0;
}

static void begin_early_of(struct early_stage *e)
{
	something_ends(e->stage);
	assert_int_equal(journal_revision_read(&e->s.early.revision, e->s.journal), 0);
	assert_int_equal(lane_begin_early(e->s.early.lane, &e->stage->options), 0);
}

static bool take(struct early_stage *e, unsigned reasons, instant_t now)
{
	e->s.clock.fixed = true;
	e->s.clock.at = now;
	e->s.passes.reasons = reasons;
	return early_take(&e->s);
}

static bool is_taken(struct early_stage *e)
{
	return lane_is_busy(e->s.passes.lane) && !lane_is_busy(e->s.early.lane);
}

static void test_it_is_the_one_of_its_instant(void **state)
{
	static const unsigned reasons[] = {REASON_TRANSITION, REASON_TRANSITION | REASON_INTERVAL,
		REASON_TRANSITION | REASON_RETRY};
	struct early_stage *e = *state;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		begin_early_of(e);
		assert_true(take(e, reasons[i], GOLIVE));
		assert_true(is_taken(e));
		lane_drop(e->s.passes.lane);
	}
}

/* What asks for more than what the time brings: a revocation, a reload, somebody's apply, a step of the clock. */
static void test_no_other_reason_takes_it(void **state)
{
	static const unsigned others[] = {REASON_START, REASON_RELOAD, REASON_ASKED, REASON_CLOCK,
		REASON_OVERRIDE, REASON_REST, REASON_INTERVAL, REASON_RETRY};
	struct early_stage *e = *state;

	begin_early_of(e);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		bool along = others[i] & (REASON_INTERVAL | REASON_RETRY);
		assert_false(take(e, others[i], GOLIVE));
		assert_true(along || !take(e, others[i] | REASON_TRANSITION, GOLIVE));
	}
	assert_false(lane_is_busy(e->s.passes.lane));
}

/* Also of a clock that was set, whichever way: it ends nothing before its time, and nothing by the schedule of another. */
static void test_no_other_time_takes_it(void **state)
{
	struct early_stage *e = *state;

	begin_early_of(e);
	assert_false(take(e, REASON_TRANSITION, GOLIVE - 1));
	assert_false(take(e, REASON_TRANSITION, GOLIVE - 3600));
	assert_false(take(e, REASON_TRANSITION, GOLIVE + 86400 * 60));
	assert_false(lane_is_busy(e->s.passes.lane));
	assert_true(take(e, REASON_TRANSITION, GOLIVE + 1));
}

/* The net below all others is not taken away. */
static void test_the_interval_waits_for_it_and_not_for_good(void **state)
{
	struct early_stage *e = *state;

	assert_int_equal(early_patience(&e->s), 0);
	begin_early_of(e);
	assert_true(early_patience(&e->s) > 0 && early_patience(&e->s) <= 60 * 1000);
}

static struct journal *another(const struct early_stage *e)
{
	_cleanup_free_ char *path = text_make("%s/journal", e->stage->folder);
	const struct journal_options o = {.path = path};
	struct journal *j;

	assert_int_equal(journal_open(&j, &o), 0);
	return j;
}

static void test_what_was_written_meanwhile_counts(void **state)
{
	struct early_stage *e = *state;
	struct journal *j = another(e);

	for (int own = 0; own < 2; own++) {
		begin_early_of(e);
		assert_int_equal(
			override_add(own ? e->s.journal : j, "acme", NULL, NOW, "x", "y"), 0);
		assert_false(take(e, REASON_TRANSITION, GOLIVE));
		early_drop(&e->s);
	}
	journal_close(j);
}

static void test_a_journal_that_cannot_be_asked_now_is_not_waited_for(void **state)
{
	struct early_stage *e = *state;
	_cleanup_free_ char *path = text_make("%s/journal", e->stage->folder);
	sqlite3 *db = NULL;

	begin_early_of(e);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_false(take(e, REASON_TRANSITION, GOLIVE));
	sqlite3_close(db);
	e->s.journal = NULL;
	assert_false(take(e, REASON_TRANSITION, GOLIVE));
	e->s.journal = e->stage->journal;
	assert_true(take(e, REASON_TRANSITION, GOLIVE));
}

/* A revocation that could be recorded nowhere blocks the network at once, in which the schedule that waits is outdated. */
static void test_a_revocation_counts_though_no_journal_has_it(void **state)
{
	struct early_stage *e = *state;

	begin_early_of(e);
	service_network_now(&e->s, "revoked", "a test", true, NULL);
	assert_false(take(e, REASON_TRANSITION, GOLIVE));
	early_drop(&e->s);
	/* What only puts the packet filter right again outdates nothing. */
	begin_early_of(e);
	service_network_now(&e->s, "changed by another", "a test", false, NULL);
	assert_true(take(e, REASON_TRANSITION, GOLIVE));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_is_the_one_of_its_instant),
		TEST(test_no_other_reason_takes_it),
		TEST(test_no_other_time_takes_it),
		TEST(test_the_interval_waits_for_it_and_not_for_good),
		TEST(test_what_was_written_meanwhile_counts),
		TEST(test_a_journal_that_cannot_be_asked_now_is_not_waited_for),
		TEST(test_a_revocation_counts_though_no_journal_has_it),
	};
	return cmocka_run_group_tests_name("early", tests, NULL, NULL);
}
