/* A check that precedes each change in its batch: a DDL trigger that appeared or changed since the database was read
 * must not run with Curfew's permissions. */
#include <errno.h>
#include <stdlib.h>

#include "sql/name.h"
#include "sql/statement.h"
#include "curfew/text.h"

static void digest_write(FILE *to, const struct observed_trigger *t, size_t *n)
{
	fprintf(to, "%s0x%s", (*n)++ ? ", " : "", t->digest);
}

static void guard_write(FILE *to, const struct observed_database *d)
{
	size_t n = 0;

	fputs("USE ", to);
	sql_write_name(to, d->name);
	fputs("; IF DB_NAME() = ", to);
	sql_write_string(to, d->name);
	fputs(" AND EXISTS (SELECT 1 FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
	      "  WHERE t.parent_class = 0 AND t.is_disabled = 0 AND COALESCE(HASHBYTES('SHA2_256', m.definition), 0x00) NOT IN (",
		to);
	for (size_t i = 0; i < d->n_triggers; i++)
		digest_write(to, &d->triggers[i], &n);
	fprintf(to,
		"%s)) THROW 50002, N'A DDL trigger was created or changed since this database was read: nothing was run.', 1;\n",
		n ? "" : "0x");
}

/* Only what was read and may run: also where nobody has asked before whether a trigger may. */
void statement_write_server_guard(
	FILE *to, const struct observed_server *o, const struct strings *known)
{
	size_t n = 0;

	fputs("USE [master]; IF EXISTS (SELECT 1 FROM sys.server_triggers AS t\n"
	      "  LEFT JOIN sys.server_sql_modules AS m ON m.object_id = t.object_id\n"
	      "  WHERE t.is_disabled = 0 AND COALESCE(HASHBYTES('SHA2_256', m.definition), 0x00) NOT IN (",
		to);
	for (size_t i = 0; i < o->n_triggers; i++)
		if (!server_trigger_refused(known, &o->triggers[i]))
			digest_write(to, &o->triggers[i], &n);
	fprintf(to,
		"%s)) THROW 50002, N'A server trigger is not reviewed, or was created or changed since this server was read: "
		"nothing was run.', 1;\n",
		n ? "" : "0x");
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
	batch_write_sendable(to, text);
	return 0;
}
