/* GRANT, DENY, REVOKE, and ownership transfers as T-SQL. */
#include "sql/name.h"
#include "sql/statement.h"
#include "curfew/text.h"

#include <errno.h>
#include <string.h>

/* Names of permissions and types are written without quotes. Accept only words, so that they cannot contain T-SQL. */
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

/* Writes the ON clause, by sys.database_permissions.class. For principals, keys, and others `schema` holds the type. */
static int write_securable(FILE *to, const struct permission *p)
{
	const char *kind = p->class == CLASS_OBJECT ? "OBJECT"
			   : p->class == CLASS_TYPE ? "TYPE"
						    : "XML SCHEMA COLLECTION";

	switch (p->class) {
	case CLASS_DATABASE:
	case CLASS_SERVER:
		return 0;
	case CLASS_OBJECT:
	case CLASS_TYPE:
	case CLASS_XML_SCHEMA_COLLECTION:
		if (!p->schema || !p->object)
			return -ENOTSUP;
		fprintf(to, " ON %s::", kind);
		write_two_names(to, p->schema, p->object);
		if (p->column) {
			fputs(" (", to);
			sql_write_name(to, p->column);
			putc(')', to);
		}
		return 0;
	case CLASS_SCHEMA:
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

/* CASCADE also revokes what was granted on. AS names the row's grantor; without it the row would remain. A user keeps
 * CONNECT itself, and a login CONNECT SQL and the endpoints. */
static int write_revoke(FILE *to, const struct permission *p)
{
	const bool option =
		p->state == 'W' && (streq(p->name, "CONNECT") || streq(p->name, "CONNECT SQL"));
	int rc;

	if (!is_words(p->name))
		return -ENOTSUP;
	fprintf(to, "REVOKE %s%s", option ? "GRANT OPTION FOR " : "", p->name);
	rc = write_securable(to, p);
	fputs(" FROM ", to);
	sql_write_name(to, p->grantee);
	fputs(" CASCADE", to);
	if (p->grantor && *p->grantor) {
		fputs(" AS ", to);
		sql_write_name(to, p->grantor);
	}
	return rc;
}

/* Grants the permissions of others again. A column excluded from a table grant is excluded again. */
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

static int write_regrants(FILE *to, const struct change *c, const struct observed_database *guarded)
{
	int rc = 0;

	for (size_t i = 0; i < c->n_regrants && !rc; i++) {
		fputs("; ", to);
		statement_write_inner_guard(to, guarded);
		rc = write_regrant(to, &c->regrants[i]);
	}
	return rc;
}

int statement_write_revoke(
	FILE *to, const struct change *c, const struct observed_database *guarded)
{
	int rc;

	if (!c->n_regrants)
		return write_revoke(to, &c->permission);
	fputs("BEGIN SET XACT_ABORT ON; BEGIN TRANSACTION; ", to);
	statement_write_inner_guard(to, guarded);
	rc = write_revoke(to, &c->permission);
	if (!rc)
		rc = write_regrants(to, c, guarded);
	fputs("; COMMIT TRANSACTION; SET XACT_ABORT OFF; END", to);
	return rc;
}

/* " FROM [grantee] CASCADE AS [grantor]" in pieces of a text that the server puts together. */
static void write_revoked_from(FILE *to, const struct permission *p)
{
	fputs(" + N' FROM ' + QUOTENAME(", to);
	sql_write_string(to, p->grantee);
	fputs(") + N' CASCADE", to);
	if (p->grantor && *p->grantor) {
		fputs(" AS ' + QUOTENAME(", to);
		sql_write_string(to, p->grantor);
		putc(')', to);
	} else {
		putc('\'', to);
	}
}

/* Whoever may see it runs this, so the name is asked for then. False: nobody would find one of this class by its id alone. */
static bool write_revoke_by_id(FILE *to, const struct permission *p)
{
	static const struct {
		enum securable_class class;
		const char *name, *of;
	} kinds[] = {
		{CLASS_OBJECT,
			"N'OBJECT::' + QUOTENAME(SCHEMA_NAME(x.schema_id)) + N'.' + QUOTENAME(x.name)",
			" FROM sys.objects AS x WHERE x.object_id = "},
		{CLASS_SCHEMA, "N'SCHEMA::' + QUOTENAME(x.name)",
			" FROM sys.schemas AS x WHERE x.schema_id = "},
		{CLASS_PRINCIPAL,
			"CASE x.type WHEN 'R' THEN N'ROLE::' WHEN 'A' THEN N'APPLICATION ROLE::' ELSE N'USER::' END + QUOTENAME(x.name)",
			" FROM sys.database_principals AS x WHERE x.principal_id = "},
	};
	size_t k = 0;

	while (k < ARRAY_SIZE(kinds) && kinds[k].class != p->class)
		k++;
	if (k == ARRAY_SIZE(kinds) || !is_words(p->name))
		return false;
	fprintf(to, "DECLARE @revoke nvarchar(max) = (SELECT N'REVOKE %s ON ' + %s", p->name,
		kinds[k].name);
	write_revoked_from(to, p);
	fprintf(to, "%s%d); EXEC (@revoke)", kinds[k].of, p->id);
	return true;
}

static bool is_writable(const char *name)
{
	return !name || name_is_whole(name);
}

static bool revoke_is_written(FILE *to, const struct permission *p)
{
	struct text text;

	if (!is_writable(p->grantee) || !is_writable(p->grantor) || !text_begin(&text))
		return false;
	int rc = is_writable(p->schema) && is_writable(p->object) ? write_revoke(text.to, p)
								  : -ENOTSUP;
	_cleanup_free_ char *revoke = text_end(&text);

	if (!rc && revoke)
		fputs(revoke, to);
	return (!rc && revoke) || write_revoke_by_id(to, p);
}

void sql_write_undenied(FILE *to, const char *database, const struct permission *p)
{
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs("; ", to);
	if (!revoke_is_written(to, p))
		fprintf(to,
			"-- a DBA finds it in sys.database_permissions by class %d and major_id %d, and revokes the denial",
			p->class, p->id);
	putc(';', to);
}

/* Counts permissions of others than the previous owner and the agent, and than grants by it. Two grants of one
 * permission by different grantors count once. */
static void write_count(FILE *to, const char *principal, bool as_owner)
{
	fputs("(SELECT COUNT(*) FROM (SELECT DISTINCT p.class, p.major_id, p.minor_id, p.grantee_principal_id, p.type "
	      "FROM sys.database_permissions AS p WHERE p.grantee_principal_id NOT IN "
	      "(SELECT u.principal_id FROM sys.database_principals AS u WHERE u.name = ",
		to);
	sql_write_string(to, principal);
	fprintf(to, ") AND p.grantee_principal_id <> %s) AS q)",
		as_owner ? AGENT_USER : "DATABASE_PRINCIPAL_ID()");
}

/* A transfer drops the permissions of others on its target. So transfer and grant again in one transaction, and roll
 * back if fewer permissions remain. */
int statement_write_owner(
	FILE *to, const struct change *c, const struct observed_database *guarded, bool as_owner)
{
	const struct permission *o = &c->permission;
	int rc = 0;

	if (!is_words(o->name) || !o->object)
		return -ENOTSUP;
	fputs("BEGIN SET XACT_ABORT ON; BEGIN TRANSACTION; DECLARE @before int = ", to);
	write_count(to, c->principal, as_owner);
	fputs("; ", to);
	statement_write_inner_guard(to, guarded);
	fprintf(to, "ALTER AUTHORIZATION ON %s::", o->name);
	/* An object in a schema gets its schema's owner, as if it never had its own. */
	if (o->schema)
		write_two_names(to, o->schema, o->object);
	else
		sql_write_name(to, o->object);
	fputs(o->schema ? " TO SCHEMA OWNER" : " TO [dbo]", to);
	rc = write_regrants(to, c, guarded);
	fputs("; IF @before <> ", to);
	write_count(to, c->principal, as_owner);
	fputs(" BEGIN ROLLBACK TRANSACTION; THROW 50001, N'The transfer would take permissions from others.', 1; END; "
	      "COMMIT TRANSACTION; SET XACT_ABORT OFF; END",
		to);
	return rc;
}
