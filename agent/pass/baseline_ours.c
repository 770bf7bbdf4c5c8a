/* Which items of a baseline are Curfew's own: its users, roles, and logins come and go with the schedule, so they are no
 * findings. A user or login is known by its SID: its name alone anybody can take who makes users. */
#include <string.h>

#include "curfew/text.h"
#include "pass/baseline_kinds.h"

/* Whether the quoted name is this plain name. */
static bool is_quoted(const char *quoted, const char *name)
{
	struct text text;

	if (text_begin(&text))
		sql_write_name(text.to, name);
	_cleanup_free_ char *plain = text_end(&text);
	return plain && names_equal(quoted, plain);
}

/* "SQL_USER 0x..." with the SID "0x...", which is NULL where the server did not tell it. */
static bool has_text(const char *hash, const char *sid)
{
	const char *own = strstr(hash, " 0x");

	return own && sid && strlen(sid) > strlen("0x") && streq(own + 1, sid);
}

/* "SQL_USER 0x..." with this SID. */
static bool has_sid(const char *hash, const struct identity *i)
{
	const char *hex = strstr(hash, " 0x");

	if (!hex || !i->sid || strlen(hex += strlen(" 0x")) != 2 * i->sid_size)
		return false;
	for (size_t k = 0; k < i->sid_size; k++) {
		char byte[3];
		snprintf(byte, sizeof(byte), "%02X", i->sid[k]);
		if (strncmp(hex + 2 * k, byte, 2) != 0)
			return false;
	}
	return true;
}

static bool is_role_of_ours(const struct server *s, const char *quoted)
{
	for (int l = LEVEL_READ_ONLY; l <= LEVEL_FULL; l++)
		if (s->terms[l].role && is_quoted(quoted, s->terms[l].role))
			return true;
	return false;
}

bool baseline_principal_is_ours(const struct pass *p, const struct server_work *w,
	const char *quoted, const char *hash, const char *agent)
{
	if (begins_with(hash, "DATABASE_ROLE "))
		return is_role_of_ours(w->server, quoted);
	if (begins_with(hash, "SERVER_ROLE "))
		return is_quoted(quoted, MARK_ROLE);
	if (is_quoted(quoted, w->server->login) && has_text(hash, agent))
		return true;
	for (size_t i = 0; i < p->identities.n; i++)
		if (streq(p->identities.items[i].server, w->server->name) &&
			is_quoted(quoted, p->identities.items[i].login) &&
			has_sid(hash, &p->identities.items[i]))
			return true;
	return false;
}

bool baseline_bears_agents_name(
	const struct server_work *w, const struct baseline_item *i, const char *agent)
{
	return streq(i->kind, "principal") && strstr(i->hash, "_USER 0x") &&
	       is_quoted(i->name, w->server->login) && !has_text(i->hash, agent);
}

bool baseline_is_lock_role(const struct baseline_item *i, const char *database)
{
	return streq(i->kind, "principal") && streq(database, SQL_SERVER_BASELINE) &&
	       begins_with(i->hash, "DATABASE_ROLE ") && is_quoted(i->name, LOCK_ROLE);
}

bool baseline_is_user_login(const struct baseline_item *i, const char *sid)
{
	if (streq(i->kind, "login") || streq(i->kind, "principal"))
		return is_quoted(i->name, USER_LOGIN) && has_text(i->hash, sid);
	return streq(i->kind, "server-permission") && streq(i->hash, "GRANT") &&
	       streq(i->name, "VIEW ANY DEFINITION TO [" USER_LOGIN "]");
}

const char *baseline_holder_of(size_t *size, const char **kind, const struct baseline_item *i)
{
	static const struct {
		const char *kind, *holder;
		enum { WHOLE, FIRST, LAST } place;
	} holders[] = {{"principal", "principal", WHOLE}, {"member", "principal", FIRST},
		{"permission", "principal", LAST}, {"login", "login", WHOLE},
		{"login-state", "login", WHOLE}, {"login-password", "login", WHOLE},
		{"sysadmin-password", "login", WHOLE}, {"server-member", "login", FIRST},
		{"server-permission", "login", LAST}};
	const char *name = i->name;

	for (size_t k = 0; k < ARRAY_SIZE(holders); k++) {
		if (!streq(holders[k].kind, i->kind))
			continue;
		*kind = holders[k].holder;
		/* Only the name may follow the first " TO ". Else the item is not a managed one. */
		if (holders[k].place == LAST && !(name = strstr(name, " TO ")))
			return NULL;
		name += holders[k].place == LAST ? strlen(" TO ") : 0;
		*size = holders[k].place == FIRST ? sql_quoted_size(name) : strlen(name);
		return name;
	}
	return NULL;
}

bool baseline_login_was_left_out(const struct baseline_item *i)
{
	return streq(i->kind, "login") &&
	       (begins_with(i->name, "[##MS_") || begins_with(i->name, "[NT "));
}
