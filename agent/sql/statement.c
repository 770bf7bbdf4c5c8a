/* Changes as T-SQL: one statement for each purpose, safe to run again, and as a DBA would write it. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "sql/closing.h"
#include "sql/name.h"
#include "sql/statement.h"
#include "curfew/text.h"

#define MASKED "********"

/* If USE fails, the statement must not run in the previous database; some servers continue the batch. */
static void write_in(FILE *to, const char *database)
{
	if (!database)
		return;
	fputs("USE ", to);
	sql_write_name(to, database);
	fputs("; IF DB_NAME() = ", to);
	sql_write_string(to, database);
	putc(' ', to);
}

static void write_member(
	FILE *to, const char *what, const char *role, const char *verb, const char *member)
{
	fprintf(to, "ALTER %s ", what);
	sql_write_name(to, role);
	fprintf(to, " %s MEMBER ", verb);
	sql_write_name(to, member);
}

static void write_create_login(
	FILE *to, const char *login, const char *password, const struct sid *sid)
{
	fputs("CREATE LOGIN ", to);
	sql_write_name(to, login);
	fputs(" WITH PASSWORD = ", to);
	sql_write_string(to, password ? password : MASKED);
	if (sid->size) {
		fputs(", SID = ", to);
		sid_write(to, sid);
	}
	/* With master as default database, a login can connect even if its database is gone (4064). No expiration:
	 * nobody knows this password, so an expiration would only end access early. */
	fputs(", DEFAULT_DATABASE = [master], CHECK_POLICY = ON, CHECK_EXPIRATION = OFF", to);
}

static void write_login(FILE *to, const char *verb, const char *login, const char *rest)
{
	fprintf(to, "%s LOGIN ", verb);
	sql_write_name(to, login);
	fputs(rest, to);
}

static void write_user(
	FILE *to, const char *verb, const char *user, const char *join, const char *login)
{
	fprintf(to, "%s USER ", verb);
	sql_write_name(to, user);
	fputs(join, to);
	if (login)
		sql_write_name(to, login);
}

static int write_change(FILE *to, const struct change *c, const char *password,
	const struct observed_database *guarded, bool as_owner)
{
	int rc = 0;

	switch (c->kind) {
	case CHANGE_LOGIN_CREATE:
		write_create_login(to, c->login, password, &c->sid);
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
		write_in(to, "master");
		rc = statement_write_revoke(to, c, guarded);
		break;
	case CHANGE_REVOKE:
	case CHANGE_ROLE_DENY_REMOVE:
		rc = statement_write_revoke(to, c, guarded);
		break;
	case CHANGE_OWNER:
		rc = statement_write_owner(to, c, guarded, as_owner);
		break;
	case CHANGE_SESSION_KILL:
		closing_kill_write(to, &c->session);
		return 0;
	case CHANGE_USER_CREATE:
		write_user(to, "CREATE", c->principal, " FOR LOGIN ", c->login);
		break;
	case CHANGE_USER_REMAP:
		write_user(to, "ALTER", c->principal, " WITH LOGIN = ", c->login);
		break;
	case CHANGE_USER_DROP:
		write_user(to, "DROP", c->principal, "", NULL);
		break;
	case CHANGE_ROLE_CREATE:
		fputs("CREATE ROLE ", to);
		sql_write_name(to, c->role);
		fputs(" AUTHORIZATION [dbo]", to);
		break;
	case CHANGE_ROLE_DENY:
		rc = statement_write_grant(to, &c->permission, "DENY", c->role);
		break;
	case CHANGE_ROLE_GRANT:
		rc = statement_write_grant(to, &c->permission, "GRANT", c->role);
		break;
	case CHANGE_HANDOVER:
		rc = -ENOTSUP; /* use sql_write_handover() */
		break;
	}
	putc(';', to);
	return rc;
}

static enum change_identity identity(const struct change *c, const struct change_way *way)
{
	enum change_identity wanted = change_identity(c->kind);

	if (!way || !way->guarded || way->as_agent)
		return RUNS_AS_AGENT;
	return wanted == RUNS_AS_USER_LOGIN && !way->has_user_login ? RUNS_AS_AGENT : wanted;
}

int sql_write_change(
	FILE *to, const struct change *c, const char *password, const struct change_way *way)
{
	const struct observed_database *guarded = way ? way->guarded : NULL;
	enum change_identity as = identity(c, way);
	struct text plain;

	if (as != RUNS_AS_AGENT && !name_is_whole(guarded->name))
		return -ENOTSUP;
	if (!text_begin(&plain))
		return -ENOMEM;
	write_in(as != RUNS_AS_AGENT ? to : plain.to, c->database);
	int rc = write_change(plain.to, c, password, guarded, as == RUNS_AS_OWNER);
	char *text = text_end(&plain);
	if (!text)
		return rc ? rc : -ENOMEM;
	if (as == RUNS_AS_OWNER)
		statement_write_as_owner(to, text);
	else if (as == RUNS_AS_USER_LOGIN)
		statement_write_as_user_login(to, c, text);
	else
		batch_write_sendable(to, text, NULL);
	/* The text may contain the password. */
	sodium_memzero(text, plain.size);
	free(text);
	return rc;
}

int sql_write_handover(FILE *to, const char *login, const char *password, bool must_change)
{
	fputs("ALTER LOGIN ", to);
	sql_write_name(to, login);
	fputs(" WITH PASSWORD = ", to);
	sql_write_string(to, password ? password : MASKED);
	/* MUST_CHANGE requires both policies. UNLOCK clears failed attempts with the previous password. */
	fputs(must_change ? " MUST_CHANGE UNLOCK, CHECK_EXPIRATION = ON, CHECK_POLICY = ON;"
			  : " UNLOCK;",
		to);
	return 0;
}
