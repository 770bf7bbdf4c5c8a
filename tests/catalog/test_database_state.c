/* What an error, or a state, says of a database that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/catalog.h"

/* By the product's own list: 978 and 979 are opposites. */
static void test_errors_of_replicas_are_told_apart(void **state)
{
	(void)state;
	assert_non_null(strstr(database_error_words(978), "only read-intent"));
	assert_non_null(strstr(database_error_words(979), "no read-only"));
	assert_non_null(strstr(database_error_words(988), "quorum"));
	assert_null(database_error_words(208));
}

/* 923 is of ALTER DATABASE SET RESTRICTED_USER, 924 of SINGLE_USER. */
static void test_restricted_is_not_single_user(void **state)
{
	(void)state;
	assert_non_null(strstr(database_error_words(923), "restricted mode"));
	assert_non_null(strstr(database_error_words(924), "single-user mode"));
}

/* Not what only the server does, or who runs it: whoever controls the database alone cannot bring that about. */
static void test_what_keeps_the_agent_out_is_told_apart(void **state)
{
	static const int by_its_owner[] = {229, 916, 923, 924},
			 by_others[] = {911, 921, 922, 926, 927, 942, 945, 952, 976, 1205, 1222};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(by_its_owner); i++)
		assert_true(database_is_barred(by_its_owner[i]));
	for (size_t i = 0; i < ARRAY_SIZE(by_others); i++)
		assert_false(database_is_barred(by_others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restricted_is_not_single_user),
		cmocka_unit_test(test_errors_of_replicas_are_told_apart),
		cmocka_unit_test(test_what_keeps_the_agent_out_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
