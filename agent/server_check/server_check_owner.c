/* Whether a database can be changed as its owner, so that no DDL trigger there runs with the agent login's permissions. */
#include <errno.h>

#include "curfew/text.h"
#include "proof/visit_run.h"
#include "server_check/server_check.h"
#include "sql/rows.h"

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
	fputs("USE ", text.to);
	sql_write_name(text.to, database);
	fputs("; IF DB_NAME() = ", text.to);
	sql_write_string(text.to, database);
	fputs("\nBEGIN\nBEGIN TRY\nEXECUTE AS USER = N'dbo';\nREVERT;\nSELECT N'owner' AS [part], 0;\nEND TRY\n"
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
