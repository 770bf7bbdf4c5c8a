/* Which of a login's recorded failures is of the last pass: its records have times of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "commands/last_failure.h"

#define OUTCOME(number, when, what, came)                                                          \
	{                                                                                          \
		.id = (number), .kind = JOURNAL_OUTCOME, .at = (when), .server = "sql01",          \
		.login = "acme.jane.doe", .database = "AcmeTest", .action = (what),                \
		.outcome = (came), .statement = what " of " #number                                \
	}
#define PROOF(number, when, on)                                                                    \
	{                                                                                          \
		.id = (number), .kind = JOURNAL_PROOF, .at = (when), .server = (on),               \
		.login = "acme.jane.doe"                                                           \
	}

static void test_a_slow_pass(void **state)
{
	struct journal_entry items[] = {OUTCOME(1, 100, "user-create", "failed"),
		PROOF(2, 101, "sql01"), OUTCOME(3, 200, "role-add", "failed"),
		PROOF(4, 220, "sql02"), OUTCOME(5, 260, "role-drop", "failed"),
		OUTCOME(6, 261, "user-drop", "done"), PROOF(7, 262, "sql01")};
	const struct journal_entries all = {items, ARRAY_SIZE(items)};
	char *text = last_failure_statements(&all, "sql01");

	(void)state;
	assert_int_equal(last_failure(&all, "sql01")->id, 3);
	assert_string_equal(text, "role-add of 3 role-drop of 5");
	free(text);
}

/* The last pass has made good what failed before, or the object is gone. */
static void test_an_earlier_pass(void **state)
{
	struct journal_entry items[] = {OUTCOME(1, 100, "user-create", "failed"),
		PROOF(2, 100, "sql01"), OUTCOME(3, 100, "role-add", "done"),
		PROOF(4, 100, "sql01")};
	const struct journal_entries all = {items, ARRAY_SIZE(items)};

	(void)state;
	assert_null(last_failure(&all, "sql01"));
	assert_null(last_failure_statements(&all, "sql01"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_slow_pass),
		cmocka_unit_test(test_an_earlier_pass),
	};
	return cmocka_run_group_tests_name("last failure", tests, NULL, NULL);
}
