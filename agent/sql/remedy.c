/* T-SQL that removes a new item, or shows a changed one, for a DBA who has read the finding. */
#include <string.h>

#include "curfew/sql.h"

bool sql_is_server_baseline(const char *database)
{
	return names_equal(database, SQL_SERVER_BASELINE) ||
	       names_equal(database, SQL_AGENT_BASELINE) ||
	       names_equal(database, SQL_MODEL_BASELINE);
}

size_t sql_quoted_size(const char *text)
{
	size_t i = 1;

	while (text[i] && (text[i] != ']' || text[i + 1] == ']'))
		i += text[i] == ']' ? 2 : 1;
	return text[i] ? i + 1 : i;
}

static const char *drop_of(const struct sql_item *i)
{
	static const struct {
		const char *type, *statement;
	} kinds[] = {{"SQL_STORED_PROCEDURE", "DROP PROCEDURE"}, {"VIEW", "DROP VIEW"},
		{"SQL_TRIGGER", "DROP TRIGGER"}, {"SYNONYM", "DROP SYNONYM"},
		{"SEQUENCE_OBJECT", "DROP SEQUENCE"}, {"SQL_SCALAR_FUNCTION", "DROP FUNCTION"},
		{"SQL_INLINE_TABLE_VALUED_FUNCTION", "DROP FUNCTION"},
		{"SQL_TABLE_VALUED_FUNCTION", "DROP FUNCTION"},
		{"CLR_STORED_PROCEDURE", "DROP PROCEDURE"}, {"CLR_TRIGGER", "DROP TRIGGER"},
		{"CLR_SCALAR_FUNCTION", "DROP FUNCTION"},
		{"CLR_TABLE_VALUED_FUNCTION", "DROP FUNCTION"},
		{"AGGREGATE_FUNCTION", "DROP AGGREGATE"},
		/* Stand-alone ones have a module of their own: sys.sql_modules lists them, unlike the defaults of
		 * tables (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-sql-modules-transact-sql). */
		{"RULE", "DROP RULE"}, {"DEFAULT_CONSTRAINT", "DROP DEFAULT"},
		{"REPLICATION_FILTER_PROCEDURE", "DROP PROCEDURE"}, {"TYPE", "DROP TYPE"},
		{"CERTIFICATE ", "DROP CERTIFICATE"}, {"DATABASE_ROLE", "DROP ROLE"},
		{"APPLICATION_ROLE", "DROP APPLICATION ROLE"}, {"SERVER_ROLE", "DROP SERVER ROLE"}};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (begins_with(i->hash, kinds[k].type))
			return kinds[k].statement;
	if (streq(i->kind, "endpoint"))
		return "DROP ENDPOINT";
	if (streq(i->kind, "credential"))
		return "DROP CREDENTIAL";
	/* Of a Windows or Entra group the type is the same word on the server and in a database. */
	if (streq(i->kind, "login"))
		return "DROP LOGIN";
	return streq(i->kind, "principal") ? "DROP USER" : NULL;
}

#define TWO_PART_NAME "QUOTENAME(SCHEMA_NAME(schema_id)) + N'.' + QUOTENAME(name)"

/* An item that contains data, or belongs to a table or module, is shown and not dropped. Its name begins with the quoted
 * name of that table or module. */
static bool is_part_of_object(const struct sql_item *i)
{
	static const char *const kinds[] = {"table", "numbered", "trigger", "column", "index",
		"check", "default", "computed", "foreign-key", "policy", "signature", "queue"};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (streq(i->kind, kinds[k]))
			return true;
	return false;
}

static void part_look_write(FILE *to, const struct sql_item *i)
{
	size_t size = sql_quoted_size(i->name);
	_cleanup_free_ char *owner = NULL;

	if (i->name[size] == '.')
		size += 1 + sql_quoted_size(i->name + size + 1);
	owner = strndup(i->name, size);
	fputs("SELECT * FROM sys.objects WHERE object_id = OBJECT_ID(", to);
	sql_write_string(to, owner ? owner : "");
	fputs(") OR parent_object_id = OBJECT_ID(", to);
	sql_write_string(to, owner ? owner : "");
	fputs(")", to);
}

/* Shows a changed item as it is now: its text, or without one its catalog row or the columns of the table. */
static void look_write(FILE *to, const struct sql_item *i)
{
	static const struct {
		const char *kind, *type, *before, *after;
	} looks[] = {
		{"object", "USER_TABLE",
			"SELECT name, TYPE_NAME(user_type_id) AS type, max_length, [precision], scale, is_nullable "
			"FROM sys.columns WHERE object_id = OBJECT_ID(",
			") ORDER BY column_id"},
		{"object", "SYNONYM",
			"SELECT base_object_name FROM sys.synonyms WHERE " TWO_PART_NAME " = ", ""},
		{"object", "SEQUENCE_OBJECT",
			"SELECT * FROM sys.sequences WHERE " TWO_PART_NAME " = ", ""},
		{"principal", "",
			"SELECT * FROM sys.database_principals WHERE QUOTENAME(name) = ", ""},
		{"login", "", "SELECT * FROM sys.server_principals WHERE QUOTENAME(name) = ", ""},
		{"login-state", "",
			"SELECT * FROM sys.server_principals WHERE QUOTENAME(name) = ", ""},
		{"login-password", "",
			"SELECT * FROM sys.server_principals WHERE QUOTENAME(name) = ", ""},
		{"sysadmin-password", "",
			"SELECT * FROM sys.server_principals WHERE QUOTENAME(name) = ", ""},
		{"endpoint", "", "SELECT * FROM sys.endpoints WHERE QUOTENAME(name) = ", ""},
		{"credential", "", "SELECT * FROM sys.credentials WHERE QUOTENAME(name) = ", ""},
		{"certificate", "", "SELECT * FROM sys.certificates WHERE QUOTENAME(name) = ", ""},
		{"plan-guide", "", "SELECT * FROM sys.plan_guides WHERE name = ", ""},
		{"ddl-trigger", "",
			"SELECT t.name, m.definition FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m "
			"ON m.object_id = t.object_id WHERE t.parent_class = 0 AND QUOTENAME(t.name) = ",
			""},
		{"system-ddl-trigger", "",
			"SELECT t.name, m.definition FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m "
			"ON m.object_id = t.object_id WHERE t.parent_class = 0 AND QUOTENAME(t.name) = ",
			""},
		{"server-trigger", "",
			"SELECT t.name, m.definition FROM sys.server_triggers AS t LEFT JOIN sys.server_sql_modules AS m "
			"ON m.object_id = t.object_id WHERE QUOTENAME(t.name) = ",
			""},
		{"", "", "SELECT OBJECT_DEFINITION(OBJECT_ID(", "))"}};
	size_t k = 0;

	/* The last one matches every item. */
	while (*looks[k].kind &&
		(!streq(looks[k].kind, i->kind) || !begins_with(i->hash, looks[k].type)))
		k++;
	fputs(looks[k].before, to);
	sql_write_string(to, i->name);
	fputs(looks[k].after, to);
}

/* N'a]b' of the quoted name [a]]b] at the start of a text. */
static void unquoted_write(FILE *to, const char *text)
{
	size_t size = sql_quoted_size(text), n = 0;
	_cleanup_free_ char *plain = strndup(text, size);

	for (size_t i = 1; plain && i + 1 < size; i++) {
		plain[n++] = text[i];
		i += text[i] == ']';
	}
	if (plain)
		plain[n] = '\0';
	sql_write_string(to, plain ? plain : "");
}

/* DROP PROCEDURE does not take an extended one, and master alone has them
 * (https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-dropextendedproc-transact-sql). */
static void extended_drop(FILE *to, const struct sql_item *i)
{
	size_t schema = sql_quoted_size(i->name);

	fputs("USE [master]; EXEC sys.sp_dropextendedproc ", to);
	unquoted_write(to, i->name[schema] == '.' ? i->name + schema + 1 : i->name);
	fputs(";", to);
}

/* "[SERVER] for everybody", or for "[LOGIN]". */
static void linked_login_write(FILE *to, const char *name)
{
	const char *login = name + sql_quoted_size(name) + strlen(" for ");

	fputs("EXEC sys.sp_droplinkedsrvlogin @rmtsrvname = ", to);
	unquoted_write(to, name);
	fputs(", @locallogin = ", to);
	if (*login == '[')
		unquoted_write(to, login);
	else
		fputs("NULL", to);
}

/* What SQL Server Agent has. A part of a job or a proxy is shown, with all of it. */
static bool agent_item_write(FILE *to, const struct sql_item *i, bool changed)
{
	if (begins_with(i->kind, "job-") || (streq(i->kind, "job") && changed))
		fputs("SELECT j.name, s.step_id, s.step_name, s.subsystem, s.database_name, s.command, h.name AS schedule\n"
		      "FROM msdb.dbo.sysjobs AS j LEFT JOIN msdb.dbo.sysjobsteps AS s ON s.job_id = j.job_id\n"
		      "LEFT JOIN msdb.dbo.sysjobschedules AS k ON k.job_id = j.job_id\n"
		      "LEFT JOIN msdb.dbo.sysschedules AS h ON h.schedule_id = k.schedule_id WHERE j.name = ",
			to);
	else if (streq(i->kind, "job"))
		fputs("EXEC msdb.dbo.sp_delete_job @job_name = ", to);
	else if (streq(i->kind, "alert") && !changed)
		fputs("EXEC msdb.dbo.sp_delete_alert @name = ", to);
	else if (streq(i->kind, "alert"))
		fputs("SELECT * FROM msdb.dbo.sysalerts WHERE name = ", to);
	else if (begins_with(i->kind, "proxy"))
		fputs("SELECT x.name, x.credential_id, l.sid, SUSER_SNAME(l.sid) AS login FROM msdb.dbo.sysproxies AS x\n"
		      "LEFT JOIN msdb.dbo.sysproxylogin AS l ON l.proxy_id = x.proxy_id WHERE x.name = ",
			to);
	else
		return false;
	unquoted_write(to, i->name);
	return true;
}

/* Only the id of the item is known, or its name is not valid UTF-16 and ends with its bytes. */
static bool is_unnamed(const struct sql_item *i)
{
	const char *on = strstr(i->name, " on id "), *bracket = strchr(i->name, '[');

	return (on && (!bracket || on < bracket)) || strstr(i->name, "] 0x");
}

void sql_write_remedy(FILE *to, const char *database, const struct sql_item *i, bool changed)
{
	bool server = streq(database, SQL_SERVER_BASELINE);

	if (is_unnamed(i)) {
		fputs("-- no statement can write this name; a DBA must review it", to);
		return;
	}
	if (!changed && begins_with(i->hash, "EXTENDED_STORED_PROCEDURE")) {
		extended_drop(to, i);
		return;
	}
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs("; ", to);
	if (agent_item_write(to, i, changed)) {
		/* That was all. */
	} else if (streq(i->kind, "linked-login")) {
		linked_login_write(to, i->name);
	} else if (streq(i->kind, "setting")) {
		/* Where advanced options are not shown, as by default, sp_configure knows none of them. */
		fputs(server ? "SELECT * FROM sys.configurations WHERE name = "
			     : "SELECT * FROM sys.databases WHERE name = ",
			to);
		sql_write_string(to, server ? i->name : database);
	} else if (is_part_of_object(i)) {
		part_look_write(to, i);
	} else if (changed || begins_with(i->hash, "USER_TABLE")) {
		look_write(to, i);
	} else if (streq(i->kind, "member") || streq(i->kind, "server-member")) {
		size_t member = sql_quoted_size(i->name);
		fprintf(to, "ALTER %s %s DROP MEMBER %.*s",
			streq(i->kind, "member") ? "ROLE" : "SERVER ROLE",
			i->name + member + strlen(" in "), (int)member, i->name);
	} else if (streq(i->kind, "permission") || streq(i->kind, "server-permission")) {
		/* There is a row for each grantor, and without AS the statement takes back that of the owner alone,
		 * silently (https://learn.microsoft.com/sql/t-sql/statements/revoke-transact-sql). */
		fprintf(to,
			"REVOKE %s CASCADE; -- if it stays, somebody else than the owner granted it: add AS and that one's "
			"name, which is the grantor in sys.%s_permissions",
			i->name, server ? "server" : "database");
		return;
	} else if (streq(i->kind, "plan-guide")) {
		fputs("EXEC sys.sp_control_plan_guide N'DROP', ", to);
		sql_write_string(to, i->name);
	} else if (streq(i->kind, "ddl-trigger") || streq(i->kind, "system-ddl-trigger")) {
		fprintf(to, "DROP TRIGGER %s ON DATABASE", i->name);
	} else if (drop_of(i)) {
		fprintf(to, "%s %s", drop_of(i), i->name);
	} else {
		fputs("-- no statement is known for this type; a DBA must review it", to);
		return;
	}
	fputs(";", to);
}
