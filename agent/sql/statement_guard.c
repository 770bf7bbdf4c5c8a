/* What stands before a change in its own batch: a DDL trigger that appeared or changed since the database was read must not
 * run with Curfew's permissions. */
#include <errno.h>
#include <stdlib.h>

#include "sql/name.h"
#include "sql/statement.h"
#include "curfew/text.h"

static void digests_write(FILE *to, const struct observed_database *d)
{
	for (size_t i = 0; i < d->n_triggers; i++)
		fprintf(to, "%s0x%s", i ? ", " : "", d->triggers[i].digest);
	if (!d->n_triggers)
		fputs("0x", to);
}

static void guard_write(FILE *to, const struct observed_database *d)
{
	fputs("USE ", to);
	sql_write_name(to, d->name);
	fputs("; IF DB_NAME() = ", to);
	sql_write_string(to, d->name);
	fputs(" AND EXISTS (SELECT 1 FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
	      "  WHERE t.parent_class = 0 AND t.is_disabled = 0 AND COALESCE(HASHBYTES('SHA2_256', m.definition), 0x00) NOT IN (",
		to);
	digests_write(to, d);
	fputs(")) THROW 50002, N'A DDL trigger was created or changed since this database was read: nothing was run.', 1;\n",
		to);
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
