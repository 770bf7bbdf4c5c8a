/* The exact T-SQL of every kind of change, as a DBA would read it; secrets only where they are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sql/statement.h"

#include "../corpus.h"

#define LOGIN	 "acme.o'brien]x"
#define DATABASE "Acme]Test"
#define USER	 "u]x"
#define IN	 "USE [Acme]]Test]; IF DB_NAME() = N'Acme]Test' "
#define AS(class, state, name, schema, object, column, grantee, grantor)                           \
	{                                                                                          \
		class, state, (char *)(name), (char *)(schema), (char *)(object),                  \
			(char *)(column), (char *)(grantee), (char *)(grantor)                     \
	}

struct golden {
	struct change change;
	const char *text;
};

#define CHANGE(k, ...)                                                                             \
	{                                                                                          \
		.kind = CHANGE_##k, .login = (char *)LOGIN, __VA_ARGS__                            \
	}
#define HERE .database = (char *)DATABASE
#define COUNT                                                                                              \
	"(SELECT COUNT(*) FROM (SELECT DISTINCT p.class, p.major_id, p.minor_id, p.grantee_principal_id, " \
	"p.type FROM sys.database_permissions AS p WHERE p.grantee_principal_id NOT IN "                   \
	"(SELECT u.principal_id FROM sys.database_principals AS u WHERE u.name = N'u]x') AND p.grantee_principal_id <> DATABASE_PRINCIPAL_ID()) AS q)"
#define OWNER_BEGIN "BEGIN SET XACT_ABORT ON; BEGIN TRANSACTION; DECLARE @before int = " COUNT "; "
#define OWNER_END                                                                                  \
	"IF @before <> " COUNT " BEGIN ROLLBACK TRANSACTION; THROW 50001, "                        \
	"N'The transfer would take permissions from others.', 1; END; COMMIT TRANSACTION; "        \
	"SET XACT_ABORT OFF; END;"
#define WHO	.principal = (char *)USER
#define ROLE(r) .role = (char *)(r)

static const struct golden goldens[] = {
	{CHANGE(LOGIN_CREATE, .client = NULL),
		"CREATE LOGIN [acme.o'brien]]x] WITH PASSWORD = N'********', DEFAULT_DATABASE = [master], "
		"CHECK_POLICY = ON, CHECK_EXPIRATION = OFF;"},
	{CHANGE(LOGIN_CREATE, .sid = {.bytes = {0x14, 0x58, 0xa7}, .size = 16}),
		"CREATE LOGIN [acme.o'brien]]x] WITH PASSWORD = N'********', SID = 0x1458A700000000000000000000000000, "
		"DEFAULT_DATABASE = [master], CHECK_POLICY = ON, CHECK_EXPIRATION = OFF;"},
	{CHANGE(LOGIN_DISABLE, .client = NULL), "ALTER LOGIN [acme.o'brien]]x] DISABLE;"},
	{CHANGE(LOGIN_ENABLE, .client = NULL), "ALTER LOGIN [acme.o'brien]]x] ENABLE;"},
	{CHANGE(LOGIN_DROP, .client = NULL), "DROP LOGIN [acme.o'brien]]x];"},
	{CHANGE(LOGIN_MARK, .client = NULL),
		"ALTER SERVER ROLE [curfew_logins] ADD MEMBER [acme.o'brien]]x];"},
	{CHANGE(SERVER_MEMBER_DROP, ROLE("sysadmin")),
		"ALTER SERVER ROLE [sysadmin] DROP MEMBER [acme.o'brien]]x];"},
	{CHANGE(SERVER_REVOKE,
		 .permission = AS(100, 'G', "VIEW SERVER STATE", NULL, NULL, NULL, LOGIN, "sa")),
		"USE [master]; IF DB_NAME() = N'master' REVOKE VIEW SERVER STATE FROM [acme.o'brien]]x] CASCADE AS [sa];"},
	{CHANGE(OWNER, HERE, WHO,
		 .permission = AS(0, 0, "XML SCHEMA COLLECTION", "dbo", "x", NULL, NULL, NULL)),
		IN OWNER_BEGIN
		"ALTER AUTHORIZATION ON XML SCHEMA COLLECTION::[dbo].[x] TO SCHEMA OWNER; " OWNER_END},
	{CHANGE(OWNER, HERE, WHO,
		 .permission = AS(0, 0, "REMOTE SERVICE BINDING", NULL, "b", NULL, NULL, NULL)),
		IN OWNER_BEGIN
		"ALTER AUTHORIZATION ON REMOTE SERVICE BINDING::[b] TO [dbo]; " OWNER_END},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(10, 'G', "EXECUTE", "dbo", "x", NULL, USER, "dbo")),
		IN
		"REVOKE EXECUTE ON XML SCHEMA COLLECTION::[dbo].[x] FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(25, 'G', "CONTROL", "CERTIFICATE", "c", NULL, USER, "dbo")),
		IN "REVOKE CONTROL ON CERTIFICATE::[c] FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(SERVER_REVOKE,
		 .permission = AS(101, 'W', "IMPERSONATE", "LOGIN", "s]a", NULL, LOGIN, "sa")),
		"USE [master]; IF DB_NAME() = N'master' REVOKE IMPERSONATE ON LOGIN::[s]]a] FROM [acme.o'brien]]x] CASCADE AS [sa];"},
	{CHANGE(SESSION_KILL, .session = {.id = 57,
				      .login_time = "2026-11-28T04:25:10.123",
				      .sid = {{0x01, 0xab}, 2}}),
		"IF EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = 57 AND "
		"original_security_id = 0x01AB) KILL 57;"},
	{CHANGE(USER_CREATE, HERE, WHO), IN "CREATE USER [u]]x] FOR LOGIN [acme.o'brien]]x];"},
	{CHANGE(USER_REMAP, HERE, WHO), IN "ALTER USER [u]]x] WITH LOGIN = [acme.o'brien]]x];"},
	{CHANGE(USER_DROP, HERE, WHO), IN "DROP USER [u]]x];"},
	{CHANGE(MEMBER_ADD, HERE, WHO, ROLE("r]")), IN "ALTER ROLE [r]]] ADD MEMBER [u]]x];"},
	{CHANGE(MEMBER_RESTRICT, HERE, WHO, ROLE("r]")), IN "ALTER ROLE [r]]] ADD MEMBER [u]]x];"},
	{CHANGE(MEMBER_DROP, HERE, WHO, ROLE("r]")), IN "ALTER ROLE [r]]] DROP MEMBER [u]]x];"},
	{CHANGE(ROLE_CREATE, HERE, ROLE("curfew_full")),
		IN "CREATE ROLE [curfew_full] AUTHORIZATION [dbo];"},
	{CHANGE(ROLE_DENY, HERE, ROLE("curfew_read_only"),
		 .permission = AS(3, 'D', "INSERT", "s]a", NULL, NULL, "curfew_read_only", NULL)),
		IN "DENY INSERT ON SCHEMA::[s]]a] TO [curfew_read_only];"},
	{CHANGE(ROLE_GRANT, HERE, ROLE("curfew_full"),
		 .permission = AS(0, 'G', "SHOWPLAN", NULL, NULL, NULL, "curfew_full", NULL)),
		IN "GRANT SHOWPLAN TO [curfew_full];"},
	{CHANGE(ROLE_DENY_REMOVE, HERE,
		 .permission = AS(1, 'D', "SELECT", "dbo", "orders", NULL, "curfew_full", "dbo")),
		IN "REVOKE SELECT ON OBJECT::[dbo].[orders] FROM [curfew_full] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(0, 'G', "CONTROL", NULL, NULL, NULL, USER, "dbo")),
		IN "REVOKE CONTROL FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(0, 'W', "CONNECT", NULL, NULL, NULL, USER, "dbo")),
		IN "REVOKE GRANT OPTION FOR CONNECT FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(1, 'W', "SELECT", "d]o", "t]", NULL, "other", USER)),
		IN "REVOKE SELECT ON OBJECT::[d]]o].[t]]] FROM [other] CASCADE AS [u]]x];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(1, 'G', "UPDATE", "dbo", "t", "c]", USER, "dbo")),
		IN "REVOKE UPDATE ON OBJECT::[dbo].[t] ([c]]]) FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(3, 'G', "ALTER", "sales", NULL, NULL, USER, "dbo")),
		IN "REVOKE ALTER ON SCHEMA::[sales] FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(4, 'G', "IMPERSONATE", "USER", "d]", NULL, USER, "dbo")),
		IN "REVOKE IMPERSONATE ON USER::[d]]] FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(REVOKE, HERE, WHO,
		 .permission = AS(6, 'G', "REFERENCES", "dbo", "ty", NULL, USER, "dbo")),
		IN "REVOKE REFERENCES ON TYPE::[dbo].[ty] FROM [u]]x] CASCADE AS [dbo];"},
	{CHANGE(OWNER, HERE, WHO, .permission = AS(0, 0, "SCHEMA", NULL, "s]", NULL, NULL, NULL)),
		IN OWNER_BEGIN "ALTER AUTHORIZATION ON SCHEMA::[s]]] TO [dbo]; " OWNER_END},
	{CHANGE(OWNER, HERE, WHO, .permission = AS(0, 0, "OBJECT", "dbo", "t]", NULL, NULL, NULL)),
		IN OWNER_BEGIN
		"ALTER AUTHORIZATION ON OBJECT::[dbo].[t]]] TO SCHEMA OWNER; " OWNER_END},
	{CHANGE(OWNER, HERE, WHO, .permission = AS(0, 0, "TYPE", "dbo", "ty", NULL, NULL, NULL)),
		IN OWNER_BEGIN
		"ALTER AUTHORIZATION ON TYPE::[dbo].[ty] TO SCHEMA OWNER; " OWNER_END},
	{CHANGE(SERVER_REVOKE,
		 .permission = AS(101, 'G', "ALTER", "SERVER ROLE", "r", NULL, LOGIN, "sa")),
		"USE [master]; IF DB_NAME() = N'master' REVOKE ALTER ON SERVER ROLE::[r] FROM [acme.o'brien]]x] CASCADE AS "
		"[sa];"},
	/* Half a surrogate pair in a name, which no library sends. */
	{CHANGE(USER_DROP, .database = (char *)"D", .principal = (char *)"a\355\240\200"),
		"DECLARE @batch nvarchar(max) = CAST(N'' AS nvarchar(max)) + N'USE [D]; IF DB_NAME() = N''D'' DROP USER [a' + "
		"CAST(0x00D8 AS nchar(1)) + N'];'; EXEC sys.sp_executesql @batch;"},
};

static char *written(int *rc, const struct change *c, const char *password)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	*rc = sql_write_change(f, c, password, NULL);
	assert_int_equal(fclose(f), 0);
	if (!*rc)
		corpus_add(out);
	return out;
}

static void test_goldens(void **state)
{
	bool seen[CHANGE_LOGIN_ENABLE + 1] = {false};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		int rc;
		_cleanup_free_ char *text = written(&rc, &goldens[i].change, NULL);

		assert_int_equal(rc, 0);
		assert_string_equal(text, goldens[i].text);
		seen[goldens[i].change.kind] = true;
	}
	for (int k = 0; k <= CHANGE_LOGIN_ENABLE; k++)
		if (!seen[k])
			fail_msg("no golden of %s", change_name((enum change_kind)k));
}

/* Others keep what they had on a thing that changes hands: together with the transfer, or not at all. */
static void test_owner_keeps_others(void **state)
{
	struct permission others[] = {AS(3, 'G', "SELECT", "s", NULL, NULL, "app", "dbo"),
		AS(3, 'D', "DELETE", "s", NULL, NULL, "public", "dbo"),
		AS(3, 'W', "EXECUTE", "s", NULL, NULL, "b]", "dbo"),
		AS(1, 'R', "SELECT", "s", "t", "c", "app", "dbo")};
	struct change c = CHANGE(OWNER, HERE, WHO,
		.permission = AS(0, 0, "SCHEMA", NULL, "s", NULL, NULL, NULL), .regrants = others,
		.n_regrants = ARRAY_SIZE(others));
	int rc;

	(void)state;
	_cleanup_free_ char *text = written(&rc, &c, NULL);
	assert_int_equal(rc, 0);
	assert_string_equal(text, IN OWNER_BEGIN
		"ALTER AUTHORIZATION ON SCHEMA::[s] TO [dbo]; "
		"GRANT SELECT ON SCHEMA::[s] TO [app]; DENY DELETE ON SCHEMA::[s] TO [public]; "
		"GRANT EXECUTE ON SCHEMA::[s] TO [b]]] WITH GRANT OPTION; "
		"REVOKE SELECT ON OBJECT::[s].[t] ([c]) FROM [app]; " OWNER_END);
}

/* What was denied to others stays denied when the one who did it goes. */
static void test_revoke_keeps_denials(void **state)
{
	struct permission denial = AS(3, 'D', "DELETE", "s", NULL, NULL, "public", USER);
	struct change c = CHANGE(
		REVOKE, HERE, WHO, .permission = denial, .regrants = &denial, .n_regrants = 1);
	int rc;

	(void)state;
	_cleanup_free_ char *text = written(&rc, &c, NULL);
	assert_int_equal(rc, 0);
	assert_string_equal(text, IN
		"BEGIN SET XACT_ABORT ON; BEGIN TRANSACTION; REVOKE DELETE ON SCHEMA::[s] FROM [public] CASCADE AS [u]]x]; "
		"DENY DELETE ON SCHEMA::[s] TO [public]; COMMIT TRANSACTION; SET XACT_ABORT OFF; END;");
}

/* A securable without a name that could be written is refused; it must not be taken for the whole database. */
static void test_unnameable(void **state)
{
	static const struct permission unnameable[] = {
		AS(1, 'G', "SELECT", NULL, NULL, NULL, USER, "dbo"),
		AS(1, 'G', "SELECT", "dbo", NULL, NULL, USER, "dbo"),
		AS(3, 'G', "SELECT", NULL, NULL, NULL, USER, "dbo"),
		AS(4, 'G', "CONTROL", NULL, "x", NULL, USER, "dbo"),
		AS(6, 'G', "CONTROL", NULL, "x", NULL, USER, "dbo"),
		AS(25, 'G', "CONTROL", NULL, NULL, NULL, USER, "dbo"),
		AS(101, 'G', "CONTROL", NULL, NULL, NULL, USER, "sa"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unnameable); i++) {
		struct change c = CHANGE(REVOKE, HERE, WHO, .permission = unnameable[i]);
		int rc;
		_cleanup_free_ char *text = written(&rc, &c, NULL);

		assert_int_equal(rc, -ENOTSUP);
		assert_null(strstr(text, "ON OBJECT::["));
	}
}

/* Permissions and kinds are written without quotes: what is no word of the catalog's is not written at all. */
static void test_words(void **state)
{
	static const char *const wrong[] = {
		"", "SELECT;", "SELECT--", "SELECT TO [x", "select\n", "OBJECT<", "VÍEW"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct permission p = AS(0, 'G', wrong[i], NULL, NULL, NULL, USER, "dbo"),
				  of = AS(4, 'G', "CONTROL", wrong[i], "x", NULL, USER, "dbo"),
				  owned = AS(0, 0, wrong[i], "dbo", "V", NULL, NULL, NULL);
		const struct change changes[] = {CHANGE(REVOKE, HERE, WHO, .permission = p),
			CHANGE(ROLE_GRANT, HERE, ROLE("r"), .permission = p),
			CHANGE(REVOKE, HERE, WHO, .permission = of),
			CHANGE(SERVER_REVOKE, .permission = p),
			CHANGE(OWNER, HERE, WHO, .permission = owned),
			CHANGE(OWNER, HERE, WHO,
				.permission = AS(0, 0, "SCHEMA", NULL, "S", NULL, NULL, NULL),
				.regrants = &p, .n_regrants = 1)};

		for (size_t k = 0; k < ARRAY_SIZE(changes); k++) {
			int rc;
			_cleanup_free_ char *text = written(&rc, &changes[k], NULL);

			assert_int_equal(rc, -ENOTSUP);
			assert_true(!*wrong[i] || !strstr(text, wrong[i]));
		}
	}
}

static void test_secrets(void **state)
{
	const char *secret = "It's-4-Secret";
	struct change create = CHANGE(LOGIN_CREATE, .client = NULL);
	int rc;

	(void)state;
	_cleanup_free_ char *with = written(&rc, &create, secret);
	assert_non_null(strstr(with, "WITH PASSWORD = N'It''s-4-Secret', "));
	/* A password that is passed where none belongs is not written. */
	for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
		if (goldens[i].change.kind == CHANGE_LOGIN_CREATE)
			continue;
		_cleanup_free_ char *text = written(&rc, &goldens[i].change, secret);
		assert_string_equal(text, goldens[i].text);
	}
}

static char *handover(const char *password, bool must_change)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	assert_int_equal(sql_write_handover(f, LOGIN, password, must_change), 0);
	assert_int_equal(fclose(f), 0);
	corpus_add(out);
	return out;
}

static void test_handover(void **state)
{
	(void)state;
	_cleanup_free_ char *masked = handover(NULL, true);
	_cleanup_free_ char *plain = handover("a'b", false);

	assert_string_equal(masked,
		"ALTER LOGIN [acme.o'brien]]x] WITH PASSWORD = N'********' MUST_CHANGE UNLOCK, "
		"CHECK_EXPIRATION = ON, CHECK_POLICY = ON;");
	assert_string_equal(plain, "ALTER LOGIN [acme.o'brien]]x] WITH PASSWORD = N'a''b' UNLOCK;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_owner_keeps_others),
		cmocka_unit_test(test_revoke_keeps_denials),
		cmocka_unit_test(test_unnameable),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_handover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
