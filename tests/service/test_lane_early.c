/* A pass that is begun ahead of its instant: it does nothing before, and everything then. */
#include "lane_stage.h"

#include "curfew/state_tables.h"

static void begin_early(struct stage *s)
{
	something_ends(s);
	assert_int_equal(lane_begin_early(s->lane, &s->options), 0);
	assert_true(lane_is_busy(s->lane));
	while (!__atomic_load_n(&s->ready->ready, __ATOMIC_SEQ_CST))
		assert_int_equal(dispatcher_wait(s->dispatcher, 10), 0);
}

static void test_one_that_waits_does_nothing_before_its_instant(void **state)
{
	struct stage *s = *state;

	begin_early(s);
	assert_int_equal(s->ready->ready, 1); /* where nothing ends nobody waits */
	assert_int_equal(s->ready->gone_on, 0);
	assert_true(can_write(s));
	assert_string_equal(s->ends, "");
	assert_true(lane_next(s->lane) == INT64_MAX);
	assert_false(lane_holds_at(s->lane, GOLIVE - 1));
	assert_true(lane_holds_at(s->lane, GOLIVE));
	assert_int_equal(lane_release(s->lane, GOLIVE), 0);
	work_to_the_end(s);
	assert_int_equal(s->ready->gone_on, 2);
	assert_int_equal(s->n_ended, 1);
	assert_int_equal(s->result.servers, 2);
	assert_int_equal(s->error, 0);
}

/* The service was late: the pass is one of then. */
static void test_one_that_waits_is_of_the_time_of_its_release(void **state)
{
	struct stage *s = *state;

	begin_early(s);
	assert_true(lane_holds_at(s->lane, GOLIVE + 2));
	assert_int_equal(lane_release(s->lane, GOLIVE + 2), 0);
	assert_int_equal(lane_pass(s->lane)->now, GOLIVE + 2);
	work_to_the_end(s);
	/* Another change has come meanwhile: not that pass's. */
	s->ready->ready = 0;
	begin_early(s);
	assert_false(lane_holds_at(s->lane, GOLIVE + 86400 * 60));
}

/* A revocation that no journal could take: nothing else tells of it. */
static void test_one_that_waits_can_be_outdated(void **state)
{
	struct stage *s = *state;

	begin_early(s);
	lane_outdate(s->lane);
	assert_false(lane_holds_at(s->lane, GOLIVE));
}

/* It took the process that another could need, until the instant. */
static void test_for_a_server_that_failed_nobody_waits(void **state)
{
	struct stage *s = *state;

	s->ranks[0] = s->ranks[1] = 1;
	something_ends(s);
	assert_int_equal(lane_begin_early(s->lane, &s->options), LANE_NOTHING);
	assert_false(lane_is_busy(s->lane));
	assert_int_equal(s->ready->ready, 0);
}

/* What was read while it could not be told what is on record. */
static void test_a_pass_that_may_grant_nothing_is_begun_at_its_instant(void **state)
{
	struct stage *s = *state;

	something_ends(s);
	assert_int_equal(loss_put(s->journal, NOW, NOW, "a test"), 0);
	assert_int_equal(lane_begin_early(s->lane, &s->options), LANE_NOTHING);
	assert_false(lane_is_busy(s->lane));
}

static void test_one_that_waits_can_be_dropped(void **state)
{
	struct stage *s = *state;

	begin_early(s);
	lane_drop(s->lane);
	assert_false(lane_is_busy(s->lane));
	assert_int_equal(s->n_ended, 0);
	assert_int_equal(s->ready->gone_on, 0);
	s->options.now = NOW;
	s->waits = false;
	begin(s);
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 1);
}

static void test_where_nothing_ends_nobody_waits(void **state)
{
	struct stage *s = *state;

	s->waits = true;
	s->options.now = GOLIVE;
	assert_int_equal(lane_begin_early(s->lane, &s->options), LANE_NOTHING);
	assert_false(lane_is_busy(s->lane));
	assert_int_equal(s->n_ended, 0);
	assert_false(lane_holds_at(s->lane, GOLIVE));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_that_waits_does_nothing_before_its_instant),
		TEST(test_one_that_waits_is_of_the_time_of_its_release),
		TEST(test_one_that_waits_can_be_outdated),
		TEST(test_for_a_server_that_failed_nobody_waits),
		TEST(test_a_pass_that_may_grant_nothing_is_begun_at_its_instant),
		TEST(test_one_that_waits_can_be_dropped),
		TEST(test_where_nothing_ends_nobody_waits),
	};
	return cmocka_run_group_tests_name("lane, ahead of an instant", tests, NULL, NULL);
}
