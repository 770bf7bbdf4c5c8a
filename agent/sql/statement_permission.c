/* GRANT, DENY, REVOKE and transfers of ownership as T-SQL. */
#include "sql/statement.h"

#include <errno.h>
#include <string.h>

/* A permission or a kind of thing, as the server's catalog calls it: written without quotes, so it must be words, or it
 * could be more than what it stands for. */
static bool is_words(const char *text)
{
	return text && *text && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")];
}

static void write_two_names(FILE *to, const char *schema, const char *name)
{
	sql_write_name(to, schema);
	putc('.', to);
	sql_write_name(to, name);
}

/* The ON clause, by sys.database_permissions.class; for principals, keys and the like `schema` holds the kind. */
static int write_securable(FILE *to, const struct permission *p)
{
	enum { DATABASE = 0, OBJECT = 1, SCHEMA = 3, TYPE = 6, SERVER = 100 };

	switch (p->class) {
	case DATABASE:
	case SERVER:
		return 0;
	case OBJECT:
	case TYPE:
		if (!p->schema || !p->object)
			return -ENOTSUP;
		fprintf(to, " ON %s::", p->class == TYPE ? "TYPE" : "OBJECT");
		write_two_names(to, p->schema, p->object);
		if (p->column) {
			fputs(" (", to);
			sql_write_name(to, p->column);
			putc(')', to);
		}
		return 0;
	case SCHEMA:
		if (!p->schema)
			return -ENOTSUP;
		fputs(" ON SCHEMA::", to);
		sql_write_name(to, p->schema);
		return 0;
	default:
		if (!is_words(p->schema) || !p->object)
			return -ENOTSUP;
		fprintf(to, " ON %s::", p->schema);
		sql_write_name(to, p->object);
		return 0;
	}
}

int statement_write_grant(
	FILE *to, const struct permission *p, const char *verb, const char *grantee)
{
	int rc;

	if (!is_words(p->name))
		return -ENOTSUP;
	fprintf(to, "%s %s", verb, p->name);
	rc = write_securable(to, p);
	fputs(" TO ", to);
	sql_write_name(to, grantee);
	if (p->state == 'W')
		fputs(" WITH GRANT OPTION", to);
	return rc;
}

/* CASCADE takes back what was granted on; AS names the grantor that the row has, without which the row would stay. */
static int write_revoke(FILE *to, const struct permission *p)
{
	int rc;

	if (!is_words(p->name))
		return -ENOTSUP;
	fprintf(to, "REVOKE %s", p->name);
	rc = write_securable(to, p);
	fputs(" FROM ", to);
	sql_write_name(to, p->grantee);
	fputs(" CASCADE", to);
	if (p->grantor) {
		fputs(" AS ", to);
		sql_write_name(to, p->grantor);
	}
	return rc;
}

/* What others had, again. A column that was taken out of a grant on its table is taken out of the new one. */
static int write_regrant(FILE *to, const struct permission *p)
{
	if (p->state == 'D')
		return statement_write_grant(to, p, "DENY", p->grantee);
	if (p->state != 'R')
		return statement_write_grant(to, p, "GRANT", p->grantee);
	if (!is_words(p->name))
		return -ENOTSUP;
	fprintf(to, "REVOKE %s", p->name);
	int rc = write_securable(to, p);
	fputs(" FROM ", to);
	sql_write_name(to, p->grantee);
	return rc;
}

static int write_regrants(FILE *to, const struct change *c)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_regrants && !rc; i++) {
		fputs("; ", to);
		rc = write_regrant(to, &c->regrants[i]);
	}
	return rc;
}

int statement_write_revoke(FILE *to, const struct change *c)
{
	int rc;

	if (!c->n_regrants)
		return write_revoke(to, &c->permission);
	fputs("BEGIN SET XACT_ABORT ON; BEGIN TRANSACTION; ", to);
	rc = write_revoke(to, &c->permission);
	if (!rc)
		rc = write_regrants(to, c);
	fputs("; COMMIT TRANSACTION; SET XACT_ABORT OFF; END", to);
	return rc;
}

/* Of everybody but the one who gives it up, and whoever granted it: one of two equal grants is as good as both. */
static void write_count(FILE *to, const char *principal)
{
	fputs("(SELECT COUNT(*) FROM (SELECT DISTINCT p.class, p.major_id, p.minor_id, p.grantee_principal_id, p.type "
	      "FROM sys.database_permissions AS p WHERE p.grantee_principal_id NOT IN "
	      "(SELECT u.principal_id FROM sys.database_principals AS u WHERE u.name = ",
		to);
	sql_write_string(to, principal);
	fputs(")) AS q)", to);
}

/* The transfer drops the permissions of others on its target: both together, or neither; and as many after as before. */
int statement_write_owner(FILE *to, const struct change *c)
{
	const struct permission *o = &c->permission;
	int rc = 0;

	if (!is_words(o->name) || !o->object)
		return -ENOTSUP;
	fputs("BEGIN SET XACT_ABORT ON; BEGIN TRANSACTION; DECLARE @before int = ", to);
	write_count(to, c->principal);
	fprintf(to, "; ALTER AUTHORIZATION ON %s::", o->name);
	/* What lies in a schema is its owner's again, as if it had never had one of its own. */
	if (o->schema)
		write_two_names(to, o->schema, o->object);
	else
		sql_write_name(to, o->object);
	fputs(o->schema ? " TO SCHEMA OWNER" : " TO [dbo]", to);
	rc = write_regrants(to, c);
	fputs("; IF @before <> ", to);
	write_count(to, c->principal);
	fputs(" BEGIN ROLLBACK TRANSACTION; THROW 50001, N'The transfer would take permissions from others.', 1; END; "
	      "COMMIT TRANSACTION; SET XACT_ABORT OFF; END",
		to);
	return rc;
}
