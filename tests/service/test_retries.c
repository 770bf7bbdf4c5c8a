/* Servers' retry: how the delay grows, who is visited for which reason, what a failure and a success change. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "service/retries.h"
#include "service/reason.h"

#define EVERYBODY  true
#define ONE_CLIENT false
#define NOW	   1793500000

static int64_t clock_ms;

static int64_t clock_read(void)
{
	return clock_ms;
}

static char sql01[] = "sql01", sql02[] = "sql02", sql03[] = "sql03";
static struct server servers[] = {{.name = sql01}, {.name = sql02}, {.name = sql03}};

static int setup(void **state)
{
	const struct program p = {.servers = servers, .n_servers = 2};
	struct retries *h;

	clock_ms = 1000000;
	assert_int_equal(retries_new(&h, clock_read), 0);
	assert_int_equal(retries_set(h, &p), 0);
	assert_int_equal(retries_count(h), 2);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	retries_free(*state);
	retries_free(NULL);
	return 0;
}

static void visit(struct retries *h, const char *name, enum state state, int code, instant_t now)
{
	retries_answered(h, name, state, code, true, now);
	retries_ended(h, name, code, "", EVERYBODY, 7, now);
}

static void test_the_delay_doubles_up_to_five_minutes(void **state)
{
	const int64_t expected[] = {5, 10, 20, 40, 80, 160, 300, 300, 300};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		int64_t least = retries_delay(i + 1, 0);
		int64_t most = retries_delay(i + 1, UINT16_MAX);
		assert_int_equal(least, expected[i] * 750);
		assert_int_equal(most, expected[i] * 1250);
	}
	/* However often: no number wraps. */
	assert_int_equal(retries_delay(UINT32_MAX, 0), 300 * 750);
}

static void test_a_failure_sets_the_next_try(void **state)
{
	struct retries *h = *state;
	const struct server_retry *s = retries_find(h, "sql01");

	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	assert_int_equal(s->failures, 1);
	assert_true(s->retry >= clock_ms + 3750 && s->retry <= clock_ms + 6250);
	assert_true(retries_next(h) == s->retry);
	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW + 60);
	assert_int_equal(s->failures, 2);
	assert_true(s->retry >= clock_ms + 7500 && s->retry <= clock_ms + 12500);
	/* Silent since the first time, not the last. */
	assert_int_equal(s->silent_since, NOW);
	assert_int_equal(retries_find(h, "sql02")->failures, 0);
}

static void test_a_complete_pass_clears_all_of_it(void **state)
{
	struct retries *h = *state;
	const struct server_retry *s = retries_find(h, "sql01");

	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	visit(h, "sql01", STATE_OK, 0, NOW + 5);
	assert_int_equal(s->failures, 0);
	assert_int_equal(s->retry, 0);
	assert_int_equal(s->silent_since, 0);
	assert_int_equal(s->complete_pass, NOW + 5);
	assert_int_equal(s->round_trips, 7);
	assert_true(s->reachable && s->has_complete_pass);
	assert_true(retries_next(h) == INT64_MAX);
}

/* A server that nobody could read has what it had. */
static void test_grants_count_as_last_seen(void **state)
{
	struct retries *h = *state;
	size_t excess, unread;

	retries_begin(h);
	retries_grant(h, "sql01", STATE_EXCESS);
	retries_grant(h, "sql01", STATE_UNREAD);
	retries_grant(h, "sql02", STATE_EXCESS);
	retries_grant(h, "sql02", STATE_OK);
	retries_grant(h, "elsewhere", STATE_EXCESS);
	visit(h, "sql01", STATE_OK, 0, NOW);
	visit(h, "sql02", STATE_OK, 0, NOW);
	retries_grants(&excess, &unread, h);
	assert_int_equal(excess, 2);
	assert_int_equal(unread, 1);
	/* One does not answer, and the pass was ended before it came to the other. */
	retries_begin(h);
	retries_grant(h, "sql01", STATE_UNREACHABLE);
	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW + 60);
	visit(h, "sql02", STATE_OK, -ECANCELED, NOW + 60);
	retries_grants(&excess, &unread, h);
	assert_int_equal(excess, 2);
	assert_int_equal(unread, 1);
	/* A pass for one client sees none of the others. */
	retries_begin(h);
	retries_answered(h, "sql01", STATE_OK, 0, true, NOW + 120);
	retries_ended(h, "sql01", 0, "", ONE_CLIENT, 7, NOW + 120);
	retries_grants(&excess, &unread, h);
	assert_int_equal(excess, 2);
	/* A retry of one server sees that one. */
	retries_begin(h);
	visit(h, "sql01", STATE_OK, 0, NOW + 180);
	retries_grants(&excess, &unread, h);
	assert_int_equal(excess, 1);
	assert_int_equal(unread, 0);
}

/* What the journal knows counts from the start, until a pass has seen the server. */
static void test_grants_count_as_remembered_at_start(void **state)
{
	struct retries *h = *state;
	struct verified items[] = {{.server = "sql01", .result = VERIFICATION_EXCESS},
		{.server = "sql01", .result = VERIFICATION_VERIFIED},
		{.server = "sql02", .result = VERIFICATION_EXCESS},
		{.server = "gone", .result = VERIFICATION_EXCESS}};
	const struct verified_list v = {.items = items, .n = ARRAY_SIZE(items)};
	size_t excess, unread;

	retries_remember(h, &v);
	retries_begin(h);
	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	visit(h, "sql02", STATE_OK, 0, NOW);
	retries_grants(&excess, &unread, h);
	assert_int_equal(excess, 1);
}

/* In a window nothing is said of a failure; what still fails after it is told, once, and so is its end. */
static void test_a_window_quiets_the_log(void **state)
{
	struct retries *h = *state;
	const struct server_retry *s = retries_find(h, "sql01");

	retries_quiet(h, "sql01", true);
	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	assert_int_equal(s->failures, 1);
	assert_false(s->told);
	assert_true(s->retry > 0);
	retries_quiet(h, "sql01", false);
	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW + 5);
	assert_true(s->told);
	visit(h, "sql01", STATE_OK, 0, NOW + 10);
	assert_false(s->told);
}

static void test_one_client_says_nothing_of_the_others(void **state)
{
	struct retries *h = *state;
	const struct server_retry *s = retries_find(h, "sql01");

	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	int64_t retry = s->retry;
	retries_answered(h, "sql01", STATE_OK, 0, true, NOW + 5);
	retries_ended(h, "sql01", 0, "", ONE_CLIENT, 7, NOW + 5);
	assert_int_equal(s->failures, 1);
	assert_true(s->retry == retry);
	assert_false(s->has_complete_pass);
}

/* Cut short by us: it is visited again soon, and counts as no failure. */
static void test_cut_short_is_no_failure(void **state)
{
	struct retries *h = *state;
	const struct server_retry *s = retries_find(h, "sql01");

	visit(h, "sql01", STATE_OK, 0, NOW);
	visit(h, "sql01", STATE_UNREACHABLE, -ECANCELED, NOW + 5);
	assert_true(s->reachable);
	assert_int_equal(s->failures, 0);
	assert_true(s->retry == clock_ms + 5000);
	/* Not begun: nothing is known. Begun, and silent before: it is silent. */
	retries_answered(h, "sql02", STATE_UNREACHABLE, -ECANCELED, false, NOW);
	assert_int_equal(retries_find(h, "sql02")->silent_since, 0);
	retries_answered(h, "sql02", STATE_UNREACHABLE, -ECANCELED, true, NOW);
	assert_int_equal(retries_find(h, "sql02")->silent_since, NOW);
}

static void test_who_is_due(void **state)
{
	struct retries *h = *state;

	visit(h, "sql01", STATE_OK, 0, NOW);
	visit(h, "sql02", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	/* Well: for everything but another's retry. */
	assert_true(retries_is_due(h, 0, REASON_TRANSITION));
	assert_true(retries_is_due(h, 0, REASON_INTERVAL));
	assert_true(retries_is_due(h, 0, REASON_RETRY | REASON_INTERVAL));
	assert_false(retries_is_due(h, 0, REASON_RETRY));
	/* Failed: once its time has come, or when somebody asks. */
	assert_false(retries_is_due(h, 1, REASON_RETRY));
	assert_false(retries_is_due(h, 1, REASON_INTERVAL));
	assert_true(retries_is_due(h, 1, REASON_ASKED));
	assert_true(retries_is_due(h, 1, REASON_START));
	assert_true(retries_is_due(h, 1, REASON_RELOAD));
	clock_ms = retries_next(h);
	assert_true(retries_is_due(h, 1, REASON_RETRY));
	assert_true(retries_is_due(h, 1, REASON_INTERVAL));
}

/* It may answer now, or only its reading fails: nothing that may remove access leaves it out. */
static void test_a_removal_waits_for_no_retry(void **state)
{
	const unsigned reasons[] = {
		REASON_TRANSITION, REASON_CLOCK, REASON_OVERRIDE, REASON_TRANSITION | REASON_RETRY};
	struct retries *h = *state;

	for (int i = 0; i < 9; i++)
		visit(h, "sql02", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	assert_true(retries_next(h) > clock_ms + 200000);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		assert_true(retries_is_due(h, 0, reasons[i]));
		assert_true(retries_is_due(h, 1, reasons[i]));
	}
}

/* The rest of a pass that was cut short: those whose turn had not come, and not the one that held it up. */
static void test_the_rest_are_those_that_had_no_turn(void **state)
{
	struct retries *h = *state;

	retries_answered(h, "sql01", STATE_UNREACHABLE, -ECANCELED, true, NOW);
	retries_ended(h, "sql01", -ECANCELED, "", EVERYBODY, 0, NOW);
	retries_answered(h, "sql02", STATE_UNREACHABLE, -ECANCELED, false, NOW);
	retries_ended(h, "sql02", -ECANCELED, "", EVERYBODY, 0, NOW);
	assert_false(retries_is_due(h, 0, REASON_REST));
	assert_true(retries_is_due(h, 1, REASON_REST));
	assert_true(retries_is_due(h, 1, REASON_RETRY));
	assert_true(retries_is_due(h, 0, REASON_REST | REASON_TRANSITION));
	clock_ms += 5000;
	assert_true(retries_is_due(h, 0, REASON_REST));
}

static void test_one_that_came_back_is_due_now(void **state)
{
	struct retries *h = *state;

	visit(h, "sql02", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	assert_false(retries_is_due(h, 1, REASON_RETRY));
	retries_came_back(h, "sql02");
	assert_true(retries_is_due(h, 1, REASON_RETRY));
	assert_true(retries_next(h) <= clock_ms);
	retries_came_back(h, "no such server");
}

static void test_a_reload_keeps_what_is_known(void **state)
{
	const struct program p = {.servers = servers + 1, .n_servers = 2};
	struct retries *h = *state;

	visit(h, "sql02", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	visit(h, "sql01", STATE_OK, 0, NOW);
	assert_int_equal(retries_set(h, &p), 0);
	assert_null(retries_find(h, "sql01"));
	assert_int_equal(retries_find(h, "sql02")->failures, 1);
	assert_int_equal(retries_find(h, "sql03")->failures, 0);
	assert_string_equal(retries_at(h, 1)->name, "sql03");
	/* Of one that has gone nothing is kept, and what is said of it is nobody's. */
	visit(h, "sql01", STATE_UNREACHABLE, -ETIMEDOUT, NOW);
	assert_null(retries_find(h, "sql01"));
}

static void test_no_instant_lies_ahead_of_a_corrected_clock(void **state)
{
	struct retries *h = *state;

	visit(h, "sql01", STATE_OK, 0, NOW + 86400);
	visit(h, "sql02", STATE_UNREACHABLE, -ETIMEDOUT, NOW + 86400);
	retries_correct(h, NOW);
	assert_int_equal(retries_find(h, "sql01")->complete_pass, NOW);
	assert_int_equal(retries_find(h, "sql02")->silent_since, NOW);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_grants_count_as_last_seen),
		TEST(test_grants_count_as_remembered_at_start),
		TEST(test_the_delay_doubles_up_to_five_minutes),
		TEST(test_a_failure_sets_the_next_try),
		TEST(test_a_complete_pass_clears_all_of_it),
		TEST(test_a_window_quiets_the_log),
		TEST(test_one_client_says_nothing_of_the_others),
		TEST(test_cut_short_is_no_failure),
		TEST(test_who_is_due),
		TEST(test_a_removal_waits_for_no_retry),
		TEST(test_the_rest_are_those_that_had_no_turn),
		TEST(test_one_that_came_back_is_due_now),
		TEST(test_a_reload_keeps_what_is_known),
		TEST(test_no_instant_lies_ahead_of_a_corrected_clock),
	};
	return cmocka_run_group_tests_name("retries", tests, NULL, NULL);
}
