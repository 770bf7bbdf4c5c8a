/* Findings without a question of their own: excess that the observation shows. `curfew apply` removes it, because it
 * concerns managed users, roles, and permissions. The remedy is exactly the statement of `apply`. */
#include <string.h>
#include <strings.h>

#include "proof/residual.h"
#include "curfew/text.h"

static const struct surplus {
	const char *check, *words;
	enum finding_severity severity;
} surpluses[] = {
	[CHANGE_LOGIN_DISABLE] = {"login-enabled",
		"a login whose access has ended can still log in", FINDING_CRITICAL},
	[CHANGE_MEMBER_RESTRICT] = {"wider-role",
		"a user has more permissions than the access level allows", FINDING_HIGH},
	[CHANGE_SERVER_MEMBER_DROP] = {"server-role-member",
		"a managed login is a member of a server role", FINDING_CRITICAL},
	[CHANGE_SERVER_REVOKE] = {"server-permission", "a managed login has a server permission",
		FINDING_CRITICAL},
	[CHANGE_MEMBER_DROP] = {"extra-role", "a member that does not belong in this role",
		FINDING_HIGH},
	[CHANGE_REVOKE] = {"extra-permission",
		"a permission outside the role, or a permission that the user granted to others",
		FINDING_HIGH},
	[CHANGE_OWNER] = {"owned-by-user", "an object that a managed user owns", FINDING_HIGH},
	[CHANGE_SESSION_KILL] = {"stale-session", "a session of a login whose access has ended",
		FINDING_CRITICAL},
	[CHANGE_USER_DROP] = {"stale-user", "a user in a database to which its login has no access",
		FINDING_HIGH},
	[CHANGE_LOGIN_DROP] = {"stale-login", "a login whose access has ended", FINDING_HIGH},
	[CHANGE_ROLE_DENY] = {"denial-missing", "a DENY required by the access level is missing",
		FINDING_HIGH},
};

/* The managed roles that do not exist yet, in order: a few in each database, which may lack very many DENYs. */
struct new_roles {
	const struct change **items;
	size_t n;
};

static int role_compare(const struct change *x, const struct change *y)
{
	int c = strcasecmp(x->database, y->database);

	return c ? c : strcasecmp(x->role, y->role);
}

static int new_roles_compare(const void *a, const void *b)
{
	return role_compare(*(const struct change *const *)a, *(const struct change *const *)b);
}

static int new_role_compare(const void *item, const void *key)
{
	return role_compare(*(const struct change *const *)item, key);
}

/* Without memory there are more findings. */
static void new_roles_collect(struct new_roles *roles, const struct difference *d)
{
	for (size_t i = 0; i < d->n_changes; i++)
		if (d->changes[i].kind == CHANGE_ROLE_CREATE &&
			ARRAY_ADD(roles->items, roles->n, &d->changes[i]))
			return;
	array_sort(roles->items, roles->n, sizeof(const struct change *), new_roles_compare);
}

static bool role_is_new(const struct new_roles *roles, const struct change *deny)
{
	size_t i = array_first(
		roles->items, roles->n, sizeof(const struct change *), deny, new_role_compare);

	return i < roles->n && !role_compare(roles->items[i], deny);
}

/* A step of another change, which the same pass undoes: not a finding by itself. */
static bool change_is_step(
	const struct visit_run *run, const struct new_roles *roles, const struct change *c)
{
	if (c->kind == CHANGE_LOGIN_DISABLE || c->kind == CHANGE_SESSION_KILL)
		return wanted_find(&run->visit->wanted, c->login) != NULL;
	/* A role that does not exist yet cannot lack a DENY. */
	return c->kind == CHANGE_ROLE_DENY ? role_is_new(roles, c) : !change_closes(c->kind);
}

static void finding_tell(const struct visit_run *run, const char *check, const char *words,
	enum finding_severity severity, const char *client, const char *login, const char *database,
	const char *remedy, const char *evidence)
{
	struct record r;

	record_of(&r, run->visit, RECORD_FINDING, client, login, database);
	r.finding.severity = severity;
	RECORD_SET(&r, finding.name, check);
	RECORD_SET(&r, finding.reason, words);
	RECORD_SET(&r, finding.remedy, remedy);
	RECORD_SET(&r, detail, evidence);
	worker_tell(run->worker, &r);
}

static void evidence_write(char *buf, size_t size, const struct change *c)
{
	const struct permission *p = &c->permission;
	const char *who = c->principal ? c->principal : c->login ? c->login : c->role;

	if (c->kind == CHANGE_REVOKE || c->kind == CHANGE_SERVER_REVOKE ||
		c->kind == CHANGE_ROLE_DENY)
		snprintf(buf, size, "%s: %s%s%s%s%s%s%s%s%s%s%s", p->grantee ? p->grantee : who,
			p->name, p->schema ? " on " : "", p->schema ? p->schema : "",
			p->object ? "." : "", p->object ? p->object : "", p->column ? "." : "",
			p->column ? p->column : "",
			p->grantor && *p->grantor ? ", granted by " : "",
			p->grantor ? p->grantor : "", p->state == 'W' ? " with grant option" : "",
			c->kind == CHANGE_ROLE_DENY ? " is not denied" : "");
	else if (c->kind == CHANGE_OWNER)
		snprintf(buf, size, "%s: owns the %s %s", who, p->name, p->object);
	else if (c->kind == CHANGE_SESSION_KILL)
		snprintf(buf, size, "%s: session %u", who, c->session.id);
	else
		snprintf(buf, size, "%s: %s%s%s", who, c->role ? "role " : "",
			c->role ? c->role : "", c->role ? "" : c->reason);
}

void surplus_name(char *buf, size_t size, const struct visit_run *run, const char *login,
	const char *database)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < run->difference.n_changes; i++) {
		const struct change *c = &run->difference.changes[i];
		char evidence[RECORD_TEXT_MAX];

		if (!c->login || !names_equal(c->login, login) ||
			(c->database && !names_equal(c->database, database)) ||
			(c->kind != CHANGE_MEMBER_DROP && c->kind != CHANGE_SERVER_MEMBER_DROP &&
				c->kind != CHANGE_REVOKE && c->kind != CHANGE_SERVER_REVOKE &&
				c->kind != CHANGE_OWNER))
			continue;
		evidence_write(evidence, sizeof(evidence), c);
		const char *right = strstr(evidence, ": ");
		int n = snprintf(buf + used, size - used, "%s%s%s", used ? ", " : "",
			c->database ? "" : "server ", right ? right + 2 : evidence);
		if (n < 0 || (size_t)n >= size - used)
			break;
		used += (size_t)n;
	}
}

static void change_tell(struct visit_run *run, const struct change *c)
{
	const struct surplus *s = &surpluses[c->kind];
	char evidence[RECORD_TEXT_MAX];
	struct record r;

	if (!s->check)
		return;
	/* Only for the text of the statement. Nothing is announced. */
	change_record(&r, run, c);
	evidence_write(evidence, sizeof(evidence), c);
	finding_tell(run, s->check, s->words, s->severity, c->client, c->login, c->database,
		r.change.statement, evidence);
}

/* Users are found by SID, so a renamed user can hide whose it is. */
static void renamed_tell(const struct visit_run *run, const struct observed_login *l)
{
	const struct wanted_login *w = wanted_find(&run->visit->wanted, l->name);

	if (w && !pass_is_for(run->visit, w->client))
		return;
	for (size_t i = 0; i < run->observed.n_databases; i++) {
		const struct observed_database *d = &run->observed.databases[i];
		const struct observed_user *u = observed_user_of(d, l);
		char evidence[RECORD_TEXT_MAX];
		struct text text;
		if (!u || !strcasecmp(u->name, l->name) || !strcasecmp(u->name, "dbo"))
			continue;
		FILE *to = text_begin(&text);
		if (!to)
			return;
		fputs("USE ", to);
		sql_write_name(to, d->name);
		fputs("; ALTER USER ", to);
		sql_write_name(to, u->name);
		fputs(" WITH NAME = ", to);
		sql_write_name(to, l->name);
		fputs(";", to);
		_cleanup_free_ char *remedy = text_end(&text);
		if (remedy) {
			snprintf(evidence, sizeof(evidence), "%s: maps to login %s", u->name,
				l->name);
			finding_tell(run, "renamed-user",
				"a managed user whose name differs from its login", FINDING_HIGH,
				w ? w->client : NULL, l->name, d->name, remedy, evidence);
		}
	}
}

static bool login_is_ours(const struct visit_run *run, const char *name)
{
	const struct observed_login *l = observed_find_login(&run->observed, name);

	return l && l->ours;
}

static void session_tell(const struct visit_run *run, const struct observed_session *s)
{
	const char *ours = login_is_ours(run, s->login)	   ? s->login
			   : login_is_ours(run, s->acting) ? s->acting
							   : NULL;
	const struct wanted_login *w = ours ? wanted_find(&run->visit->wanted, ours) : NULL;
	char evidence[RECORD_TEXT_MAX], remedy[32];

	if (!ours || !strcasecmp(s->login, s->acting) || (w && !pass_is_for(run->visit, w->client)))
		return;
	snprintf(evidence, sizeof(evidence), "session %u: logged in as %s, acts as %s, from %s",
		s->key.id, s->login, s->acting, s->address ? s->address : "?");
	snprintf(remedy, sizeof(remedy), "KILL %u;", s->key.id);
	finding_tell(run, "session-impersonating",
		"a session that runs as a different login than the one that logged in",
		FINDING_HIGH, w ? w->client : NULL, ours, NULL, remedy, evidence);
}

void surplus_tell(struct visit_run *run)
{
	struct new_roles roles = {0};

	new_roles_collect(&roles, &run->difference);
	for (size_t i = 0; i < run->difference.n_changes; i++) {
		const struct change *c = &run->difference.changes[i];
		if (pass_is_for(run->visit, c->client) && !change_is_step(run, &roles, c))
			change_tell(run, c);
	}
	free(roles.items);
	for (size_t i = 0; i < run->observed.n_logins; i++)
		if (run->observed.logins[i].ours)
			renamed_tell(run, &run->observed.logins[i]);
	for (size_t i = 0; i < run->observed.n_sessions; i++)
		session_tell(run, &run->observed.sessions[i]);
}
