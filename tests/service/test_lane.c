/* One pass under way, by a clock that the test sets: when it is cut short, when its batch is committed, how it ends. */
#include "lane_stage.h"

static void test_it_ends_by_itself(void **state)
{
	struct stage *s = *state;

	begin(s);
	assert_true(lane_next(s->lane) == INT64_MAX);
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 1);
	assert_int_equal(s->error, 0);
	assert_int_equal(s->result.servers, 2);
	assert_int_equal(s->result.unreachable, 0);
	/* And is free for the next. */
	begin(s);
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 2);
}

static void test_a_server_that_hangs_is_cut_short_after_the_grace(void **state)
{
	struct stage *s = *state;

	s->hangs = "sql07";
	begin(s);
	work_to_the_hang(s);
	assert_true(lane_age(s->lane, "sql07") >= 0);
	assert_true(lane_age(s->lane, "sqltest02") < 0);
	lane_hurry(s->lane);
	assert_true(lane_next(s->lane) == clock_ms + LANE_GRACE);
	/* Hurried again, it gets no longer. */
	clock_ms += LANE_GRACE - 1;
	lane_hurry(s->lane);
	lane_tick(s->lane);
	assert_int_equal(dispatcher_wait(s->dispatcher, 0), 0);
	assert_true(lane_is_busy(s->lane));
	assert_true(lane_next(s->lane) == clock_ms + 1);
	clock_ms += 1;
	lane_tick(s->lane);
	assert_true(lane_next(s->lane) == INT64_MAX);
	work_to_the_end(s);
	assert_string_equal(s->ends, "sqltest02 sql07 ");
	assert_int_equal(s->code, -ECANCELED);
	assert_int_equal(s->result.unreachable, 1);
}

static void test_what_is_behind_comes_last(void **state)
{
	struct stage *s = *state;

	s->program->settings.workers = 1;
	s->ranks[0] = 1; /* sql07 */
	begin(s);
	work_to_the_end(s);
	assert_string_equal(s->ends, "sqltest02 sql07 ");
	s->ends[0] = '\0';
	s->ranks[0] = 0;
	s->ranks[1] = 1;
	begin(s);
	work_to_the_end(s);
	assert_string_equal(s->ends, "sql07 sqltest02 ");
}

/* While a batch is open nobody else can write: so it is not open for long. */
static void test_what_was_recorded_is_committed_soon(void **state)
{
	struct stage *s = *state;

	s->hangs = "sql07";
	s->announces = true;
	begin(s);
	while (lane_next(s->lane) == INT64_MAX)
		assert_int_equal(dispatcher_wait(s->dispatcher, -1), 0);
	assert_true(lane_next(s->lane) == clock_ms + LANE_SETTLE);
	assert_false(can_write(s));
	clock_ms += LANE_SETTLE - 1;
	lane_tick(s->lane);
	assert_false(can_write(s));
	clock_ms += 1;
	lane_tick(s->lane);
	assert_true(can_write(s));
	assert_true(lane_next(s->lane) == INT64_MAX);
}

static void test_an_outdated_pass_knows_it(void **state)
{
	struct stage *s = *state;

	lane_outdate(s->lane);
	assert_false(lane_is_stale(s->lane)); /* nothing is under way */
	s->hangs = "sql07";
	begin(s);
	assert_false(*lane_pass(s->lane)->stale);
	lane_outdate(s->lane);
	assert_true(*lane_pass(s->lane)->stale);
	lane_cut(s->lane);
	work_to_the_end(s);
	assert_false(lane_is_stale(s->lane));
}

/* The clock was wrong: the rest is recorded as of the right time, and the pass ends at once. */
static void test_a_corrected_clock_ends_it(void **state)
{
	struct stage *s = *state;

	lane_correct(s->lane, NOW);
	s->hangs = "sql07";
	begin(s);
	lane_correct(s->lane, NOW - 86400);
	assert_int_equal(lane_pass(s->lane)->now, NOW - 86400);
	assert_true(lane_is_stale(s->lane));
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 1);
}

/* The process that owns the packet filter hangs: it goes on when a worker has, which needs nothing of it. */
static int await_a_worker(struct stage *s)
{
	for (int i = 0; i < 6000 && !__atomic_load_n(&s->ready->gone_on, __ATOMIC_SEQ_CST); i++)
		usleep(10000);
	assert_true(s->ready->gone_on);
	return -ETIMEDOUT;
}

static int hanging_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	(void)out, (void)wanted, (void)now, (void)closings_only;
	return await_a_worker(context);
}

static int hanging_again(void *context, uint64_t number, instant_t now, bool closings_only)
{
	(void)number, (void)now, (void)closings_only;
	return await_a_worker(context);
}

static void test_what_ends_on_a_server_waits_for_no_packet_filter(void **state)
{
	struct stage *s = *state;
	const struct firewall_port port = {
		.plan = hanging_plan, .again = hanging_again, .context = s};

	something_ends(s);
	s->options.network = &port;
	begin(s);
	work_to_the_end(s);
	assert_int_equal(s->ready->gone_on, 2);
	assert_true(s->result.network_failed);
	assert_int_equal(s->result.unreachable, 0);
	/* And with one that was begun ahead, for a worker that is not ready. */
	something_ends(s);
	s->ready->gone_on = 0;
	assert_int_equal(lane_begin_early(s->lane, &s->options), 0);
	assert_int_equal(lane_release(s->lane, GOLIVE), 0);
	work_to_the_end(s);
	assert_int_equal(s->ready->gone_on, 2);
	assert_int_equal(s->result.unreachable, 0);
}

static void test_one_that_is_dropped_says_nothing_more(void **state)
{
	struct stage *s = *state;

	s->hangs = "sql07";
	begin(s);
	work_to_the_hang(s);
	lane_drop(s->lane);
	assert_false(lane_is_busy(s->lane));
	assert_int_equal(s->n_ended, 0);
	assert_true(lane_next(s->lane) == INT64_MAX);
	assert_int_equal(dispatcher_wait(s->dispatcher, 0), 0);
	/* Nothing under way: nothing to hurry. */
	lane_hurry(s->lane);
	lane_cut(s->lane);
	assert_true(lane_next(s->lane) == INT64_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, stage_setup, stage_teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_ends_by_itself),
		TEST(test_a_server_that_hangs_is_cut_short_after_the_grace),
		TEST(test_what_is_behind_comes_last),
		TEST(test_what_was_recorded_is_committed_soon),
		TEST(test_an_outdated_pass_knows_it),
		TEST(test_a_corrected_clock_ends_it),
		TEST(test_what_ends_on_a_server_waits_for_no_packet_filter),
		TEST(test_one_that_is_dropped_says_nothing_more),
	};
	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
