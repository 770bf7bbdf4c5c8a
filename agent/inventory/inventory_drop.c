/* Writes the statement that drops an object, for the client's own people. Curfew itself drops nothing. */
#include "inventory/inventory_internal.h"

#include "curfew/sql.h"

static void two_part_write(FILE *to, const struct inventory_item *i)
{
	sql_write_name(to, i->schema);
	putc('.', to);
	sql_write_name(to, i->name);
}

static bool part_write(FILE *to, const struct inventory_item *i)
{
	if (!i->on || !i->on->writable)
		return false;
	if (streq(i->type, "column")) {
		fputs("ALTER TABLE ", to);
		two_part_write(to, i->on);
		fputs(" DROP COLUMN ", to);
		sql_write_name(to, i->name);
	} else if (inventory_has_fact(i->facts, "constraint")) {
		fputs("ALTER TABLE ", to);
		two_part_write(to, i->on);
		fputs(" DROP CONSTRAINT ", to);
		sql_write_name(to, i->name);
	} else {
		fputs("DROP INDEX ", to);
		sql_write_name(to, i->name);
		fputs(" ON ", to);
		two_part_write(to, i->on);
	}
	fputs(";\n", to);
	return true;
}

bool inventory_drop_write(FILE *to, const struct inventory_item *i)
{
	static const struct {
		const char *type, *start, *end;
		bool one_part; /* its name has no schema */
	} forms[] = {{"table", "DROP TABLE ", ""}, {"view", "DROP VIEW ", ""},
		{"procedure", "DROP PROCEDURE ", ""}, {"function", "DROP FUNCTION ", ""},
		{"trigger", "DROP TRIGGER ", ""},
		{"ddl-trigger", "DROP TRIGGER ", " ON DATABASE", true},
		{"sequence", "DROP SEQUENCE ", ""}, {"synonym", "DROP SYNONYM ", ""},
		{"type", "DROP TYPE ", ""}, {"aggregate", "DROP AGGREGATE ", ""},
		{"queue", "DROP QUEUE ", ""}, {"assembly", "DROP ASSEMBLY ", "", true}};

	if (!i->writable)
		return false;
	if (streq(i->type, "column") || streq(i->type, "index"))
		return part_write(to, i);
	if (streq(i->type, "job") || streq(i->type, "linked-server")) {
		bool job = streq(i->type, "job");
		fputs(job ? "EXEC msdb.dbo.sp_delete_job @job_name = "
			  : "EXEC sys.sp_dropserver @server = ",
			to);
		sql_write_string(to, i->name);
		/* With logins left, sp_dropserver refuses (error 15190). */
		fputs(job ? ";\n" : ", @droplogins = 'droplogins';\n", to);
		return true;
	}
	for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
		if (!streq(i->type, forms[k].type))
			continue;
		fputs(forms[k].start, to);
		if (forms[k].one_part)
			sql_write_name(to, i->name);
		else
			two_part_write(to, i);
		fprintf(to, "%s;\n", forms[k].end);
		return true;
	}
	return false;
}
