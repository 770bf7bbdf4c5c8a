/* The observation against servers that do not answer as asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../sql/played.h"
#include "catalog/catalog.h"

#define SERVER                                                                                     \
	{                                                                                          \
		"N'server'",                                                                       \
		{                                                                                  \
			"server", "15.0", "7"                                                      \
		}                                                                                  \
	}
#define SA                                                                                         \
	{                                                                                          \
		"sys.server_principals AS p;",                                                     \
		{                                                                                  \
			"principal", "1", "=sa", "#01", "S", "0", "1", "=master", "~"              \
		}                                                                                  \
	}
#define JANE                                                                                       \
	{                                                                                          \
		"sys.server_principals AS p;",                                                     \
		{                                                                                  \
			"principal", "7", "=acme.jane", "#07", "S", "0", "1", "=master", "~"       \
		}                                                                                  \
	}
#define MARK                                                                                       \
	{                                                                                          \
		"sys.server_principals AS p;",                                                     \
		{                                                                                  \
			"principal", "9", "=curfew_logins", "#09", "R", "0", "1", "~", "1"         \
		}                                                                                  \
	}
#define MARKED                                                                                     \
	{                                                                                          \
		"sys.server_role_members",                                                         \
		{                                                                                  \
			"server-member", "9", "7"                                                  \
		}                                                                                  \
	}
#define DATABASE(id, name, state, access, source, read_only)                                       \
	{                                                                                          \
		"sys.databases AS d;",                                                             \
		{                                                                                  \
			"database", id, "=" name, state, access, source, read_only, "0", "1",      \
				"READ_WRITE", "#01", "0", "0", "2026-08-10T09:00:00.000"           \
		}                                                                                  \
	}
#define IN(name) "USE [" name "]"
#define END(id, in)                                                                                \
	{                                                                                          \
		IN(in),                                                                            \
		{                                                                                  \
			"end", id, "1"                                                             \
		}                                                                                  \
	}

static struct user joe = {.login = (char *)"acme.jane"};
static struct database configured = {.name = (char *)"Acme"};
static struct grant grant = {.user = &joe, .database = &configured, .level = LEVEL_FULL};
static const struct grant *const grants[] = {&grant};
static struct server server = {.name = (char *)"sql01"};
static const struct wanted_server wanted = {
	.server = &server, .grants = (const struct grant **)grants, .n_grants = 1};

static int observe(struct observed_server *o, const struct played_row *rows, size_t n)
{
	static const struct claims none;
	struct sql_blocked blocked = {0};
	struct sql_error error;

	played_rows = rows;
	n_played_rows = n;
	questions = 0;
	int rc = sql_observe_server(o, &error, NULL, &wanted, &none, NULL, 0, NULL);
	if (!rc && (rc = sql_observe_databases(o, &error, NULL, &wanted, &none, &blocked)))
		observed_free(o);
	sql_blocked_free(&blocked);
	return rc;
}
#define OBSERVE(o, rows) observe((o), (rows), ARRAY_SIZE(rows))

static int reset(void **state)
{
	(void)state;
	refused = ended_in = NULL;
	refused_number = 195;
	return 0;
}

/* Nothing may be verified on it: the proofs ask for just these words. */
static void test_a_server_that_hides_our_rights_is_told(void **state)
{
	static const struct played_row rows[] = {SERVER, SA};
	struct observed_server o;

	(void)state;
	refused = "HAS_PERMS_BY_NAME(NULL";
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_int_equal(o.n_unreadable, 1);
	assert_string_equal(
		o.unreadable[0].text, "the agent login's permissions: the permission query failed");
	assert_string_equal(o.version, "15.0");
	observed_free(&o);
	refused = "sys.server_principals AS p;";
	assert_int_equal(OBSERVE(&o, rows), SQL_SERVER_ERROR);
}

static void test_a_right_may_be_held_in_parts(void **state)
{
	static const struct played_row parts[] = {SERVER, SA,
		{"N'right'", {"right", "3", "0", "0"}}, {"N'right'", {"right", "3", "1", "1"}},
		{"N'right'", {"right", "3", "2", "1"}}};
	static const struct played_row half[] = {SERVER, SA, {"N'right'", {"right", "3", "0", "0"}},
		{"N'right'", {"right", "3", "1", "1"}}, {"N'right'", {"right", "3", "2", "~"}},
		{"N'right'", {"right", "2", "0", "0"}}};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, parts), 0);
	assert_int_equal(o.n_missing_rights, 0);
	observed_free(&o);
	assert_int_equal(OBSERVE(&o, half), 0);
	assert_int_equal(o.n_missing_rights, 2);
	assert_string_equal(o.missing_rights[0], "VIEW ANY DATABASE");
	assert_string_equal(o.missing_rights[1], "VIEW SERVER STATE");
	observed_free(&o);
}

static void test_the_mark_and_a_login_are_joined_by_their_ids(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, JANE, MARK, MARKED,
		{"sys.server_permissions",
			{"server-permission", "101", "G", "CONTROL", "9", "7", "1"}},
		{"LOGINPROPERTY", {"condition", "#07", "1", "0", "~", "12", "5"}}};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	const struct observed_login *l = observed_find_login(&o, "acme.jane");
	assert_non_null(l);
	assert_true(o.mark_role && l->marked);
	assert_int_equal(o.n_members, 0);
	assert_int_equal(o.n_permissions, 1);
	assert_string_equal(o.permissions[0].schema, "SERVER ROLE");
	assert_string_equal(o.permissions[0].object, "curfew_logins");
	assert_string_equal(o.permissions[0].grantee, "acme.jane");
	assert_int_equal(l->locked, 1);
	assert_int_equal(l->must_change, -1);
	assert_int_equal(l->bad_passwords, 5);
	observed_free(&o);
}

#define USERS(id, in)                                                                              \
	{IN(in), {"user", id, "0", "=public", "~", "R", "1", "0"}},                                \
		{IN(in), {"user", id, "1", "=dbo", "#01", "S", "~", "1"}},                         \
		{IN(in), {"user", id, "5", "=acme.jane", "#07", "S", "~", "1"}},                   \
		{IN(in), {"schema", id, "1", "=dbo", "~", "1"}},                                   \
	{                                                                                          \
		IN(in),                                                                            \
		{                                                                                  \
			"schema", id, "6", "=sales", "~", "5"                                      \
		}                                                                                  \
	}

static void test_ids_of_a_database_are_joined(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, JANE,
		DATABASE("5", "Acme", "0", "0", "~", "0"),
		{"DB_ID(N'Acme')", {"database-id", "0", "5"}}, USERS("5", "Acme"),
		{IN("Acme"), {"object", "5", "100", "=orders", "6", "~"}},
		{IN("Acme"), {"object", "5", "101", "=mine", "6", "5"}},
		{IN("Acme"), {"column", "5", "2", "=price", "100", "~"}},
		{IN("Acme"), {"permission", "5", "1", "G", "SELECT", "100", "2", "0", "1"}},
		{IN("Acme"), {"permission", "5", "1", "W", "UPDATE", "101", "0", "0", "5"}},
		{IN("Acme"), {"permission", "5", "1", "G", "SELECT", "100", "3", "0", "1"}},
		{IN("Acme"), {"permission", "5", "3", "D", "INSERT", "6", "0", "5", "1"}},
		{IN("Acme"), {"rarer", "5", "32", "7", "=outside", "~", "~"}},
		{IN("Acme"), {"permission", "5", "32", "G", "CONTROL", "7", "0", "5", "1"}},
		END("5", "Acme")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	const struct observed_database *d = observed_find_database(&o, "Acme");
	assert_true(d && d->read && d->managed && !d->unread);
	assert_int_equal(d->n_permissions, 5);
	assert_string_equal(d->permissions[0].schema, "sales");
	assert_string_equal(d->permissions[0].object, "orders");
	assert_string_equal(d->permissions[0].column, "price");
	assert_false(d->permissions[0].owner_apart);
	assert_true(d->permissions[1].owner_apart);
	assert_string_equal(d->permissions[1].grantor, "acme.jane");
	/* A column that is not there: never the table. */
	assert_null(d->permissions[2].object);
	assert_string_equal(d->permissions[3].schema, "sales");
	assert_string_equal(d->permissions[4].schema, "DATABASE SCOPED CREDENTIAL");
	assert_string_equal(d->permissions[4].object, "outside");
	assert_int_equal(d->n_owned, 2);
	assert_string_equal(d->owned[0].kind, "SCHEMA");
	assert_string_equal(d->owned[1].name, "mine");
	assert_int_equal(d->n_schemas, 2);
	observed_free(&o);
}

/* A USE that failed and a batch that went on: what came is of another database. */
static void test_rows_of_another_database_are_not_taken(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, JANE,
		DATABASE("5", "Acme", "0", "0", "~", "0"), USERS("1", "Acme"), END("1", "Acme")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	const struct observed_database *d = observed_find_database(&o, "Acme");
	assert_false(d->read);
	assert_non_null(d->unread);
	assert_int_equal(d->n_users, 0);
	observed_free(&o);
}

static void test_one_that_is_locked_is_its_own_affair(void **state)
{
	static const struct played_row rows[] = {SERVER, SA, JANE,
		DATABASE("5", "Acme", "0", "0", "~", "0"),
		DATABASE("6", "Other", "0", "0", "~", "0"),
		{IN("Acme"), {"failed", "5", "1222", "Lock request time out period exceeded."}},
		{"N'blocker'", {"blocker", "53", "=acme.joe"}}, END("6", "Other")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_string_equal(observed_find_database(&o, "Acme")->unread,
		"another session holds a lock on its catalog, perhaps session 53 of acme.joe, which has an open transaction there "
		"(1222)");
	assert_true(observed_find_database(&o, "Other")->read);
	observed_free(&o);
}

#define TWO                                                                                        \
	SERVER, SA, JANE, DATABASE("5", "Acme", "0", "0", "~", "0"),                               \
		DATABASE("6", "Other", "0", "0", "~", "0")

static void test_all_databases_are_read_in_one_batch(void **state)
{
	static const struct played_row rows[] = {
		TWO, USERS("5", "Acme"), END("5", "Acme"), END("6", "Other")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_true(observed_find_database(&o, "Acme")->read);
	assert_int_equal(observed_find_database(&o, "Acme")->n_users, 3);
	assert_true(observed_find_database(&o, "Other")->read);
	/* The server, sessions and conditions of who is not on record, the databases. */
	assert_int_equal(questions, 4);
	observed_free(&o);
}

/* An end that no TRY catches: what has its sentinel stands, the rest is asked by itself. */
static void test_what_has_no_sentinel_is_asked_by_itself(void **state)
{
	static const struct played_row rows[] = {
		TWO, END("6", "Other"), USERS("5", "Acme"), END("5", "Acme")};
	static const struct played_row silent[] = {TWO, END("6", "Other"), USERS("5", "Acme")};
	struct observed_server o;

	(void)state;
	ended_in = IN("Other");
	ended_at = IN("Acme");
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_true(observed_find_database(&o, "Other")->read);
	assert_true(observed_find_database(&o, "Acme")->read);
	assert_int_equal(observed_find_database(&o, "Acme")->n_users, 3);
	/* And the way back to master, which the batch did not come to. */
	assert_int_equal(questions, 6);
	observed_free(&o);
	assert_int_equal(OBSERVE(&o, silent), 0);
	assert_false(observed_find_database(&o, "Acme")->read);
	assert_string_equal(observed_find_database(&o, "Acme")->unread,
		"the server did not answer from this database");
	assert_true(observed_find_database(&o, "Other")->read);
	observed_free(&o);
}

/* A USE that did not lead there, in a batch that went on: the reading that the rows fell into is worth nothing either. */
static void test_rows_behind_a_sentinel_spoil_the_reading(void **state)
{
	static const struct played_row rows[] = {TWO, END("5", "Acme"),
		{IN("Other"), {"user", "5", "7", "=x", "#07", "S", "~", "1"}},
		{IN("Other"), {"end", "5", "1"}}};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_true(observed_find_database(&o, "Acme")->read);
	assert_int_equal(observed_find_database(&o, "Acme")->n_users, 0);
	assert_false(observed_find_database(&o, "Other")->read);
	assert_int_equal(questions, 7);
	observed_free(&o);
}

/* Whose principals alone were asked for, and who turned out to hold somebody of ours. */
static void test_a_stranger_with_one_of_ours_is_read_whole(void **state)
{
	static const struct played_row rows[] = {TWO, END("5", "Acme"),
		{IN("Other"), {"user", "6", "7", "=acme.jane", "#07", "S", "~", "1"}},
		{"sys.database_role_members", {"member", "6", "7", "7"}}, END("6", "Other")};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_true(observed_find_database(&o, "Other")->read);
	assert_int_equal(observed_find_database(&o, "Other")->n_members, 1);
	observed_free(&o);
}

/* Not seen is not absent; absent is what has neither a row nor an id, and cannot be entered for that reason. */
static void test_absent_is_what_the_server_says_it_has_not(void **state)
{
	static const struct played_row none[] = {SERVER, SA};
	static const struct played_row hidden[] = {
		SERVER, SA, {"DB_ID(N'Acme')", {"database-id", "0", "8"}}};
	struct observed_server o;

	(void)state;
	refused = IN("Acme");
	refused_number = 911;
	assert_int_equal(OBSERVE(&o, none), 0);
	assert_true(observed_find_database(&o, "Acme")->absent);
	observed_free(&o);
	assert_int_equal(OBSERVE(&o, hidden), 0);
	assert_false(observed_find_database(&o, "Acme")->absent);
	assert_non_null(observed_find_database(&o, "Acme")->unread);
	observed_free(&o);
	refused_number = 942;
	assert_int_equal(OBSERVE(&o, none), 0);
	assert_false(observed_find_database(&o, "Acme")->absent);
	assert_string_equal(observed_find_database(&o, "Acme")->unread, "it is offline (942)");
	observed_free(&o);
}

static void test_what_must_not_be_entered_is_not(void **state)
{
	static const struct played_row rows[] = {SERVER, SA,
		DATABASE("5", "Acme", "0", "1", "~", "0"), DATABASE("6", "Old", "6", "0", "~", "0"),
		DATABASE("7", "Copy", "0", "0", "5", "1"), END("7", "Copy")};
	struct observed_server o;

	(void)state;
	refused = IN("Acme");
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_string_equal(
		observed_find_database(&o, "Acme")->unread, "it is in single-user mode");
	assert_string_equal(observed_find_database(&o, "Old")->unread, "it is offline");
	assert_int_equal(observed_find_database(&o, "Copy")->source, 5);
	assert_string_equal(observed_find_database(&o, "Copy")->unwritable, "it is a snapshot");
	assert_true(observed_find_database(&o, "Copy")->read);
	observed_free(&o);
}

static void test_definitions_that_we_may_not_see_make_it_unread(void **state)
{
	static const struct played_row rows[] = {SERVER, SA,
		DATABASE("5", "Acme", "0", "0", "~", "0"), USERS("5", "Acme"),
		{IN("Acme"), {"end", "5", "0"}}};
	struct observed_server o;

	(void)state;
	assert_int_equal(OBSERVE(&o, rows), 0);
	assert_string_equal(observed_find_database(&o, "Acme")->unread,
		"the agent login cannot read definitions there; a DBA must run the output of `curfew bootstrap SERVER` again, and revoke what is denied there to public");
	observed_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_server_that_hides_our_rights_is_told, reset),
		cmocka_unit_test_setup(test_a_right_may_be_held_in_parts, reset),
		cmocka_unit_test_setup(test_the_mark_and_a_login_are_joined_by_their_ids, reset),
		cmocka_unit_test_setup(test_ids_of_a_database_are_joined, reset),
		cmocka_unit_test_setup(test_rows_of_another_database_are_not_taken, reset),
		cmocka_unit_test_setup(test_one_that_is_locked_is_its_own_affair, reset),
		cmocka_unit_test_setup(test_all_databases_are_read_in_one_batch, reset),
		cmocka_unit_test_setup(test_what_has_no_sentinel_is_asked_by_itself, reset),
		cmocka_unit_test_setup(test_rows_behind_a_sentinel_spoil_the_reading, reset),
		cmocka_unit_test_setup(test_a_stranger_with_one_of_ours_is_read_whole, reset),
		cmocka_unit_test_setup(test_absent_is_what_the_server_says_it_has_not, reset),
		cmocka_unit_test_setup(test_what_must_not_be_entered_is_not, reset),
		cmocka_unit_test_setup(test_definitions_that_we_may_not_see_make_it_unread, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
