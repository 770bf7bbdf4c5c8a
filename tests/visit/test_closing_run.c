/* Closing first against a server that refuses, forgets, and takes long. The session and the channel are played. */
#include "played_closing.h"

static bool is_early; /* the session was opened ahead of the instant */

static int run_with(const struct sql_closing *items, size_t n)
{
	static struct server s = {.name = (char *)"sql01"};
	static struct program program;
	struct sql_visit visit = {.server = &s, .program = &program};
	struct visit_run r = {.visit = &visit, .is_early = is_early};
	struct sql_error error;

	told[0] = '\0';
	int rc = closings_run(&r, &error, items, n);
	free(r.entries);
	return rc;
}

static int run(void)
{
	return run_with(closings, N);
}

static int reset(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	questions = 0;
	is_early = false;
	server.ends_batch_at = -1;
	return 0;
}

static void test_two_round_trips_close_all(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++) {
		assert_true(server.disabled[i]);
		assert_int_equal(server.sessions[i], 0);
	}
	assert_int_equal(questions, 2);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 0\nlogin-disable acme.cat 0\n"
		"session-kill acme.ann 0\nsession-kill acme.ben 0\nsession-kill acme.cat 0\n");
}

static void test_what_is_closed_already_is_no_news(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		server.disabled[i] = true;
	assert_int_equal(run(), 0);
	assert_string_equal(told, "");
	assert_int_equal(server.kill_batches, 0);
}

static void test_one_that_is_refused_holds_nobody_up(void **state)
{
	(void)state;
	server.refuses_disable[1] = 15151;
	server.sessions[1] = server.sessions[2] = 1;
	server.refuses_kill[2] = 6102;
	assert_int_equal(run(), 0);
	assert_true(server.disabled[0] && server.disabled[2]);
	assert_false(server.disabled[1]);
	assert_int_equal(server.sessions[1], 0);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 15151\nlogin-disable acme.cat 0\n"
		"session-kill acme.ben 0\nsession-kill acme.cat 6102\n");
	assert_true(server.kill_batches <= 2);
}

/* Its check has seen it, and its KILL has not: nobody has to look after it. */
static void test_a_session_that_ends_by_itself_is_no_failure(void **state)
{
	(void)state;
	server.sessions[0] = server.sessions[1] = 1;
	server.refuses_kill[0] = server.refuses_kill[1] = 6106;
	server.ends_itself[0] = true;
	assert_int_equal(run(), 0);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 0\nlogin-disable acme.cat 0\n"
		"session-kill acme.ben 6106\n");
}

/* As a server trigger does that rolls back: what stands behind it is sent again. */
static void test_a_batch_that_is_ended_goes_on_behind(void **state)
{
	(void)state;
	server.ends_batch_at = 1;
	server.sessions[2] = 1;
	assert_int_equal(run(), 0);
	assert_true(server.disabled[0] && server.disabled[2]);
	assert_int_equal(server.sessions[2], 0);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.ben 3609\nlogin-disable acme.cat 0\n"
		"session-kill acme.cat 0\n");
}

/* Its session ends, and then it is disabled: it is reported once, as done. */
static void test_one_that_locks_itself_is_disabled_behind_its_end(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	server.locks_itself[0] = server.locks_itself[2] = true;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++) {
		assert_true(server.disabled[i]);
		assert_int_equal(server.sessions[i], 0);
	}
	assert_int_equal(questions, 3);
	assert_string_equal(told,
		"login-disable acme.ben 0\nlogin-disable acme.ann 0\nlogin-disable acme.cat 0\n"
		"session-kill acme.ann 0\nsession-kill acme.ben 0\nsession-kill acme.cat 0\n");
}

/* Somebody else's lock stays: tried once more, then reported. */
static void test_a_lock_of_somebody_else_is_told(void **state)
{
	(void)state;
	server.refuses_disable[1] = 1222;
	assert_int_equal(run(), 0);
	assert_int_equal(questions, 2);
	assert_string_equal(told,
		"login-disable acme.ann 0\nlogin-disable acme.cat 0\nlogin-disable acme.ben 1222\n");
}

/* As behind a server trigger that waits for something: whoever is still to be disabled loses the sessions first. */
static void test_slow_disables_do_not_keep_sessions(void **state)
{
	(void)state;
	server.is_slow = true;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	assert_int_equal(run(), 0);
	assert_int_equal(server.disabled_at_kill, 1);
	for (int i = 0; i < N; i++) {
		assert_true(server.disabled[i]);
		assert_int_equal(server.sessions[i], 0);
	}
	assert_non_null(strstr(told, "login-disable acme.cat 0\n"));
	assert_null(strstr(told, " -2\n"));
}

/* The next pass does not spend its time on what the last one has done. */
static void test_slow_disables_get_on(void **state)
{
	(void)state;
	server.is_slow = true;
	server.disabled[0] = server.disabled[1] = true;
	assert_int_equal(run(), 0);
	assert_true(server.disabled[2]);
	assert_int_equal(questions, 2);
	assert_string_equal(told, "login-disable acme.cat 0\n");
}

/* One that ends its batch is the one that failed, also when it was put off before. */
static void test_one_that_was_put_off_and_fails_holds_nobody_up(void **state)
{
	(void)state;
	server.is_slow = true;
	server.ends_batch_at = 1;
	assert_int_equal(run(), 0);
	assert_true(server.disabled[0] && server.disabled[2]);
	assert_non_null(strstr(told, "login-disable acme.ben 3609\n"));
	assert_non_null(strstr(told, "login-disable acme.cat 0\n"));
}

/* Those that were locked are put off as others are, and tried again. */
static void test_slow_ones_that_were_locked_are_disabled(void **state)
{
	(void)state;
	server.is_slow = true;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	for (int i = 1; i < N; i++)
		server.locks_itself[i] = true;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++)
		assert_true(server.disabled[i]);
	assert_null(strstr(told, " -2\n"));
}

/* A question that the server cannot compile keeps no login enabled. */
static void test_closing_needs_no_reading(void **state)
{
	(void)state;
	server.lacks_columns = true;
	for (int i = 0; i < N; i++)
		server.sessions[i] = 1;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++) {
		assert_true(server.disabled[i]);
		assert_int_equal(server.sessions[i], 0);
	}
	assert_null(strstr(told, "207"));
}

/* It is killed once, and the others do not wait for it. */
static void test_a_long_rollback_holds_nobody_up(void **state)
{
	(void)state;
	server.sessions[0] = server.rollbacks[0] = 1;
	server.sessions[1] = 1;
	assert_int_equal(run(), 0);
	assert_int_equal(server.sessions[1], 0);
	assert_int_equal(server.kill_batches, 1);
}

/* Only the sessions from there, whether the journal knows the SID or not. */
static void test_a_source_that_left_ends_its_sessions(void **state)
{
	const struct source left = {.family = 2, .addr = {192, 0, 2, 0}, .prefix = 24};

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct sql_closing items[N];
		for (int i = 0; i < N; i++) {
			items[i] = closings[i];
			items[i].source = &left;
			items[i].sid.size = known ? items[i].sid.size : 0;
			server.sessions[i] = 1;
		}
		server.addresses[0] = "192.0.2.7";
		server.addresses[1] = "203.0.113.7";
		server.addresses[2] = "<local machine>";
		assert_int_equal(run_with(items, N), 0);
		assert_int_equal(server.sessions[0], 0);
		assert_int_equal(server.sessions[1], 1);
		assert_int_equal(server.sessions[2], 0);
		assert_false(server.disabled[0] || server.disabled[1] || server.disabled[2]);
		assert_string_equal(told, "session-kill acme.ann 0\nsession-kill acme.cat 0\n");
	}
}

/* As on a secondary replica: then nobody at another address is ended, and nobody twice. */
static void test_a_server_that_does_not_tell_who_rolls_back(void **state)
{
	const struct source left = {.family = 2, .addr = {192, 0, 2, 0}, .prefix = 24};
	struct sql_closing items[N];

	(void)state;
	for (int ends = 0; ends < 2; ends++) {
		reset(NULL);
		server.untold = !ends;
		server.ends_untold = ends;
		for (int i = 0; i < N; i++) {
			items[i] = closings[i];
			items[i].source = &left;
			server.sessions[i] = 1;
			server.addresses[i] = i == 1 ? "203.0.113.7" : "192.0.2.7";
		}
		server.rollbacks[0] = 1;
		assert_int_equal(run_with(items, N), 0);
		assert_int_equal(server.sessions[1], 1);
		assert_int_equal(server.sessions[2], 0);
		assert_int_equal(server.kill_batches, 1);
		assert_string_equal(told, "session-kill acme.ann 0\nsession-kill acme.cat 0\n");
	}
}

/* What has no answer yet goes over a new connection, once; and is told once. */
static void test_a_session_that_died_while_it_waited_is_opened_again(void **state)
{
	(void)state;
	for (unsigned at = 1; at <= 2; at++) {
		reset(NULL);
		is_early = true;
		server.lost_at = at;
		for (int i = 0; i < N; i++)
			server.sessions[i] = 1;
		assert_int_equal(run(), 0);
		for (int i = 0; i < N; i++) {
			assert_true(server.disabled[i]);
			assert_int_equal(server.sessions[i], 0);
			assert_non_null(strstr(told, closings[i].login));
		}
		assert_non_null(strstr(told, "session-kill acme.ann 0\n"));
		assert_non_null(strstr(strstr(told, "login-disable acme.cat 0\n") + 1, "\n"));
	}
	reset(NULL);
	is_early = true;
	server.loses_connection = true;
	assert_int_equal(run(), -ECONNRESET);
	assert_int_equal(questions, 2);
	/* One that did not wait is lost. */
	reset(NULL);
	server.lost_at = 1;
	assert_int_equal(run(), -ECONNRESET);
	assert_int_equal(questions, 1);
}

/* The server says so in an answer: what was not done is no login's failure. */
static void test_a_session_that_was_ended_while_it_waited_is_opened_again(void **state)
{
	(void)state;
	is_early = true;
	server.ended_at = 1;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++)
		assert_true(server.disabled[i]);
	assert_null(strstr(told, "596"));
	/* In any other the disables are sent again, by themselves. */
	reset(NULL);
	server.ended_at = 1;
	assert_int_equal(run(), 0);
	for (int i = 0; i < N; i++)
		assert_true(server.disabled[i]);
	assert_null(strstr(told, "596"));
}

/* Its login stays, and so do the others' sessions. */
static void test_one_session_alone_is_ended(void **state)
{
	const struct session_key key = {51, "2026-11-28T04:25:10", {{1}, 1}},
				 gone = {52, "2026-11-28T04:25:11", {{2}, 1}};
	struct sql_closing items[2] = {closings[0], closings[1]};

	(void)state;
	items[0].session = &key;
	items[1].session = &gone;
	server.sessions[0] = server.sessions[1] = 1;
	assert_int_equal(run_with(items, 2), 0);
	assert_int_equal(server.sessions[0], 0);
	assert_int_equal(server.sessions[1], 1);
	assert_false(server.disabled[0] || server.disabled[1]);
	assert_string_equal(told, "session-kill acme.ann 0\n");
}

/* Nobody knows its SID, and its row is locked: the others' sessions are found without it. */
static void test_a_name_that_cannot_be_looked_up_holds_nobody_up(void **state)
{
	struct sql_closing items[N];

	(void)state;
	memcpy(items, closings, sizeof(items));
	items[1].sid.size = 0;
	server.refuses_names = true;
	server.refuses_disable[1] = 1222;
	server.sessions[0] = server.sessions[2] = 1;
	assert_int_equal(run_with(items, N), 0);
	assert_int_equal(server.sessions[0], 0);
	assert_int_equal(server.sessions[2], 0);
	assert_non_null(strstr(told, "login-disable acme.ben 1222\n"));
}

static void test_a_lost_connection_is_told(void **state)
{
	(void)state;
	server.loses_connection = true;
	assert_int_equal(run(), -ECONNRESET);
	assert_non_null(strstr(told, "login-disable acme.ann -"));
	assert_non_null(strstr(told, "login-disable acme.cat -"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_two_round_trips_close_all, reset),
		cmocka_unit_test_setup(test_what_is_closed_already_is_no_news, reset),
		cmocka_unit_test_setup(test_one_that_is_refused_holds_nobody_up, reset),
		cmocka_unit_test_setup(test_a_session_that_ends_by_itself_is_no_failure, reset),
		cmocka_unit_test_setup(test_a_batch_that_is_ended_goes_on_behind, reset),
		cmocka_unit_test_setup(
			test_one_that_locks_itself_is_disabled_behind_its_end, reset),
		cmocka_unit_test_setup(test_a_lock_of_somebody_else_is_told, reset),
		cmocka_unit_test_setup(test_slow_disables_do_not_keep_sessions, reset),
		cmocka_unit_test_setup(test_slow_disables_get_on, reset),
		cmocka_unit_test_setup(test_one_that_was_put_off_and_fails_holds_nobody_up, reset),
		cmocka_unit_test_setup(test_slow_ones_that_were_locked_are_disabled, reset),
		cmocka_unit_test_setup(test_closing_needs_no_reading, reset),
		cmocka_unit_test_setup(test_a_long_rollback_holds_nobody_up, reset),
		cmocka_unit_test_setup(test_a_source_that_left_ends_its_sessions, reset),
		cmocka_unit_test_setup(test_a_server_that_does_not_tell_who_rolls_back, reset),
		cmocka_unit_test_setup(
			test_a_session_that_died_while_it_waited_is_opened_again, reset),
		cmocka_unit_test_setup(
			test_a_session_that_was_ended_while_it_waited_is_opened_again, reset),
		cmocka_unit_test_setup(test_one_session_alone_is_ended, reset),
		cmocka_unit_test_setup(test_a_name_that_cannot_be_looked_up_holds_nobody_up, reset),
		cmocka_unit_test_setup(test_a_lost_connection_is_told, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
