/* A check that stands directly before each change in its batch: a DDL trigger that appeared or changed since the
 * database was read must not run with Curfew's permissions. Neither the check nor the change waits for a lock: whoever
 * holds one could create the trigger in the meantime, or enable one that the check has read already, and let it go on.
 * One that is created behind the check all the same does not run with them either (statement_owner.c). */
#include <errno.h>
#include <stdlib.h>

#include "sql/name.h"
#include "sql/session_settings.h"
#include "sql/statement.h"
#include "sql/trigger_events.h"
#include "curfew/text.h"

/* A definition that cannot be seen (WITH ENCRYPTION, CLR) has no digest, and no value may stand for it: 0x equals 0x00,
 * because zero bytes at the end do not count. */
#define IS_NOT_ONE_OF "(m.definition IS NULL OR HASHBYTES('SHA2_256', m.definition) NOT IN ("

static void digest_write(FILE *to, const struct observed_trigger *t, size_t *n)
{
	fprintf(to, "%s0x%s", (*n)++ ? ", " : "", t->digest);
}

void statement_write_patience(FILE *to, bool waits)
{
	fprintf(to, "SET LOCK_TIMEOUT %d;\n", waits ? LOCK_PATIENCE : 0);
}

/* A denial hides triggers from the agent login, also from one that holds VIEW ANY DEFINITION and is in db_owner
 * (https://learn.microsoft.com/sql/relational-databases/security/metadata-visibility-configuration): what is not seen
 * may be there. A server that does not tell is believed. */
#define IS_HIDDEN                                                                                  \
	"COALESCE(HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DEFINITION'),\n"     \
	"    HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION'), 0) <> 1\n  OR "

static void trigger_check_write(FILE *to, const struct observed_database *d)
{
	size_t n = 0;

	fprintf(to, "(%s", d->tells_visibility ? IS_HIDDEN : "");
	fputs("EXISTS (SELECT 1 FROM sys.triggers AS t WHERE t.parent_class = 0 AND t.is_disabled = 0\n"
	      "    AND NOT (" FIRES_ELSEWHERE(
		      "t.object_id") "))\n"
				     "  AND EXISTS (SELECT 1 FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
				     "  WHERE t.parent_class = 0 AND t.is_disabled = 0 AND " IS_NOT_ONE_OF,
		to);
	for (size_t i = 0; i < d->n_triggers; i++)
		digest_write(to, &d->triggers[i], &n);
	fprintf(to,
		"%s)))) THROW 50002, N'A DDL trigger was created or changed since this database was read, or is hidden from the "
		"agent login: nothing was run.', 1;\n",
		n ? "" : "0x");
}

static void guard_write(FILE *to, const struct observed_database *d)
{
	fputs("USE ", to);
	sql_write_name(to, d->name);
	fputs("; IF DB_NAME() = ", to);
	sql_write_string(to, d->name);
	fputs(" AND ", to);
	trigger_check_write(to, d);
}

void statement_write_inner_guard(FILE *to, const struct observed_database *d)
{
	if (!d)
		return;
	fputs("IF ", to);
	trigger_check_write(to, d);
}

/* Around the check alone. A batch goes on behind most errors, also behind a check that met a lock (1222) and so has seen
 * nothing; THROW in a CATCH block ends it (https://learn.microsoft.com/sql/t-sql/language-elements/throw-transact-sql). */
static void check_begin(FILE *to)
{
	statement_write_patience(to, false);
	fputs("BEGIN TRY\n", to);
}

static void check_end(FILE *to)
{
	fputs("END TRY\nBEGIN CATCH THROW; END CATCH;\n", to);
}

/* Only what was read and may run: also where nobody has asked before whether a trigger may. */
void statement_write_server_guard(
	FILE *to, const struct observed_server *o, const struct strings *known)
{
	size_t n = 0;

	check_begin(to);
	fputs("USE [master]; IF EXISTS (SELECT 1 FROM sys.server_triggers AS t\n"
	      "  LEFT JOIN sys.server_sql_modules AS m ON m.object_id = t.object_id\n"
	      "  WHERE t.is_disabled = 0 AND " IS_NOT_ONE_OF,
		to);
	for (size_t i = 0; i < o->n_triggers; i++)
		if (!server_trigger_refused(known, &o->triggers[i]))
			digest_write(to, &o->triggers[i], &n);
	fprintf(to,
		"%s))) THROW 50002, N'A server trigger is not reviewed, or was created or changed since this server was read: "
		"nothing was run.', 1;\n",
		n ? "" : "0x");
	check_end(to);
}

/* One that is gone is told by the statement. */
void statement_write_login_guard(FILE *to, const char *login, const struct sid *sid)
{
	if (!sid->size)
		return;
	check_begin(to);
	fputs("IF EXISTS (SELECT 1 FROM sys.server_principals AS p WHERE p.name = ", to);
	sql_write_string(to, login);
	fputs(" AND p.sid <> ", to);
	sid_write(to, sid);
	fputs(") THROW 50002, N'This name belongs to another login than when this server was read: nothing was run.', 1;\n",
		to);
	check_end(to);
}

int statement_write_guard(FILE *to, const struct observed_database *d)
{
	struct text plain;

	if (!text_begin(&plain))
		return -ENOMEM;
	guard_write(plain.to, d);
	_cleanup_free_ char *text = text_end(&plain);
	if (!text)
		return -ENOMEM;
	/* Outside of the text, because what dynamic text sets ends with it. */
	check_begin(to);
	batch_write_sendable(to, text, NULL);
	check_end(to);
	return 0;
}
