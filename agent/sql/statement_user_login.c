/* Gives a login its user in a database as USER_LOGIN, a login of its own for this. The database's owner cannot do it:
 * inside of EXECUTE AS USER the server is left behind, and with it the sight of its logins
 * (https://learn.microsoft.com/sql/relational-databases/security/metadata-visibility-configuration). The agent login
 * could, but a DDL trigger that appears behind the check (statement_guard.c) would run with what the agent has on the
 * server and in other databases. USER_LOGIN sees the logins and has nothing else: it may enter only this database, only
 * while the statement runs, and can do there what the statement needs
 * (https://learn.microsoft.com/sql/t-sql/statements/create-user-transact-sql, alter-user-transact-sql: Permissions). It
 * gets that from the owner of the database, as which the permissions are granted and revoked (statement_owner.c). It is
 * disabled, and is acted as all the same
 * (https://learn.microsoft.com/sql/t-sql/statements/alter-login-transact-sql, DISABLE). The session acts as it from master
 * on, and leaves it there, for in a contained database it could not
 * (https://learn.microsoft.com/sql/t-sql/statements/execute-as-transact-sql, LOGIN).
 *
 * Somebody else may have a login of this name, or have made more of this one: then nothing is run. */
#include "sql/name.h"
#include "sql/statement.h"

void user_login_fitness_write(FILE *to)
{
	fputs("EXISTS (SELECT 1 FROM sys.server_principals AS p WHERE p.name = N'" USER_LOGIN
	      "' AND p.type = 'S' AND p.is_disabled = 1\n"
	      "  AND NOT EXISTS (SELECT 1 FROM sys.server_role_members AS m WHERE m.member_principal_id = p.principal_id)\n"
	      "  AND NOT EXISTS (SELECT 1 FROM sys.server_permissions AS g WHERE g.grantee_principal_id = p.principal_id\n"
	      "    AND g.state <> 'D' AND g.permission_name NOT IN (N'CONNECT SQL', N'VIEW ANY DEFINITION')))",
		to);
}

/* A restored database may bring a user of this name that belongs to another server's login. */
static void checks_write(FILE *to)
{
	fputs("IF NOT ", to);
	user_login_fitness_write(to);
	fputs("\n  THROW 50005, N'Login " USER_LOGIN
	      " is not as bootstrap makes it, or is somebody else''s: nothing was run.', 1;\n"
	      "IF NOT EXISTS (SELECT 1 FROM sys.database_principals AS p WHERE p.name = N'" USER_LOGIN
	      "'\n"
	      "  AND p.sid = SUSER_SID(N'" USER_LOGIN
	      "')) THROW 50005, N'This database has no user for login " USER_LOGIN
	      ": nothing was run; a DBA runs what curfew bootstrap prints, again.', 1;\n",
		to);
}

static const char *needed(const struct change *c)
{
	return c->kind == CHANGE_USER_REMAP ? "CONTROL" : "ALTER ANY USER";
}

static void permissions_grant(FILE *to, const struct change *c)
{
	char statement[128];

	snprintf(statement, sizeof(statement), "GRANT CONNECT, %s TO [" USER_LOGIN "];", needed(c));
	statement_write_as_owner(to, statement);
	putc('\n', to);
}

/* Also where somebody has made more of the grant (WITH GRANT OPTION, 4611). */
static void permissions_revoke(FILE *to, const struct change *c)
{
	char statement[128];

	snprintf(statement, sizeof(statement), "REVOKE CONNECT, %s FROM [" USER_LOGIN "] CASCADE;",
		needed(c));
	statement_write_as_owner(to, statement);
	putc('\n', to);
}

static void enter_write(FILE *to, const char *database)
{
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs(";\n", to);
}

static void leave_write(FILE *to, const char *database)
{
	fputs("USE [master];\nREVERT WITH COOKIE = @cookie;\n", to);
	enter_write(to, database);
}

static void acting_write(FILE *to, const char *database, const char *statement)
{
	fputs("SET @cookie = NULL;\n"
	      "USE [master];\n"
	      "EXECUTE AS LOGIN = N'" USER_LOGIN "' WITH COOKIE INTO @cookie;\n"
	      "BEGIN TRY\n",
		to);
	enter_write(to, database);
	fputs("IF DB_NAME() = ", to);
	sql_write_string(to, database);
	fprintf(to, " %s\nEND TRY\nBEGIN CATCH\n", statement);
	leave_write(to, database);
	fputs("THROW;\nEND CATCH;\n", to);
	leave_write(to, database);
}

void statement_write_as_user_login(FILE *to, const struct change *c, const char *statement)
{
	fputs("BEGIN\n", to);
	checks_write(to);
	fputs("BEGIN TRY\n", to);
	permissions_grant(to, c);
	acting_write(to, c->database, statement);
	fputs("END TRY\n"
	      "BEGIN CATCH\n",
		to);
	enter_write(to, c->database);
	fputs("IF DB_NAME() = ", to);
	sql_write_string(to, c->database);
	putc(' ', to);
	permissions_revoke(to, c);
	fputs("THROW;\n"
	      "END CATCH;\n",
		to);
	permissions_revoke(to, c);
	fputs("END;", to);
}
