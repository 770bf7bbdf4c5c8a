/* What a server leaves out of sys.databases is unknown, and never the harmless thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../sql/played.h"
#include "catalog/catalog.h"

/* is_read_only, is_in_standby, and Updateability; the owner's settings are NULL too. */
#define DATABASE(id, name, read_only, updateability)                                               \
	{"sys.databases AS d;", {"database", id, "=" name, "0", "0", "~", read_only, read_only,    \
					"1", updateability, "#01", "~", "~", "~"}},                \
	{                                                                                          \
		"USE [" name "]",                                                                  \
		{                                                                                  \
			"end", id, "1"                                                             \
		}                                                                                  \
	}

static void test_null_columns_of_a_database_are_unknown(void **state)
{
	static const struct played_row rows[] = {{"N'server'", {"server", "15.0", "7"}},
		{"sys.server_principals AS p;",
			{"principal", "1", "=sa", "#01", "S", "0", "1", "=master", "~"}},
		DATABASE("5", "Acme", "~", "~"), DATABASE("6", "Closed", "~", "READ_WRITE"),
		DATABASE("7", "Copy", "~", "READ_ONLY"), DATABASE("8", "Plain", "0", "~")};
	struct server server = {.name = (char *)"sql1"};
	struct wanted_server wanted = {.server = &server};
	struct claims none = {0};
	struct sql_blocked blocked = {0};
	struct observed_server o;
	struct sql_error error;

	(void)state;
	played_rows = rows;
	n_played_rows = ARRAY_SIZE(rows);
	assert_int_equal(sql_observe_server(&o, &error, NULL, &wanted, &none, NULL, 0, NULL), 0);
	assert_int_equal(sql_observe_databases(&o, &error, NULL, &wanted, &none, &blocked), 0);
	assert_string_equal(observed_find_database(&o, "Acme")->unwritable,
		"the server does not tell whether it can be changed");
	assert_null(observed_find_database(&o, "Closed")->unwritable);
	assert_string_equal(
		observed_find_database(&o, "Copy")->unwritable, "it is a read-only copy");
	assert_null(observed_find_database(&o, "Plain")->unwritable);
	assert_true(observed_find_database(&o, "Plain")->chaining);
	assert_true(observed_find_database(&o, "Plain")->trustworthy);
	sql_blocked_free(&blocked);
	observed_free(&o);
}

/* Its name is told, or its files alone are shown; the third was dropped, and the fourth has a row. */
static void test_what_no_row_shows_is_looked_for_by_its_id(void **state)
{
	static const struct played_row rows[] = {{"DB_NAME(7)", {"hidden", "7", "=AcmeOld", "2"}},
		{"DB_NAME(8)", {"hidden", "8", "~", "2"}},
		{"DB_NAME(9)", {"hidden", "9", "~", "0"}}};
	const int ids[] = {7, 8, 7, 9, 5};
	struct observed_database *shown = calloc(1, sizeof(*shown));
	struct observed_server o = {.databases = shown, .n_databases = 1};
	struct sql_error error = {0};

	(void)state;
	*shown = (struct observed_database){.id = 5, .name = strdup("Acme")};
	played_rows = rows;
	n_played_rows = ARRAY_SIZE(rows);
	assert_int_equal(sql_observe_hidden(&o, &error, NULL, ids, ARRAY_SIZE(ids)), 0);
	assert_int_equal(o.n_databases, 3);
	assert_int_equal(observed_find_database(&o, "AcmeOld")->id, 7);
	assert_null(observed_find_database(&o, "AcmeOld")->unread);
	assert_string_equal(observed_find_database(&o, "database_id 8")->unread,
		"the server tells neither its name nor its state");
	/* Nobody knows what a server has that does not answer. */
	refused = "DB_NAME(9)";
	assert_int_equal(sql_observe_hidden(&o, &error, NULL, &ids[3], 1), 0);
	refused = NULL;
	assert_int_equal(o.n_unreadable, 1);
	assert_non_null(strstr(o.unreadable[0].text, "databases by their ids"));
	observed_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_null_columns_of_a_database_are_unknown),
		cmocka_unit_test(test_what_no_row_shows_is_looked_for_by_its_id)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
