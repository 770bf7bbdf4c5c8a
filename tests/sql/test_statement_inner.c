/* Changes of several statements: each is a way in for a DDL trigger that somebody creates while the others run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "../corpus.h"
#include "curfew/sql.h"
#include "sql/statement.h"

#define PERMISSION(class_, state_, name_, schema_, object_, grantee_)                              \
	{                                                                                          \
		.class = (class_), .state = (state_), .name = (char *)(name_),                     \
		.schema = (char *)(schema_), .object = (char *)(object_),                          \
		.grantee = (char *)(grantee_)                                                      \
	}

/* The guard's end; that it names the triggers that may run is tested with the batches of a whole change. */
#define GUARD                                                                                                      \
	"(m.definition IS NULL OR HASHBYTES('SHA2_256', m.definition) NOT IN (0x)))) THROW 50002, "                \
	"N'A DDL trigger was created or changed since this database was read, or is hidden from the agent login: " \
	"nothing was run.', 1;\n"

static char *written_way(const struct change *c, const struct change_way *way)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	if (way->guarded && !way->as_agent)
		statement_write_variables(f);
	assert_int_equal(sql_write_change(f, c, NULL, way), 0);
	assert_int_equal(fclose(f), 0);
	corpus_add(text);
	return text;
}

static char *written_as(
	const struct change *c, const struct observed_database *guarded, bool as_owner)
{
	return written_way(c, &(struct change_way){.guarded = guarded, .as_agent = !as_owner});
}

static char *written(const struct change *c, const struct observed_database *guarded)
{
	return written_as(c, guarded, true);
}

static void test_each_inner_statement_has_its_guard(void **state)
{
	struct permission regrants[] = {PERMISSION(3, 'G', "SELECT", "s", NULL, "app"),
		PERMISSION(3, 'D', "DELETE", "s", NULL, "public"),
		PERMISSION(1, 'R', "SELECT", "s", "t", "app")};
	const struct change changes[] = {
		{.kind = CHANGE_OWNER,
			.database = (char *)"Acme",
			.principal = (char *)"jane",
			.permission = PERMISSION(0, 0, "SCHEMA", NULL, "s", NULL),
			.regrants = regrants,
			.n_regrants = 3},
		{.kind = CHANGE_REVOKE,
			.database = (char *)"Acme",
			.principal = (char *)"jane",
			.permission = PERMISSION(3, 'G', "DELETE", "s", NULL, "jane"),
			.regrants = regrants,
			.n_regrants = 3}};
	static const char *const statements[][4] = {
		{"ALTER AUTHORIZATION ON SCHEMA::[s] TO [dbo]", "GRANT SELECT ON SCHEMA::[s]",
			"DENY DELETE ON SCHEMA::[s]", "REVOKE SELECT ON OBJECT::[s].[t]"},
		{"REVOKE DELETE ON SCHEMA::[s]", "GRANT SELECT ON SCHEMA::[s]",
			"DENY DELETE ON SCHEMA::[s]", "REVOKE SELECT ON OBJECT::[s].[t]"}};
	const struct observed_database d = {.name = (char *)"Acme"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_free_ char *text = written(&changes[i], &d);
		_cleanup_free_ char *plain = written(&changes[i], NULL);
		for (size_t k = 0; k < ARRAY_SIZE(statements[i]); k++) {
			const char *at = strstr(text, statements[i][k]);
			assert_non_null(at);
			assert_true((size_t)(at - text) > strlen(GUARD));
			assert_memory_equal(at - strlen(GUARD), GUARD, strlen(GUARD));
		}
		/* What people read is the change alone. */
		assert_null(strstr(plain, "sys.triggers"));
	}
}

#define BECOMES "EXECUTE AS USER = N'dbo' WITH COOKIE INTO @cookie;\n"
#define LEAVES	"IF @cookie IS NOT NULL REVERT WITH COOKIE = @cookie;\n"

/* The statement as it is read, between the owner's coming and going; after an error it is left too. */
static void runs_as_owner(const char *text, const char *statement)
{
	const char *becomes = strstr(text, BECOMES), *at = strstr(text, statement);

	assert_non_null(becomes);
	assert_non_null(at);
	assert_true(becomes < at);
	assert_null(strstr(at, BECOMES));
	assert_non_null(strstr(at, "BEGIN CATCH\n" LEAVES "THROW;\nEND CATCH;\n" LEAVES "END;"));
	/* The owner may not leave the database, and need not enter it. */
	assert_null(strstr(becomes, "USE "));
}

/* What a DDL trigger made behind the check would run as. The server sees nobody in the owner, so what names a login stays. */
static void test_changes_of_a_database_run_as_its_owner(void **state)
{
	static const struct {
		struct change change;
		const char *statement; /* NULL: as the agent */
	} cases[] = {
		{{.kind = CHANGE_MEMBER_DROP,
			 .principal = (char *)"jane",
			 .role = (char *)"db_owner"},
			"ALTER ROLE [db_owner] DROP MEMBER [jane];"},
		{{.kind = CHANGE_MEMBER_ADD,
			 .principal = (char *)"jane",
			 .role = (char *)"curfew_full"},
			"ALTER ROLE [curfew_full] ADD MEMBER [jane];"},
		{{.kind = CHANGE_MEMBER_RESTRICT, .principal = (char *)"jane", .role = (char *)"r"},
			"ALTER ROLE [r] ADD MEMBER [jane];"},
		{{.kind = CHANGE_REVOKE,
			 .permission = PERMISSION(3, 'G', "DELETE", "s", NULL, "jane")},
			"REVOKE DELETE ON SCHEMA::[s] FROM [jane] CASCADE;"},
		{{.kind = CHANGE_ROLE_DENY_REMOVE,
			 .permission = PERMISSION(3, 'D', "DELETE", "s", NULL, "curfew_full")},
			"REVOKE DELETE ON SCHEMA::[s] FROM [curfew_full] CASCADE;"},
		{{.kind = CHANGE_ROLE_CREATE, .role = (char *)"curfew_full"},
			"CREATE ROLE [curfew_full] AUTHORIZATION [dbo];"},
		{{.kind = CHANGE_ROLE_GRANT,
			 .role = (char *)"curfew_full",
			 .permission = PERMISSION(0, 'G', "SHOWPLAN", NULL, NULL, "curfew_full")},
			"GRANT SHOWPLAN TO [curfew_full];"},
		{{.kind = CHANGE_ROLE_DENY,
			 .role = (char *)"curfew_full",
			 .permission = PERMISSION(3, 'D', "INSERT", "s", NULL, "curfew_full")},
			"DENY INSERT ON SCHEMA::[s] TO [curfew_full];"},
		/* Whom its count leaves out is the agent still. */
		{{.kind = CHANGE_OWNER,
			 .principal = (char *)"jane",
			 .permission = PERMISSION(0, 0, "SCHEMA", NULL, "s", NULL)},
			"p.grantee_principal_id <> @agent"},
		{{.kind = CHANGE_USER_DROP, .principal = (char *)"jane"}, "DROP USER [jane];"},
		/* Half a surrogate pair: the same, in a text of its own. */
		{{.kind = CHANGE_USER_DROP, .principal = (char *)"a\355\240\200"},
			"EXEC sys.sp_executesql @batch, N'@agent int', @agent;"},
		{{.kind = CHANGE_USER_CREATE, .principal = (char *)"jane", .login = (char *)"jane"},
			NULL},
		{{.kind = CHANGE_USER_REMAP, .principal = (char *)"jane", .login = (char *)"jane"},
			NULL},
	};
	const struct observed_database d = {.name = (char *)"Acme"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct change c = cases[i].change;
		c.database = d.name;
		_cleanup_free_ char *text = written(&c, &d);
		_cleanup_free_ char *plain = written(&c, NULL);
		assert_non_null(strstr(text, "USE [Acme]; IF DB_NAME() = N'Acme' "));
		assert_null(strstr(plain, "EXECUTE AS"));
		/* Where the server does not know that: as the agent. */
		_cleanup_free_ char *agents = written_as(&c, &d, false);
		assert_null(strstr(agents, "EXECUTE AS"));
		assert_null(strstr(agents, "@agent"));
		if (c.kind != CHANGE_OWNER)
			assert_string_equal(agents, plain);
		if (cases[i].statement)
			runs_as_owner(text, cases[i].statement);
		else
			assert_null(strstr(text, "EXECUTE AS"));
	}
}

/* From master, where the session can be another login whatever the database is. */
#define BACK "USE [master];\nREVERT WITH COOKIE = @cookie;\nUSE [Acme];\n"

static void test_a_login_gets_its_user_as_a_login_of_its_own(void **state)
{
	static const struct {
		enum change_kind kind;
		const char *statement, *needed;
	} cases[] = {
		{CHANGE_USER_CREATE, "CREATE USER [jane] FOR LOGIN [jane.doe];", "ALTER ANY USER"},
		{CHANGE_USER_REMAP, "ALTER USER [jane] WITH LOGIN = [jane.doe];", "CONTROL"},
	};
	const struct observed_database d = {.name = (char *)"Acme"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct change c = {.kind = cases[i].kind,
			.database = d.name,
			.principal = (char *)"jane",
			.login = (char *)"jane.doe"};
		_cleanup_free_ char *text = written_way(
			&c, &(struct change_way){.guarded = &d, .has_user_login = true});
		_cleanup_free_ char *expected = NULL;
		assert_true(asprintf(&expected,
				    "SET @cookie = NULL;\n"
				    "USE [master];\n"
				    "EXECUTE AS LOGIN = N'curfew_users' WITH COOKIE INTO @cookie;\n"
				    "BEGIN TRY\nUSE [Acme];\nIF DB_NAME() = N'Acme' %s\nEND TRY\n"
				    "BEGIN CATCH\n" BACK "THROW;\nEND CATCH;\n" BACK "END TRY\n"
				    "BEGIN CATCH\nUSE [Acme];\nIF DB_NAME() = N'Acme' BEGIN\n",
				    cases[i].statement) > 0);
		const char *made = strstr(text, expected);
		assert_non_null(made);
		assert_null(strstr(made + strlen(expected), cases[i].statement));
		assert_non_null(strstr(text, "p.type = 'S' AND p.is_disabled = 1\n"));
		/* What it needs it has only meanwhile, also after an error, and from the owner. */
		char grant[96], revoke[96];
		snprintf(grant, sizeof(grant), "GRANT CONNECT, %s TO [curfew_users];",
			cases[i].needed);
		snprintf(revoke, sizeof(revoke), "REVOKE CONNECT, %s FROM [curfew_users] CASCADE;",
			cases[i].needed);
		const char *given = strstr(text, grant), *taken = strstr(made, revoke);
		assert_true(given && given < made && taken);
		assert_true(strstr(text, BECOMES) < given && strstr(made, BECOMES) < taken);
		assert_non_null(strstr(taken + 1, revoke));
		/* The agent itself does it where the server has no such login. */
		_cleanup_free_ char *agents = written_way(&c, &(struct change_way){.guarded = &d});
		assert_null(strstr(agents, "EXECUTE AS"));
	}
}

/* Never run, only read by the server: whether it knows the statement by which a change begins. */
static void test_the_end_asks_whether_the_server_knows_the_beginning(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	statement_write_owner_end(f);
	assert_int_equal(fclose(f), 0);
	corpus_add(text);
	assert_string_equal(text,
		"DECLARE @cookie varbinary(8000), @agent int;\nIF 1 = 0 " BECOMES "REVERT;\n");
	free(text);
}

/* The owner's statement stands outside of any text, and its database's name cannot. */
static void test_nothing_is_run_in_a_database_that_cannot_be_named(void **state)
{
	const struct observed_database d = {.name = (char *)"a\355\240\200"};
	const struct change c = {
		.kind = CHANGE_USER_DROP, .database = d.name, .principal = (char *)"jane"};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	assert_int_equal(
		sql_write_change(f, &c, NULL, &(struct change_way){.guarded = &d}), -ENOTSUP);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_inner_statement_has_its_guard),
		cmocka_unit_test(test_changes_of_a_database_run_as_its_owner),
		cmocka_unit_test(test_a_login_gets_its_user_as_a_login_of_its_own),
		cmocka_unit_test(test_the_end_asks_whether_the_server_knows_the_beginning),
		cmocka_unit_test(test_nothing_is_run_in_a_database_that_cannot_be_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
