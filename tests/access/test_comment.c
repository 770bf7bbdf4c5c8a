/* Whom an element's comment names: in a list, cut, and by hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "curfew/comment.h"

static const char both[] = "acme/acme.jane.doe, gamma/gamma.bo.li";

static void test_every_name_of_the_list_counts(void **state)
{
	(void)state;
	assert_true(comment_names(both, "acme", NULL));
	assert_true(comment_names(both, "gamma", NULL));
	assert_true(comment_names(both, "gamma", "gamma.bo.li"));
	assert_true(comment_names(both, NULL, "gamma.bo.li"));
	assert_true(comment_names(both, NULL, "acme.jane.doe"));
	assert_true(comment_names(both, NULL, NULL));
	assert_false(comment_names(both, "acme", "gamma.bo.li"));
	/* Neither a part of a name nor a longer one. */
	assert_false(comment_names(both, "amma", NULL));
	assert_false(comment_names(both, "gamm", NULL));
	assert_false(comment_names(both, "acme", "acme.jane"));
	assert_false(comment_names(both, NULL, "acme.jane.do"));
	assert_false(comment_names(both, NULL, "jane.doe"));
	assert_false(comment_names("", "acme", NULL));
	assert_false(comment_names("sql07", NULL, NULL));
}

static void test_a_cut_one_counts_as_far_as_it_goes(void **state)
{
	static const char cut[] = "acme/acme.jane.doe, gamma/gamma.b...";

	(void)state;
	assert_true(comment_is_cut(cut));
	assert_false(comment_is_cut(both));
	assert_false(comment_is_cut(".."));
	assert_true(comment_names(cut, "gamma", "gamma.bo.li"));
	assert_true(comment_names(cut, "acme", "acme.jane.doe"));
	assert_false(comment_names(cut, "gamma", "gamma.al.li"));
	assert_false(comment_names(cut, "acme", "acme.jane.doering"));
	assert_false(comment_names(cut, NULL, "gamma.bo.li"));
	assert_false(comment_names("acme/acme.jane.doe, gam...", "gamma", NULL));
}

static void test_hostile_names_are_found_as_they_were_written(void **state)
{
	(void)state;
	assert_true(comment_names("a_b/x_y, c/z", "a\"b", "x\\y"));
	assert_true(comment_names("c/z, a_b/x",
		"a\xe2\x80\xae"
		"b",
		NULL));
	assert_true(comment_names("a_b/x", "a_b", "x"));
	assert_false(comment_names("a_b/x", "a-b", "x"));
	assert_false(comment_names("a_b/x", "a\"c", "x"));
	/* Read in both ways. */
	assert_true(comment_names("a/b/c", "a", "b/c"));
	assert_true(comment_names("a/b/c", "a/b", "c"));
}

static void only_is(const char *comment, const char *client, const char *login)
{
	char *c, *l;

	assert_int_equal(comment_only(&c, &l, comment), 0);
	if (client)
		assert_string_equal(c, client);
	else
		assert_null(c);
	if (login)
		assert_string_equal(l, login);
	else
		assert_null(l);
	free(c);
	free(l);
}

static void test_whose_it_is_alone(void **state)
{
	(void)state;
	only_is("acme/acme.jane.doe", "acme", "acme.jane.doe");
	only_is("acme/acme.jane.doe, acme/acme.john.roe", "acme", NULL);
	only_is(both, NULL, NULL);
	only_is("acme/acme.jane.doe, acme/acme.jo...", NULL, NULL);
	only_is("a/b/c", NULL, NULL);
	only_is("sql07", NULL, NULL);
	only_is("", NULL, NULL);
	only_is("acme/x, ", NULL, NULL);
}

/* A certificate says that nothing of the client is there: whoever stands second counts, and whom nobody can read. */
static void test_an_element_that_may_be_the_clients(void **state)
{
	static char name[] = "gamma";
	struct source sources[2];
	struct endpoint endpoints[2];
	struct server servers[2] = {{.endpoints = &endpoints[0], .n_endpoints = 1},
		{.endpoints = &endpoints[1], .n_endpoints = 1}};
	struct program p = {.servers = servers, .n_servers = 2};
	struct user users[1] = {{.sources = sources, .n_sources = 1}};
	struct database databases[1] = {{.server = 0}};
	struct client gamma = {.name = name,
		.users = users,
		.n_users = 1,
		.databases = databases,
		.n_databases = 1};
	static const char cut[] = "acme/acme.jane.doe, acme/acme.john....";

	(void)state;
	assert_int_equal(source_parse(&sources[0], "203.0.113.7"), 0);
	assert_int_equal(source_parse(&sources[1], "203.0.113.8"), 0);
	assert_int_equal(endpoint_parse(&endpoints[0], "192.0.2.10:1433"), 0);
	assert_int_equal(endpoint_parse(&endpoints[1], "192.0.2.10:1434"), 0);
	assert_true(comment_may_name(both, &sources[1], &endpoints[1], &p, &gamma));
	assert_false(comment_may_name("acme/acme.x", &sources[0], &endpoints[0], &p, &gamma));
	assert_true(comment_may_name(cut, &sources[0], &endpoints[0], &p, &gamma));
	assert_false(comment_may_name(cut, &sources[1], &endpoints[0], &p, &gamma));
	assert_false(comment_may_name(cut, &sources[0], &endpoints[1], &p, &gamma));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_name_of_the_list_counts),
		cmocka_unit_test(test_a_cut_one_counts_as_far_as_it_goes),
		cmocka_unit_test(test_hostile_names_are_found_as_they_were_written),
		cmocka_unit_test(test_whose_it_is_alone),
		cmocka_unit_test(test_an_element_that_may_be_the_clients),
	};
	return cmocka_run_group_tests_name("comment", tests, NULL, NULL);
}
