/* What one database has does not take the memory from the others of its server: the one that takes most is unread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sql/played_session.h"
#include "catalog/catalog.h"

enum { BIG = 5, ZETA = 6 };

static struct observed_database databases[2];
static struct observed_server server = {.databases = databases};
/* There is no memory for Zeta's rows as long as Big's are there; else there is none for Big's. */
static bool big_comes_first;

static void users_give(sql_row_fn each, void *context, int database, unsigned n)
{
	char id[16], in[16];
	struct sql_value v[8] = {{"user", 4}, {in, 1}, {id, 1}, {"a\0n\0n\0", 6}, {"\x07", 1},
		{"S", 1}, {NULL, 0}, {"1", 1}};

	snprintf(in, sizeof(in), "%d", database);
	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "%u", i + 5);
		assert_int_equal(each(context, v, ARRAY_SIZE(v)), 0);
	}
}

static void end_give(sql_row_fn each, void *context, int database)
{
	char in[16];
	struct sql_value v[3] = {{"end", 3}, {in, 1}, {"1", 1}};

	snprintf(in, sizeof(in), "%d", database);
	assert_int_equal(each(context, v, ARRAY_SIZE(v)), 0);
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	const struct observed_database *big = observed_find_database(&server, "BigTest");
	bool asks_big = strstr(batch, "[BigTest]"), asks_zeta = strstr(batch, "[ZetaTest]");

	(void)s;
	*error = (struct sql_error){0};
	if (asks_big && asks_zeta)
		return -ENOMEM;
	if (asks_big) {
		users_give(each, context, BIG, 1000);
		if (!big_comes_first)
			return -ENOMEM;
		end_give(each, context, BIG);
	}
	if (asks_zeta) {
		users_give(each, context, ZETA, 2);
		if (big->read)
			return -ENOMEM;
		end_give(each, context, ZETA);
	}
	return 0;
}

static void databases_read(const char *first, const char *second)
{
	static struct server sql01 = {.name = (char *)"sql01"};
	const struct wanted_server wanted = {.server = &sql01};
	const char *const names[] = {first, second};
	const struct claims none = {0};
	struct sql_blocked blocked = {0};
	struct sql_error error;

	server.n_databases = 2;
	for (size_t i = 0; i < 2; i++)
		databases[i] = (struct observed_database){.name = strdup(names[i]),
			.id = streq(names[i], "BigTest") ? BIG : ZETA,
			.accessible = true,
			.managed = true};
	assert_int_equal(sql_observe_databases(&server, &error, NULL, &wanted, &none, &blocked), 0);
	sql_blocked_free(&blocked);
}

static void zeta_is_read(void)
{
	const struct observed_database *big = observed_find_database(&server, "BigTest");
	const struct observed_database *zeta = observed_find_database(&server, "ZetaTest");

	assert_true(zeta->read);
	assert_null(zeta->unread);
	assert_int_equal(zeta->n_users, 2);
	assert_false(big->read);
	assert_true(big->barred);
	assert_non_null(strstr(big->unread, "memory"));
	assert_int_equal(big->n_users, 0);
	for (size_t i = 0; i < 2; i++)
		observed_database_free(&databases[i]);
}

static void test_it_does_not_fit(void **state)
{
	(void)state;
	big_comes_first = false;
	databases_read("BigTest", "ZetaTest");
	zeta_is_read();
	databases_read("ZetaTest", "BigTest");
	zeta_is_read();
}

static void test_another_does_not_fit_beside_it(void **state)
{
	(void)state;
	big_comes_first = true;
	databases_read("BigTest", "ZetaTest");
	zeta_is_read();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_does_not_fit),
		cmocka_unit_test(test_another_does_not_fit_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
