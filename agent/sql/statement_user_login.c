/* Gives a login its user in a database as USER_LOGIN, a login of its own for this. The database's owner cannot do it:
 * inside of EXECUTE AS USER the server is left behind, and with it the sight of its logins
 * (https://learn.microsoft.com/sql/relational-databases/security/metadata-visibility-configuration). The agent login
 * could, but a DDL trigger that appears behind the check (statement_guard.c) would run with what the agent has on the
 * server and in other databases. USER_LOGIN sees the logins and has nothing else: it may enter only this database, only
 * while the statement runs, and can do there what the statement needs
 * (https://learn.microsoft.com/sql/t-sql/statements/create-user-transact-sql, alter-user-transact-sql: Permissions). It
 * gets that from the owner of the database, as which the permissions are granted and revoked (statement_owner.c). It is
 * disabled, and is acted as all the same
 * (https://learn.microsoft.com/sql/t-sql/statements/alter-login-transact-sql, DISABLE). */
#include "sql/statement.h"

/* A restored database may bring a user of this name that belongs to another server's login. */
static const char user_is_there[] =
	"IF NOT EXISTS (SELECT 1 FROM sys.database_principals AS p WHERE p.name = N'" USER_LOGIN
	"'\n"
	"  AND p.sid = SUSER_SID(N'" USER_LOGIN
	"')) THROW 50005, N'This database has no user for login " USER_LOGIN
	": nothing was run; a DBA runs what curfew bootstrap prints, again.', 1;\n";

static const char *needs(enum change_kind kind)
{
	return kind == CHANGE_USER_REMAP ? "CONTROL" : "ALTER ANY USER";
}

static void grant_write(FILE *to, const char *verb, const char *needed, const char *join)
{
	char statement[128];

	snprintf(statement, sizeof(statement), "%s CONNECT, %s %s [" USER_LOGIN "];", verb, needed,
		join);
	statement_write_as_owner(to, statement);
	putc('\n', to);
}

void statement_write_as_user_login(FILE *to, enum change_kind kind, const char *statement)
{
	fputs("BEGIN\n", to);
	fputs(user_is_there, to);
	fputs("BEGIN TRY\n", to);
	grant_write(to, "GRANT", needs(kind), "TO");
	fputs("SET @cookie = NULL;\n"
	      "EXECUTE AS LOGIN = N'" USER_LOGIN "' WITH COOKIE INTO @cookie;\n"
	      "BEGIN TRY\n",
		to);
	fputs(statement, to);
	fputs("\nEND TRY\n"
	      "BEGIN CATCH\n"
	      "REVERT WITH COOKIE = @cookie;\n"
	      "THROW;\n"
	      "END CATCH;\n"
	      "REVERT WITH COOKIE = @cookie;\n"
	      "END TRY\n"
	      "BEGIN CATCH\n",
		to);
	grant_write(to, "REVOKE", needs(kind), "FROM");
	fputs("THROW;\n"
	      "END CATCH;\n",
		to);
	grant_write(to, "REVOKE", needs(kind), "FROM");
	fputs("END;", to);
}
