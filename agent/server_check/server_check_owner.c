/* Whether a database can be changed as its owner, and get its users as USER_LOGIN, so that no DDL trigger there runs with
 * the agent login's permissions. */
#include <errno.h>

#include "curfew/text.h"
#include "proof/visit_run.h"
#include "server_check/server_check.h"
#include "sql/rows.h"
#include "sql/statement.h"

static void database_enter_write(FILE *to, const char *database)
{
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs("; IF DB_NAME() = ", to);
	sql_write_string(to, database);
	putc('\n', to);
}

static int answer_row(void *number, const struct sql_value *v, int n)
{
	if (n == 2 && v[1].data)
		*(int *)number = (int)row_number(&v[1]);
	return 0;
}

static char *question(const char *database)
{
	struct text text;

	if (!text_begin(&text))
		return NULL;
	database_enter_write(text.to, database);
	fputs("BEGIN\nBEGIN TRY\nEXECUTE AS USER = N'dbo';\nREVERT;\nSELECT N'owner' AS [part], 0;\nEND TRY\n"
	      "BEGIN CATCH\nSELECT N'owner' AS [part], ERROR_NUMBER();\nEND CATCH;\nEND;\n",
		text.to);
	return text_end(&text);
}

int check_owner(struct check_run *c, const char *database)
{
	_cleanup_free_ char *batch = question(database);
	int number = -1;
	int rc = batch ? check_ask(c, batch, answer_row, &number) : -ENOMEM;

	if (rc < 0)
		return rc;
	if (rc)
		number = c->error.number;
	if (rc && is_syntax_error(number)) {
		bool accepted = c->check->visit.server->evidence_catalog;
		check_tell(c, accepted ? CHECK_SKIP : CHECK_FAIL, "database.owner",
			accepted
				? NULL
				: "nobody can be let in; if a DBA accepts the catalog as evidence, set evidence: curfew.conf(5)",
			"the server does not know EXECUTE AS; the database is changed as the agent login, behind the check of its DDL "
			"triggers");
	} else if (!number)
		check_tell(c, CHECK_OK, "database.owner", NULL,
			"can be changed as its owner, so that no DDL trigger there runs with the agent login's permissions");
	else
		check_tell(c, CHECK_FAIL, "database.owner",
			"if its owner is no login of this server, run ALTER AUTHORIZATION ON DATABASE to [sa]; else revoke what denies "
			"the agent login IMPERSONATE on dbo (docs/security.md)",
			"cannot be changed as its owner: error %d", number);
	return 0;
}

/* The login is made by `curfew bootstrap` with the permission to act as it. */
static void user_login_tell(
	struct check_run *c, const char *name, int rc, int answer, const char *ok)
{
	char fix[RECORD_TEXT_MAX];

	if (!rc && answer == 1)
		check_tell(c, CHECK_OK, name, NULL, "%s", ok);
	else if (c->check->visit.server->evidence_catalog)
		check_tell(c, CHECK_SKIP, name, NULL,
			"this server may not know how to act as a login; users are made as the agent login");
	else
		check_tell(c, CHECK_FAIL, name, check_bootstrap(fix, c, NULL),
			"users cannot be made as login " USER_LOGIN
			": it or its user is missing, it was changed, or the agent login may not act as it");
}

/* The text of the question is ended and freed. */
static int user_login_ask(struct check_run *c, struct text *text, const char *name, const char *ok)
{
	_cleanup_free_ char *batch = text_end(text);
	int answer = -1;
	int rc = batch ? check_ask(c, batch, answer_row, &answer) : -ENOMEM;

	if (rc < 0)
		return rc;
	user_login_tell(c, name, rc, answer, ok);
	return 0;
}

int check_user_login(struct check_run *c)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fputs("SELECT N'user-login' AS [part], COALESCE(HAS_PERMS_BY_NAME(N'[" USER_LOGIN
	      "]', N'LOGIN', N'IMPERSONATE'), 0)\nWHERE ",
		text.to);
	user_login_fitness_write(text.to);
	fputs(";\n", text.to);
	return user_login_ask(c, &text, "user-login",
		"users are made as login " USER_LOGIN ", which has nothing elsewhere");
}

int check_user_of_login(struct check_run *c, const char *database)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	database_enter_write(text.to, database);
	fputs("SELECT N'user-login' AS [part], COUNT(*) FROM sys.database_principals AS p\n"
	      "  WHERE p.name = N'" USER_LOGIN "' AND p.sid = SUSER_SID(N'" USER_LOGIN "');\n",
		text.to);
	return user_login_ask(c, &text, "database.user-login",
		"login " USER_LOGIN " has a user there, as which users are made");
}
