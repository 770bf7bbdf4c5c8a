/* Whoever is in a fixed role owns what that owns: only the schemas that are there from the start are nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "catalog/catalog.h"

#define NAME(text) (char *)(text)

static struct raw_principal principals[] = {
	{.id = 0, .name = NAME("public"), .type = 'R', .owner = 1},
	{.id = 1, .name = NAME("dbo"), .type = 'S'}, {.id = 2, .name = NAME("guest"), .type = 'S'},
	{.id = 4, .name = NAME("sys"), .type = 'S'}, {.id = 5, .name = NAME("jane"), .type = 'S'},
	{.id = 9, .name = NAME("seniors"), .type = 'R', .owner = 16390},
	{.id = 16384, .name = NAME("db_owner"), .type = 'R', .owner = 1},
	{.id = 16390, .name = NAME("db_datareader"), .type = 'R', .owner = 1},
	{.id = 16400, .name = NAME("late"), .type = 'R', .owner = 1}};
static struct raw_thing schemas[] = {{.id = 1, .owner = 1, .owned = true, .name = NAME("dbo")},
	{.id = 2, .owner = 2, .owned = true, .name = NAME("guest")},
	{.id = 4, .owner = 4, .owned = true, .name = NAME("sys")},
	{.id = 5, .owner = 5, .owned = true, .name = NAME("jane")},
	{.id = 6, .owner = 16390, .owned = true, .name = NAME("sales")},
	{.id = 7, .owner = 0, .owned = true, .name = NAME("open")},
	/* Dropped and made again. */
	{.id = 8, .owner = 16384, .owned = true, .name = NAME("db_owner")},
	{.id = 16390, .owner = 16390, .owned = true, .name = NAME("db_datareader")},
	{.id = 16400, .owner = 16400, .owned = true, .name = NAME("late")}};
static struct raw_thing objects[] = {{.id = 100, .schema = 6, .name = NAME("orders")},
	{.id = 101, .schema = 6, .owner = 2, .owned = true, .name = NAME("mine")},
	{.id = 102, .schema = 6, .owner = 0, .owned = true, .name = NAME("ours")}};

static void test_what_others_own_is_seen(void **state)
{
	static const char *const wanted[][3] = {{"SCHEMA", "jane", "jane"},
		{"SCHEMA", "sales", "db_datareader"}, {"SCHEMA", "open", "public"},
		{"SCHEMA", "db_owner", "db_owner"}, {"SCHEMA", "late", "late"},
		{"OBJECT", "mine", "guest"}, {"OBJECT", "ours", "public"},
		{"ROLE", "seniors", "db_datareader"}};
	struct raw_catalog raw = {.principals = principals,
		.n_principals = ARRAY_SIZE(principals),
		.schemas = {schemas, ARRAY_SIZE(schemas)},
		.objects = {objects, ARRAY_SIZE(objects)}};
	struct observed_server o = {.databases = calloc(1, sizeof(*o.databases)), .n_databases = 1};
	struct observed_database *d = o.databases;

	(void)state;
	assert_non_null(d);
	raw_catalog_sort(&raw);
	assert_int_equal(catalog_owned_join(d, &raw), 0);
	assert_int_equal(d->n_owned, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < d->n_owned; i++) {
		assert_string_equal(d->owned[i].kind, wanted[i][0]);
		assert_string_equal(d->owned[i].name, wanted[i][1]);
		assert_string_equal(d->owned[i].owner, wanted[i][2]);
	}
	observed_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_others_own_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
