/* The system log of a pass: each change has its line, and above a hundred on one server the rest have one together. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "service/change_log.h"

static struct record outcome(const char *server, enum change_kind kind, enum state state)
{
	struct record r = {.kind = RECORD_OUTCOME, .state = state};

	r.change.kind = kind;
	RECORD_SET(&r, server, server);
	return r;
}

static struct record element(enum firewall_change_kind kind)
{
	struct record r = {.kind = RECORD_NETWORK_OUTCOME, .state = STATE_OK};

	r.network = (struct record_network){.kind = kind};
	RECORD_SET(&r, server, "network");
	return r;
}

/* How many of n such changes have a line of their own. */
static size_t lines_of(struct change_log *l, const struct record *r, size_t n)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += change_log_take(l, r);
	return lines;
}

/* What the end of the pass says; and that it forgets. */
static void end_expect(struct change_log *l, const char *expected)
{
	char text[2048] = "";
	int pipes[2], old = dup(STDERR_FILENO);

	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	dup2(pipes[1], STDERR_FILENO);
	change_log_end(l, LOG_CHANGE, &(struct log_fields){.actor = "service"});
	dup2(old, STDERR_FILENO);
	(void)!read(pipes[0], text, sizeof(text) - 1);
	assert_string_equal(text, expected);
	assert_int_equal(l->n, 0);
	close(old);
	close(pipes[0]);
	close(pipes[1]);
}

static void test_a_hundred_have_a_line_each(void **state)
{
	struct change_log l = {0};
	const struct record r = outcome("sql01", CHANGE_USER_DROP, STATE_OK);

	(void)state;
	assert_int_equal(lines_of(&l, &r, 100), 100);
	end_expect(&l, "");
}

static void test_the_others_have_one_together_with_the_count_by_kind(void **state)
{
	struct change_log l = {0};
	const struct record create = outcome("sql01", CHANGE_LOGIN_CREATE, STATE_OK),
			    user = outcome("sql01", CHANGE_USER_CREATE, STATE_OK),
			    other = outcome("sql02", CHANGE_USER_CREATE, STATE_OK);

	(void)state;
	assert_int_equal(lines_of(&l, &create, 60), 60);
	assert_int_equal(lines_of(&l, &user, 60), 40);
	assert_int_equal(lines_of(&l, &other, 60), 60);
	end_expect(&l,
		"<5>curfew: sql01: 120 changes made, the first 100 of them with a line each: login-create 60, "
		"user-create 60; `curfew history` has all\n");
}

static void test_a_failure_is_not_lost_behind_those_that_were_made(void **state)
{
	struct change_log l = {0};
	const struct record made = outcome("sql01", CHANGE_LOGIN_DISABLE, STATE_OK),
			    failed = outcome("sql01", CHANGE_LOGIN_DROP, STATE_DRIFT);

	(void)state;
	assert_int_equal(lines_of(&l, &made, 500), 100);
	assert_int_equal(lines_of(&l, &failed, 1), 1);
	assert_int_equal(lines_of(&l, &failed, 100), 99);
	end_expect(&l,
		"<5>curfew: sql01: 500 changes made, the first 100 of them with a line each: login-disable 500; "
		"`curfew history` has all\n"
		"<3>curfew: sql01: 101 changes failed, the first 100 of them with a line each: login-drop 101; "
		"`curfew history` has all\n");
}

static void test_the_packet_filter_counts_its_own_kinds(void **state)
{
	struct change_log l = {0};
	const struct record add = element(FIREWALL_ALLOW_ADD), end = element(FIREWALL_ALLOW_REMOVE);

	(void)state;
	assert_int_equal(lines_of(&l, &add, 60000), 100);
	assert_int_equal(lines_of(&l, &end, 3), 0);
	end_expect(&l,
		"<5>curfew: network: 60003 changes made, the first 100 of them with a line each: add 60000, "
		"remove 3; `curfew history` has all\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_hundred_have_a_line_each),
		cmocka_unit_test(test_the_others_have_one_together_with_the_count_by_kind),
		cmocka_unit_test(test_a_failure_is_not_lost_behind_those_that_were_made),
		cmocka_unit_test(test_the_packet_filter_counts_its_own_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
