/* Runs a change inside a database as the database's owner. A DDL trigger runs as whoever fires it
 * (https://learn.microsoft.com/sql/t-sql/statements/execute-as-clause-transact-sql), and one can be created behind the
 * check that stands before each change (statement_guard.c): it then has what the owner has in that database, and not
 * what the agent has on the server and in other databases. Nothing ends this before the statement does, because nobody
 * else knows the cookie (https://learn.microsoft.com/sql/t-sql/statements/execute-as-transact-sql).
 *
 * Two databases are changed as the agent itself, behind the check alone. Of one that is TRUSTWORTHY the owner would
 * reach the server, perhaps as sysadmin, and only a sysadmin can set that
 * (https://learn.microsoft.com/sql/relational-databases/security/trustworthy-database-property). The other has an owner
 * that is not there: its login is gone, or it came from another server with an owner of its own (15517), or the domain
 * does not know the account (15404). That is decided by what somebody with full access to the database cannot change: a
 * DENY of IMPERSONATE gives 15517 too, and then nothing is run, nor where the server does not show that the owner is
 * not there. A server that does not know EXECUTE AS refuses the whole batch before any of it runs, and no CATCH block
 * of it sees that (https://learn.microsoft.com/sql/t-sql/language-elements/try-catch-transact-sql). The number alone
 * (102) says nothing, for a trigger can give it too, by EXEC of a text that is no T-SQL. So it counts only as the
 * answer to statement_write_owner_end(), which fires none; then the changes are sent without all this. */
#include "sql/statement.h"

#include "sql/database_owner.h"
#include "sql/name.h"

enum change_identity change_identity(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_MEMBER_ADD:
	case CHANGE_MEMBER_RESTRICT:
	case CHANGE_MEMBER_DROP:
	case CHANGE_REVOKE:
	case CHANGE_OWNER:
	case CHANGE_USER_DROP:
	case CHANGE_ROLE_CREATE:
	case CHANGE_ROLE_DENY:
	case CHANGE_ROLE_DENY_REMOVE:
	case CHANGE_ROLE_GRANT:
		return RUNS_AS_OWNER;
	case CHANGE_USER_CREATE:
	case CHANGE_USER_REMAP:
		return RUNS_AS_USER_LOGIN;
	default:
		return RUNS_AS_AGENT;
	}
}

void statement_write_variables(FILE *to)
{
	fputs("DECLARE @cookie varbinary(8000), " AGENT_USER " int;\n", to);
}

static const char owner_becomes[] =
	"BEGIN\n"
	"SET @cookie = NULL;\n"
	"SET " AGENT_USER " = DATABASE_PRINCIPAL_ID();\n"
	"BEGIN TRY\n"
	"IF EXISTS (SELECT 1 FROM sys.databases AS d WHERE d.database_id = DB_ID() AND d.is_trustworthy_on = 0)\n"
	"  EXECUTE AS USER = N'dbo' WITH COOKIE INTO @cookie;\n"
	"END TRY\n"
	"BEGIN CATCH\n"
	"IF NOT (" OWNER_IS_NOT_THERE ") THROW;\n"
	"END CATCH;\n"
	"BEGIN TRY\n";

/* Also after an error, which ends the batch, or its TRY block, only behind this. */
static const char owner_leaves[] = "\nEND TRY\n"
				   "BEGIN CATCH\n"
				   "IF @cookie IS NOT NULL REVERT WITH COOKIE = @cookie;\n"
				   "THROW;\n"
				   "END CATCH;\n"
				   "IF @cookie IS NOT NULL REVERT WITH COOKIE = @cookie;\n"
				   "END;";

void statement_write_owner_end(FILE *to)
{
	statement_write_variables(to);
	fputs("IF 1 = 0 EXECUTE AS USER = N'dbo' WITH COOKIE INTO @cookie;\nREVERT;\n", to);
}

void statement_write_as_owner(FILE *to, const char *statement)
{
	fputs(owner_becomes, to);
	batch_write_sendable(to, statement, AGENT_USER);
	fputs(owner_leaves, to);
}
