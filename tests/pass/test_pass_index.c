/* Finding what a server speaks of among thousands of grants and logins: each in its place, and in whatever case. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "pass/pass_internal.h"

#define TEXT(literal) ((char[]){literal})

static void test_grants_of_a_login_are_those_of_its_server(void **state)
{
	struct server servers[] = {{.name = TEXT("sql01")}, {.name = TEXT("sql02")}};
	struct user users[] = {{.login = TEXT("acme.bob")}, {.login = TEXT("Acme.Jane")},
		{.login = TEXT("acme.janet")}};
	struct database databases[] = {{.name = TEXT("One")}, {.name = TEXT("Two")}};
	struct grant grants[12];
	const struct program program = {.servers = servers, .n_servers = ARRAY_SIZE(servers)};
	struct pass p = {.o = {.program = &program}, .grants = {.items = grants}};
	size_t n;

	(void)state;
	for (size_t u = 0; u < 3; u++)
		for (size_t s = 0; s < 2; s++)
			for (size_t d = 0; d < 2; d++)
				grants[p.grants.n++] = (struct grant){.user = &users[u],
					.server = &servers[s],
					.database = &databases[d]};
	assert_int_equal(pass_index_build(&p), 0);
	const struct grant *const *found = pass_grants_of(&n, &p, "sql02", "ACME.JANE");
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_ptr_equal(found[i]->user, &users[1]);
		assert_ptr_equal(found[i]->server, &servers[1]);
	}
	for (size_t u = 0; u < 3; u++)
		assert_true(pass_login_is_named(&p, "sql01", users[u].login));
	pass_grants_of(&n, &p, "sql03", "acme.bob");
	assert_int_equal(n, 0);
	assert_false(pass_login_is_named(&p, "sql01", "acme.jan"));
	assert_false(pass_login_is_named(&p, "sql01", "acme.zoe"));
	free(p.index);
}

/* Acme's test database was the primary on sql01 when its access was seen, and is on sql02 now. */
static void test_a_replica_without_a_record_has_what_another_had(void **state)
{
	static const char *const replicas[] = {"sql02"};
	struct server servers[] = {
		{.name = TEXT("sql01"), .replicas = {.items = (char **)replicas, .n = 1}},
		{.name = TEXT("sql02")}, {.name = TEXT("sql03")}};
	struct program program = {.servers = servers, .n_servers = 3};
	struct user jane = {.login = TEXT("acme.jane")};
	struct database databases[] = {{.name = TEXT("Prod")}, {.name = TEXT("Test")}};
	struct grant grants[4];
	struct verified verified[] = {
		{.server = "sql01", .login = "acme.jane", .database = "Old", .level = LEVEL_FULL},
		{.server = "sql01", .login = "acme.jane", .database = "Prod", .level = LEVEL_FULL},
		{.server = "sql01", .login = "acme.jane", .database = "Test", .level = LEVEL_FULL},
		{.server = "sql02", .login = "acme.jane", .database = "Prod"},
		{.server = "sql03", .login = "acme.jane", .database = "Test", .level = LEVEL_FULL},
	};
	struct pass p = {.o = {.program = &program},
		.grants = {.items = grants},
		.verified = {verified, ARRAY_SIZE(verified)}};
	struct remembered *found;
	size_t n;

	(void)state;
	for (size_t s = 0; s < 2; s++)
		for (size_t d = 0; d < 2; d++)
			grants[p.grants.n++] = (struct grant){
				.user = &jane, .server = &servers[s], .database = &databases[d]};
	assert_int_equal(pass_index_build(&p), 0);
	assert_int_equal(pass_remembered(&found, &n, &p, "sql02"), 0);
	assert_int_equal(n, 2);
	assert_string_equal(found[0].database, "Prod");
	assert_int_equal(found[0].level, LEVEL_NONE); /* its own record counts */
	assert_string_equal(found[1].database, "Test");
	assert_int_equal(found[1].level, LEVEL_FULL);
	free(found);
	assert_int_equal(pass_remembered(&found, &n, &p, "sql03"), 0);
	assert_int_equal(n, 1);
	free(found);
	free(p.index);
}

/* As the journal has them: by bytes, of one name the living login first. */
static void test_a_login_of_the_inventory_is_found_in_any_case(void **state)
{
	struct identity items[] = {{.server = TEXT("sql01"), .login = TEXT("Bob")},
		{.server = TEXT("sql01"), .login = TEXT("jane")},
		{.server = TEXT("sql01"), .login = TEXT("jane"), .removed = 5},
		{.server = TEXT("sql02"), .login = TEXT("bob")}};
	const struct pass p = {.identities = {.items = items, .n = ARRAY_SIZE(items)}};

	(void)state;
	assert_ptr_equal(pass_identity(&p, "sql01", "Bob"), &items[0]);
	assert_ptr_equal(pass_identity(&p, "sql01", "bob"), &items[0]);
	assert_ptr_equal(pass_identity(&p, "sql01", "jane"), &items[1]);
	assert_ptr_equal(pass_identity(&p, "sql02", "BOB"), &items[3]);
	assert_null(pass_identity(&p, "sql02", "jane"));
	assert_null(pass_identity(&p, "sql03", "bob"));
}

static void test_what_is_known_of_a_server_is_in_a_row(void **state)
{
	struct verified_level proved[] = {{.server = TEXT("sql01"), .login = TEXT("a")},
		{.server = TEXT("sql02"), .login = TEXT("b")},
		{.server = TEXT("sql02"), .login = TEXT("c")}};
	struct verified verified[] = {
		{.server = "sql02"}, {.server = "sql02"}, {.server = "sql04"}};
	const struct pass p = {.levels = {.items = proved, .n = ARRAY_SIZE(proved)},
		.verified = {.items = verified, .n = ARRAY_SIZE(verified)}};
	size_t n = 9;

	(void)state;
	assert_ptr_equal(pass_verified_levels_of(&n, &p, "sql02"), &proved[1]);
	assert_int_equal(n, 2);
	assert_null(pass_verified_levels_of(&n, &p, "sql03"));
	assert_int_equal(n, 0);
	assert_ptr_equal(pass_verified_of(&n, &p, "sql02"), &verified[0]);
	assert_int_equal(n, 2);
	assert_null(pass_verified_of(&n, &p, "sql01"));
	assert_int_equal(n, 0);
}

/* Each of thousands of grants is asked for, and what left the configuration is as much; one of them moved, or none. */
static void test_where_nothing_moved_nothing_is_looked_through(void **state)
{
	enum { LEFTS = 200000, GRANTS = 30000 };
	struct left_access *lefts = calloc(LEFTS, sizeof(*lefts));
	struct grant *grants = calloc(GRANTS, sizeof(*grants));
	struct pass p = {.lefts = lefts, .n_lefts = LEFTS};

	(void)state;
	assert_true(lefts && grants);
	clock_t start = clock();
	for (size_t i = 0; i < GRANTS; i++)
		assert_false(pass_has_moved(&p, &grants[i]));
	assert_true(clock() - start < CLOCKS_PER_SEC);
	lefts[LEFTS - 1].moved_to = &grants[7];
	p.n_moved = 1;
	assert_true(pass_has_moved(&p, &grants[7]));
	assert_false(pass_has_moved(&p, &grants[8]));
	free(grants);
	free(lefts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grants_of_a_login_are_those_of_its_server),
		cmocka_unit_test(test_a_replica_without_a_record_has_what_another_had),
		cmocka_unit_test(test_a_login_of_the_inventory_is_found_in_any_case),
		cmocka_unit_test(test_what_is_known_of_a_server_is_in_a_row),
		cmocka_unit_test(test_where_nothing_moved_nothing_is_looked_through),
	};

	return cmocka_run_group_tests_name("pass-index", tests, NULL, NULL);
}
