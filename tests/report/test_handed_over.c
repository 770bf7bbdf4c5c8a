/* Which server has a password that was handed over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "curfew/report.h"

#define AT 1795446000

static struct journal_entry events[] = {
	{.at = AT - 900, .login = "beta.bob.ray", .server = "sql02"},
	{.at = AT, .login = "acme.jane.doe", .server = "sql01"},
};

static instant_t handed_over(const char *server, instant_t created)
{
	const struct journal_entries all = {events, ARRAY_SIZE(events)};

	return handed_over_at(&all, server, "Acme.Jane.Doe", created);
}

/* Not where the password could not be set, and not one from before the login was created again. */
static void test_of_one_server(void **state)
{
	(void)state;
	assert_int_equal(handed_over("sql01", AT - 100), AT);
	assert_int_equal(handed_over("sql01", AT + 30), AT);
	assert_int_equal(handed_over("sql01", AT + 3600), 0);
	assert_int_equal(handed_over("sql02", AT - 100), 0);
}

/* Records of older versions do not say where. */
static void test_without_a_server(void **state)
{
	(void)state;
	events[1].server = NULL;
	assert_int_equal(handed_over("sql02", AT - 100), AT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_one_server),
		cmocka_unit_test(test_without_a_server),
	};
	return cmocka_run_group_tests_name("handed over", tests, NULL, NULL);
}
