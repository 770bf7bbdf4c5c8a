/* What an error, or a state, says of a database that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/catalog.h"

/* By the product's own list: 978 and 979 are opposites. */
static void errors_of_replicas_are_told_apart(void **state)
{
	(void)state;
	assert_non_null(strstr(database_error_words(978), "only read-intent"));
	assert_non_null(strstr(database_error_words(979), "no read-only"));
	assert_non_null(strstr(database_error_words(988), "quorum"));
	assert_null(database_error_words(208));
}

/* 923 is of ALTER DATABASE SET RESTRICTED_USER, 924 of SINGLE_USER. */
static void restricted_is_not_single_user(void **state)
{
	(void)state;
	assert_non_null(strstr(database_error_words(923), "restricted mode"));
	assert_non_null(strstr(database_error_words(924), "single-user mode"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restricted_is_not_single_user),
		cmocka_unit_test(errors_of_replicas_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
