/* Changes as T-SQL: one statement for one purpose, safe to replay, as a DBA would write it. */
#include <errno.h>
#include <string.h>

#include "sql/closing.h"

#define MASKED "********"

static void write_use(FILE *to, const char *database)
{
	if (!database)
		return;
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs("; ", to);
}

static void write_two_names(FILE *to, const char *schema, const char *name)
{
	sql_write_name(to, schema);
	putc('.', to);
	sql_write_name(to, name);
}

/* A permission or a kind of thing, as the server's catalogue calls it: written without quotes, so it must be words, or
 * it could be more than what it stands for. */
static bool is_words(const char *text)
{
	return text && *text && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")];
}

/* The ON clause, by sys.database_permissions.class; for principals, keys and the like `schema` holds the kind. */
static int write_securable(FILE *to, const struct permission *p)
{
	enum {
		DATABASE = 0,
		OBJECT = 1,
		SCHEMA = 3,
		PRINCIPAL = 4,
		TYPE = 6,
		SERVER = 100,
		LOGIN = 101
	};

	switch (p->class) {
	case DATABASE:
	case SERVER:
		return 0;
	case OBJECT:
		if (!p->schema || !p->object)
			return -ENOTSUP;
		fputs(" ON OBJECT::", to);
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
	case TYPE:
		if (!p->schema || !p->object)
			return -ENOTSUP;
		fputs(" ON TYPE::", to);
		write_two_names(to, p->schema, p->object);
		return 0;
	case LOGIN:
		if (!p->object)
			return -ENOTSUP;
		fputs(" ON LOGIN::", to);
		sql_write_name(to, p->object);
		return 0;
	default:
		if (!is_words(p->schema) || !p->object)
			return -ENOTSUP;
		fprintf(to, " ON %s::", p->schema);
		sql_write_name(to, p->object);
		return 0;
	}
}

static int write_grant(FILE *to, const struct permission *p, const char *verb, const char *grantee)
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

static void write_member(
	FILE *to, const char *what, const char *role, const char *verb, const char *member)
{
	fprintf(to, "ALTER %s ", what);
	sql_write_name(to, role);
	fprintf(to, " %s MEMBER ", verb);
	sql_write_name(to, member);
}

/* The transfer drops the permissions of others on its target: both together, or neither. */
static int write_owner(FILE *to, const struct change *c)
{
	const struct permission *o = &c->permission;
	int rc = 0;

	if (!is_words(o->name))
		return -ENOTSUP;
	if (c->n_regrants)
		fputs("SET XACT_ABORT ON; BEGIN TRANSACTION; ", to);
	fprintf(to, "ALTER AUTHORIZATION ON %s::", o->name);
	if (o->schema)
		write_two_names(to, o->schema, o->object);
	else
		sql_write_name(to, o->object);
	fputs(" TO [dbo]", to);
	for (size_t i = 0; i < c->n_regrants && !rc; i++) {
		const struct permission *p = &c->regrants[i];
		fputs("; ", to);
		rc = write_grant(to, p, p->state == 'D' ? "DENY" : "GRANT", p->grantee);
	}
	if (c->n_regrants)
		fputs("; COMMIT TRANSACTION", to);
	return rc;
}

static void write_create_login(FILE *to, const char *login, const char *password)
{
	fputs("CREATE LOGIN ", to);
	sql_write_name(to, login);
	fputs(" WITH PASSWORD = ", to);
	sql_write_string(to, password ? password : MASKED);
	/* master: a login whose default database goes away cannot connect at all (4064). No expiration: the
	 * password is known to nobody, and would only end the access before its time. */
	fputs(", DEFAULT_DATABASE = [master], CHECK_POLICY = ON, CHECK_EXPIRATION = OFF", to);
}

static void write_login(FILE *to, const char *verb, const char *login, const char *rest)
{
	fprintf(to, "%s LOGIN ", verb);
	sql_write_name(to, login);
	fputs(rest, to);
}

int sql_write_change(FILE *to, const struct change *c, const char *password)
{
	int rc = 0;

	write_use(to, c->database);
	switch (c->kind) {
	case CHANGE_LOGIN_CREATE:
		write_create_login(to, c->login, password);
		break;
	case CHANGE_LOGIN_DISABLE:
		write_login(to, "ALTER", c->login, " DISABLE");
		break;
	case CHANGE_LOGIN_ENABLE:
		write_login(to, "ALTER", c->login, " ENABLE");
		break;
	case CHANGE_LOGIN_DROP:
		write_login(to, "DROP", c->login, "");
		break;
	case CHANGE_LOGIN_MARK:
		write_member(to, "SERVER ROLE", MARK_ROLE, "ADD", c->login);
		break;
	case CHANGE_SERVER_MEMBER_DROP:
		write_member(to, "SERVER ROLE", c->role, "DROP", c->login);
		break;
	case CHANGE_MEMBER_ADD:
	case CHANGE_MEMBER_RESTRICT:
		write_member(to, "ROLE", c->role, "ADD", c->principal);
		break;
	case CHANGE_MEMBER_DROP:
		write_member(to, "ROLE", c->role, "DROP", c->principal);
		break;
	case CHANGE_SERVER_REVOKE:
		fputs("USE [master]; ", to);
		rc = write_revoke(to, &c->permission);
		break;
	case CHANGE_REVOKE:
	case CHANGE_ROLE_DENY_REMOVE:
		rc = write_revoke(to, &c->permission);
		break;
	case CHANGE_OWNER:
		rc = write_owner(to, c);
		break;
	case CHANGE_SESSION_KILL:
		closing_kill_write(to, &c->session);
		return 0;
	case CHANGE_USER_CREATE:
		fputs("CREATE USER ", to);
		sql_write_name(to, c->principal);
		fputs(" FOR LOGIN ", to);
		sql_write_name(to, c->login);
		break;
	case CHANGE_USER_REMAP:
		fputs("ALTER USER ", to);
		sql_write_name(to, c->principal);
		fputs(" WITH LOGIN = ", to);
		sql_write_name(to, c->login);
		break;
	case CHANGE_USER_DROP:
		fputs("DROP USER ", to);
		sql_write_name(to, c->principal);
		break;
	case CHANGE_ROLE_CREATE:
		fputs("CREATE ROLE ", to);
		sql_write_name(to, c->role);
		fputs(" AUTHORIZATION [dbo]", to);
		break;
	case CHANGE_ROLE_DENY:
		rc = write_grant(to, &c->permission, "DENY", c->role);
		break;
	case CHANGE_ROLE_GRANT:
		rc = write_grant(to, &c->permission, "GRANT", c->role);
		break;
	case CHANGE_HANDOVER:
		rc = -ENOTSUP; /* sql_write_handover() */
		break;
	}
	putc(';', to);
	return rc;
}

int sql_write_handover(FILE *to, const char *login, const char *password, bool must_change)
{
	fputs("ALTER LOGIN ", to);
	sql_write_name(to, login);
	fputs(" WITH PASSWORD = ", to);
	sql_write_string(to, password ? password : MASKED);
	/* MUST_CHANGE needs both policies on. UNLOCK: whoever tried the old one too often starts afresh. */
	fputs(must_change ? " MUST_CHANGE UNLOCK, CHECK_EXPIRATION = ON, CHECK_POLICY = ON;" : ";",
		to);
	return 0;
}
