/* The remedy of each kind of item that can be new or changed since a baseline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "curfew/sql.h"
#include "curfew/text.h"

#include "../corpus.h"

#define IN "USE [Acme]]Test]; "
#define GRANTOR(of)                                                                                           \
	" -- if it stays, somebody else than the owner granted it: add AS and that one's name, which is the " \
	"grantor in sys." of "_permissions"
#define MASTER "USE [master]; "
#define MSDB   "USE [msdb]; "
#define JOB                                                                                                    \
	"SELECT j.name, s.step_id, s.step_name, s.subsystem, s.database_name, s.command, h.name AS schedule\n" \
	"FROM msdb.dbo.sysjobs AS j LEFT JOIN msdb.dbo.sysjobsteps AS s ON s.job_id = j.job_id\n"              \
	"LEFT JOIN msdb.dbo.sysjobschedules AS k ON k.job_id = j.job_id\n"                                     \
	"LEFT JOIN msdb.dbo.sysschedules AS h ON h.schedule_id = k.schedule_id WHERE j.name = N'j';"

static const struct remedy {
	const char *database;
	struct sql_item item;
	bool changed;
	const char *text;
} remedies[] = {
	{"Acme]Test", {"object", "[dbo].[p]", "SQL_STORED_PROCEDURE 1F"}, false,
		IN "DROP PROCEDURE [dbo].[p];"},
	/* What holds data is shown, not dropped. */
	{"Acme]Test", {"object", "[dbo].[t]", "USER_TABLE 2026"}, false,
		IN
		"SELECT name, TYPE_NAME(user_type_id) AS type, max_length, [precision], scale, is_nullable "
		"FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[t]') ORDER BY column_id;"},
	{"Acme]Test", {"column", "[dbo].[t].[c]", "type 56"}, false,
		IN
		"SELECT * FROM sys.objects WHERE object_id = OBJECT_ID(N'[dbo].[t]') OR parent_object_id = OBJECT_ID(N'[dbo].[t]');"},
	{"Acme]Test", {"plan-guide", "g", "on object_id 5: 1F"}, false,
		IN "EXEC sys.sp_control_plan_guide N'DROP', N'g';"},
	{"Acme]Test", {"plan-guide", "g", "on object_id 5: 1F"}, true,
		IN "SELECT * FROM sys.plan_guides WHERE name = N'g';"},
	{"Acme]Test", {"ddl-trigger", "[t]", "1F"}, true,
		IN
		"SELECT t.name, m.definition FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m "
		"ON m.object_id = t.object_id WHERE t.parent_class = 0 AND QUOTENAME(t.name) = N'[t]';"},
	{"Acme]Test", {"ddl-trigger", "[t]", "1F"}, false, IN "DROP TRIGGER [t] ON DATABASE;"},
	{"master", {"server-trigger", "[t]", "1F"}, true,
		"USE [master]; "
		"SELECT t.name, m.definition FROM sys.server_triggers AS t LEFT JOIN sys.server_sql_modules AS m "
		"ON m.object_id = t.object_id WHERE QUOTENAME(t.name) = N'[t]';"},
	{"master", {"server-module", "[dbo].[p]", "SQL_STORED_PROCEDURE 1F"}, false,
		"USE [master]; DROP PROCEDURE [dbo].[p];"},
	/* Each type of module that sys.sql_modules lists. */
	{"master", {"server-module", "[dbo].[r]", "RULE 1F"}, false, MASTER "DROP RULE [dbo].[r];"},
	{"master", {"server-module", "[dbo].[d]", "DEFAULT_CONSTRAINT 1F"}, false,
		MASTER "DROP DEFAULT [dbo].[d];"},
	{"master", {"server-module", "[dbo].[f]", "REPLICATION_FILTER_PROCEDURE 1F"}, false,
		MASTER "DROP PROCEDURE [dbo].[f];"},
	{"Acme]Test", {"object", "[dbo].[xp_]]o'c]", "EXTENDED_STORED_PROCEDURE 2026"}, false,
		MASTER "EXEC sys.sp_dropextendedproc N'xp_]o''c';"},
	{"Acme]Test", {"object", "[dbo].[x]", "SOMETHING_NEW 2026"}, false,
		IN "-- no statement is known for this type; a DBA must review it"},
	/* What no statement can name is never a statement. */
	{"Acme]Test", {"object", "[dbo].[x?] 0x00D8", "USER_TABLE 2026"}, false,
		"-- no statement can write this name; a DBA must review it"},
	{"master", {"server-permission", "CONNECT on id 3 of class 105 TO [public]", "GRANT"},
		false, "-- no statement can write this name; a DBA must review it"},
	{"Acme]Test", {"object", "[dbo].[v]", "VIEW 1F"}, false, IN "DROP VIEW [dbo].[v];"},
	{"Acme]Test", {"object", "[dbo].[g]", "SQL_TRIGGER 1F"}, false,
		IN "DROP TRIGGER [dbo].[g];"},
	{"Acme]Test", {"object", "[dbo].[y]", "SYNONYM [x]"}, false, IN "DROP SYNONYM [dbo].[y];"},
	{"Acme]Test", {"object", "[dbo].[q]", "SEQUENCE_OBJECT 2026"}, false,
		IN "DROP SEQUENCE [dbo].[q];"},
	{"Acme]Test", {"object", "[dbo].[f]", "SQL_SCALAR_FUNCTION 1F"}, false,
		IN "DROP FUNCTION [dbo].[f];"},
	{"Acme]Test", {"object", "[dbo].[a]", "AGGREGATE_FUNCTION 2026"}, false,
		IN "DROP AGGREGATE [dbo].[a];"},
	{"Acme]Test", {"type", "[dbo].[ty]", "TYPE"}, false, IN "DROP TYPE [dbo].[ty];"},
	{"Acme]Test", {"certificate", "[c]", "CERTIFICATE 1F"}, false, IN "DROP CERTIFICATE [c];"},
	{"Acme]Test", {"principal", "[r]", "DATABASE_ROLE 0x01"}, false, IN "DROP ROLE [r];"},
	{"Acme]Test", {"principal", "[r]", "APPLICATION_ROLE 0x01"}, false,
		IN "DROP APPLICATION ROLE [r];"},
	{"Acme]Test", {"principal", "[u]", "SQL_USER 0x01"}, false, IN "DROP USER [u];"},
	{"Acme]Test", {"member", "[a]]b] in [r]", ""}, false,
		IN "ALTER ROLE [r] DROP MEMBER [a]]b];"},
	{"Acme]Test", {"permission", "SELECT ON OBJECT::[dbo].[t] TO [u]", "GRANT"}, false,
		IN "REVOKE SELECT ON OBJECT::[dbo].[t] TO [u] CASCADE;" GRANTOR("database")},
	{"master", {"login", "[l]", "SQL_LOGIN 0x01"}, false, MASTER "DROP LOGIN [l];"},
	{"master", {"login", "[g]", "EXTERNAL_GROUP 0x01"}, false, MASTER "DROP LOGIN [g];"},
	{"master", {"login", "[k]", "ASYMMETRIC_KEY_MAPPED_LOGIN 0x01"}, false,
		MASTER "DROP LOGIN [k];"},
	{"Acme]Test", {"principal", "[g]", "EXTERNAL_GROUP 0x01"}, false, IN "DROP USER [g];"},
	{"master", {"login", "[r]", "SERVER_ROLE 0x01"}, false, MASTER "DROP SERVER ROLE [r];"},
	{"master", {"server-member", "[l] in [sysadmin]", ""}, false,
		MASTER "ALTER SERVER ROLE [sysadmin] DROP MEMBER [l];"},
	{"master", {"server-permission", "CONTROL SERVER TO [l]", "GRANT"}, false,
		MASTER "REVOKE CONTROL SERVER TO [l] CASCADE;" GRANTOR("server")},
	{"master", {"linked-login", "[far]]o'ff] for everybody", "as sa"}, false,
		MASTER
		"EXEC sys.sp_droplinkedsrvlogin @rmtsrvname = N'far]o''ff', @locallogin = NULL;"},
	{"master", {"linked-login", "[far] for [everybody]", "as sa"}, true,
		MASTER
		"EXEC sys.sp_droplinkedsrvlogin @rmtsrvname = N'far', @locallogin = N'everybody';"},
	{"master", {"endpoint", "[e]", "TSQL TCP STARTED"}, false, MASTER "DROP ENDPOINT [e];"},
	{"master", {"endpoint", "[e]", "TSQL TCP STARTED"}, true,
		MASTER "SELECT * FROM sys.endpoints WHERE QUOTENAME(name) = N'[e]';"},
	{"master", {"credential", "[c]", "identity x"}, false, MASTER "DROP CREDENTIAL [c];"},
	{"master", {"credential", "[c]", "identity x"}, true,
		MASTER "SELECT * FROM sys.credentials WHERE QUOTENAME(name) = N'[c]';"},
	{"master", {"system-ddl-trigger", "[t]", "1F"}, false,
		MASTER "DROP TRIGGER [t] ON DATABASE;"},
	{"msdb", {"job", "[night]]ly]", "JOB enabled, of 0x01"}, false,
		MSDB "EXEC msdb.dbo.sp_delete_job @job_name = N'night]ly';"},
	{"msdb", {"job-step", "[j] step 2", "TSQL in master: 1F"}, false, MSDB JOB},
	{"msdb", {"job", "[j]", "JOB disabled, of 0x01"}, true, MSDB JOB},
	{"msdb", {"alert", "[a]", "ALERT enabled"}, false,
		MSDB "EXEC msdb.dbo.sp_delete_alert @name = N'a';"},
	{"msdb", {"alert", "[a]", "ALERT enabled"}, true,
		MSDB "SELECT * FROM msdb.dbo.sysalerts WHERE name = N'a';"},
	{"msdb", {"proxy-login", "[p] for [l], SID 0x01", ""}, false,
		MSDB
		"SELECT x.name, x.credential_id, l.sid, SUSER_SNAME(l.sid) AS login FROM msdb.dbo.sysproxies AS x\n"
		"LEFT JOIN msdb.dbo.sysproxylogin AS l ON l.proxy_id = x.proxy_id WHERE x.name = N'p';"},
	/* What was changed is shown, not dropped. */
	{"master", {"setting", "xp_cmdshell", "1"}, true,
		MASTER "SELECT * FROM sys.configurations WHERE name = N'xp_cmdshell';"},
	{"Acme]Test", {"setting", "trustworthy", "1"}, true,
		IN "SELECT * FROM sys.databases WHERE name = N'Acme]Test';"},
	{"Acme]Test", {"object", "[dbo].[o'r]", "USER_TABLE 2026"}, true,
		IN
		"SELECT name, TYPE_NAME(user_type_id) AS type, max_length, [precision], scale, is_nullable "
		"FROM sys.columns WHERE object_id = OBJECT_ID(N'[dbo].[o''r]') ORDER BY column_id;"},
	{"Acme]Test", {"object", "[dbo].[y]", "SYNONYM [x]"}, true,
		IN
		"SELECT base_object_name FROM sys.synonyms "
		"WHERE QUOTENAME(SCHEMA_NAME(schema_id)) + N'.' + QUOTENAME(name) = N'[dbo].[y]';"},
	{"Acme]Test", {"object", "[dbo].[q]", "SEQUENCE_OBJECT 2026"}, true,
		IN
		"SELECT * FROM sys.sequences "
		"WHERE QUOTENAME(SCHEMA_NAME(schema_id)) + N'.' + QUOTENAME(name) = N'[dbo].[q]';"},
	{"Acme]Test", {"principal", "[u]", "SQL_USER 0x01"}, true,
		IN "SELECT * FROM sys.database_principals WHERE QUOTENAME(name) = N'[u]';"},
	{"Acme]Test", {"certificate", "[c]", "CERTIFICATE 1F"}, true,
		IN "SELECT * FROM sys.certificates WHERE QUOTENAME(name) = N'[c]';"},
	{"master", {"login", "[l]", "SQL_LOGIN 0x01"}, true,
		MASTER "SELECT * FROM sys.server_principals WHERE QUOTENAME(name) = N'[l]';"},
	{"Acme]Test", {"object", "[dbo].[p]", "SQL_STORED_PROCEDURE 1F"}, true,
		IN "SELECT OBJECT_DEFINITION(OBJECT_ID(N'[dbo].[p]'));"},
};

static void test_remedies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		struct text remedy;

		assert_non_null(text_begin(&remedy));
		sql_write_remedy(
			remedy.to, remedies[i].database, &remedies[i].item, remedies[i].changed);
		_cleanup_free_ char *text = text_end(&remedy);
		assert_non_null(text);
		assert_string_equal(text, remedies[i].text);
		corpus_add(text);
	}
}

static void undenied_is(const struct permission *p, const char *wanted)
{
	struct text remedy;

	assert_non_null(text_begin(&remedy));
	sql_write_undenied(remedy.to, "Acme]Test", p);
	_cleanup_free_ char *text = text_end(&remedy);
	assert_non_null(text);
	assert_string_equal(text, wanted);
	corpus_add(text);
}

#define DENIAL(of, on, to, by)                                                                     \
	&(const struct permission)                                                                 \
	{                                                                                          \
		.class = of, .state = 'D', .name = (char[]){"VIEW DEFINITION"}, .schema = on,      \
		.grantee = (char[]){to}, .grantor = (char[]){by}, .id = 7                          \
	}
#define WHO	"a'b]"
#define FROM_IT " + N' FROM ' + QUOTENAME(N'a''b]') + N' CASCADE"

static void test_what_a_denial_hides_is_found_by_its_id(void **state)
{
	(void)state;
	undenied_is(DENIAL(CLASS_SCHEMA, (char[]){"x"}, WHO, "dbo"),
		IN "REVOKE VIEW DEFINITION ON SCHEMA::[x] FROM [a'b]]] CASCADE AS [dbo];");
	undenied_is(DENIAL(CLASS_SCHEMA, NULL, WHO, "dbo"), IN
		"DECLARE @revoke nvarchar(max) = (SELECT N'REVOKE VIEW DEFINITION ON ' + N'SCHEMA::' + QUOTENAME(x.name)" FROM_IT
		" AS ' + QUOTENAME(N'dbo') FROM sys.schemas AS x WHERE x.schema_id = 7); EXEC (@revoke);");
	undenied_is(DENIAL(CLASS_OBJECT, NULL, WHO, "dbo"), IN
		"DECLARE @revoke nvarchar(max) = (SELECT N'REVOKE VIEW DEFINITION ON ' + N'OBJECT::' + "
		"QUOTENAME(SCHEMA_NAME(x.schema_id)) + N'.' + QUOTENAME(x.name)" FROM_IT
		" AS ' + QUOTENAME(N'dbo') FROM sys.objects AS x WHERE x.object_id = 7); EXEC (@revoke);");
	/* What is denied on a user is recorded as denied by that user. */
	undenied_is(DENIAL(CLASS_PRINCIPAL, NULL, WHO, ""), IN
		"DECLARE @revoke nvarchar(max) = (SELECT N'REVOKE VIEW DEFINITION ON ' + CASE x.type WHEN 'R' THEN N'ROLE::' "
		"WHEN 'A' THEN N'APPLICATION ROLE::' ELSE N'USER::' END + QUOTENAME(x.name)" FROM_IT
		"' FROM sys.database_principals AS x WHERE x.principal_id = 7); EXEC (@revoke);");
	/* Names that are no valid text, and rarer kinds, are a DBA's to find. */
	undenied_is(DENIAL(CLASS_TYPE, NULL, WHO, "dbo"), IN
		"-- a DBA finds it in sys.database_permissions by class 6 and major_id 7, and revokes the denial;");
	undenied_is(DENIAL(CLASS_SCHEMA, (char[]){"x"}, "\xed\xa0\x80", "dbo"), IN
		"-- a DBA finds it in sys.database_permissions by class 3 and major_id 7, and revokes the denial;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_what_a_denial_hides_is_found_by_its_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
