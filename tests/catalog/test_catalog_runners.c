/* What runs in a database as another than its caller: a DDL trigger has no schema, and a kind that is not known spoils the
 * reading, because it would be left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../sql/played.h"
#include "catalog/catalog.h"

static int row(struct raw_catalog *raw, const char *kind, const struct sql_value *schema,
	const char *runs_as)
{
	char room[20];
	const struct sql_value values[] = {{"runner", 6}, {"5", 1}, {kind, 1}, *schema,
		played_name(room, "Nightly"), {runs_as, strlen(runs_as)}};

	return catalog_database_row(raw, values, ARRAY_SIZE(values));
}

static void test_each_kind_is_taken(void **state)
{
	static const char *const kinds[] = {"1", "2", "3", "4", "5"};
	struct raw_catalog raw = {.database = 5};
	char room[10];
	const struct sql_value dbo = played_name(room, "dbo"), none = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_int_equal(row(&raw, kinds[i], i < 4 ? &dbo : &none, i ? "1" : "-2"), 0);
	assert_int_equal(raw.n_runners, ARRAY_SIZE(kinds));
	assert_int_equal(raw.runners[0].kind, RUNNER_MODULE);
	assert_true(raw.runners[0].as_owner);
	assert_string_equal(raw.runners[0].schema, "dbo");
	assert_int_equal(raw.runners[4].kind, RUNNER_DDL_TRIGGER);
	assert_false(raw.runners[4].as_owner);
	assert_string_equal(raw.runners[4].schema, "");
	assert_string_equal(raw.runners[4].name, "Nightly");
	assert_int_equal(row(&raw, "0", &dbo, "1"), -EBADMSG);
	assert_int_equal(row(&raw, "6", &dbo, "1"), -EBADMSG);
	raw_catalog_free(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
