/* What a server leaves out of sys.databases is unknown, and never the harmless thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../sql/played.h"
#include "catalog/catalog.h"

/* is_read_only, is_in_standby, and Updateability; the owner's settings are NULL too. */
#define DATABASE(id, name, read_only, updateability)                                               \
	{"sys.databases", {"database", id, "=" name, "0", "0", "~", read_only, read_only, "1",     \
				  updateability, "#01", "~", "~"}},                                \
	{                                                                                          \
		"USE [" name "]",                                                                  \
		{                                                                                  \
			"end", id, "1"                                                             \
		}                                                                                  \
	}

static void null_columns_of_a_database_are_unknown(void **state)
{
	static const struct played_row rows[] = {{"N'server'", {"server", "15.0", "7"}},
		{"sys.server_principals AS p;",
			{"principal", "1", "=sa", "#01", "S", "0", "1", "=master"}},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_columns_of_a_database_are_unknown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
