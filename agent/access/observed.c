/* Observed access on one server: lookups, and which logins Curfew manages. */
#include <string.h>

#include "curfew/access.h"

static void member_free(struct observed_member *m)
{
	free(m->role);
	free(m->member);
}

static void texts_free(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

static void owned_free(struct observed_owned *owned, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(owned[i].kind);
		free(owned[i].schema);
		free(owned[i].name);
		free(owned[i].owner);
	}
	free(owned);
}

void observed_database_free(struct observed_database *d)
{
	for (size_t i = 0; i < d->n_users; i++) {
		free(d->users[i].name);
		free(d->users[i].owner);
	}
	for (size_t i = 0; i < d->n_members; i++)
		member_free(&d->members[i]);
	for (size_t i = 0; i < d->n_permissions; i++)
		permission_free(&d->permissions[i]);
	owned_free(d->owned, d->n_owned);
	texts_free(d->schemas, d->n_schemas);
	for (size_t i = 0; i < d->n_triggers; i++)
		free(d->triggers[i].name);
	free(d->triggers);
	for (size_t i = 0; i < d->n_runners; i++) {
		free(d->runners[i].schema);
		free(d->runners[i].name);
	}
	free(d->runners);
	free(d->unread);
	free(d->hidden);
	free(d->held);
	free(d->unwritable);
	free(d->users);
	free(d->members);
	free(d->permissions);
	free(d->name);
}

void observed_free(struct observed_server *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n_logins; i++) {
		free(o->logins[i].name);
		free(o->logins[i].default_database);
	}
	for (size_t i = 0; i < o->n_members; i++)
		member_free(&o->members[i]);
	for (size_t i = 0; i < o->n_permissions; i++)
		permission_free(&o->permissions[i]);
	for (size_t i = 0; i < o->n_sessions; i++) {
		free(o->sessions[i].login);
		free(o->sessions[i].acting);
		free(o->sessions[i].address);
		free(o->sessions[i].program);
		free(o->sessions[i].host);
	}
	owned_free(o->owned, o->n_owned);
	for (size_t i = 0; i < o->n_jobs; i++)
		free(o->jobs[i].name);
	free(o->jobs);
	for (size_t i = 0; i < o->n_databases; i++)
		observed_database_free(&o->databases[i]);
	texts_free(o->missing_rights, o->n_missing_rights);
	for (size_t i = 0; i < o->n_unreadable; i++) {
		free(o->unreadable[i].text);
		free(o->unreadable[i].database);
	}
	free(o->unreadable);
	for (size_t i = 0; i < o->n_unseen; i++) {
		free(o->unseen[i].text);
		free(o->unseen[i].fix);
		free(o->unseen[i].login);
	}
	free(o->unseen);
	for (size_t i = 0; i < o->n_triggers; i++)
		free(o->triggers[i].name);
	free(o->triggers);
	free(o->logins);
	free(o->members);
	free(o->permissions);
	free(o->sessions);
	free(o->databases);
	free(o->version);
	*o = (struct observed_server){0};
}

bool observed_is_partial(const struct observed_server *o)
{
	return o->n_missing_rights || o->n_unseen;
}

bool observed_is_hidden(const struct observed_server *o, const char *login)
{
	for (size_t i = 0; i < o->n_unseen; i++)
		if (o->unseen[i].login && names_equal(o->unseen[i].login, login))
			return true;
	return false;
}

/* SQL Server may compare names without case, and may return them in a different case. Where case counts, another login
 * may differ by it alone: the exact name comes first, and names that the server returned are compared exactly. */
struct observed_login *observed_find_login(const struct observed_server *o, const char *login)
{
	for (size_t i = 0; i < o->n_logins; i++)
		if (streq(o->logins[i].name, login))
			return &o->logins[i];
	for (size_t i = 0; i < o->n_logins; i++)
		if (names_equal(o->logins[i].name, login))
			return &o->logins[i];
	return NULL;
}

const struct observed_login *observed_find_claimed(const struct observed_server *o,
	const struct claims *c, const char *server, const char *login)
{
	const struct observed_login *l = observed_find_login(o, login);

	for (size_t i = 0; i < c->n && !l; i++)
		for (size_t k = 0; k < o->n_logins && !l; k++)
			if (streq(c->items[i].server, server) &&
				names_equal(c->items[i].login, login) &&
				sid_equal(&c->items[i].sid, &o->logins[k].sid))
				l = &o->logins[k];
	return l;
}

const char *observed_former_name(
	const struct observed_login *l, const struct claims *c, const char *server)
{
	const char *former = NULL;

	for (size_t i = 0; i < c->n; i++) {
		if (!streq(c->items[i].server, server) || !sid_equal(&c->items[i].sid, &l->sid))
			continue;
		if (names_equal(c->items[i].login, l->name))
			return NULL;
		former = c->items[i].login;
	}
	return former;
}

/* On a server whose collation tells letters of both cases apart, two names may be equal for Curfew alone. */
bool observed_has_twins(const struct observed_server *o, const char *login, const char *database)
{
	size_t logins = 0, databases = 0;

	for (size_t i = 0; i < o->n_logins; i++)
		logins += names_equal(o->logins[i].name, login);
	for (size_t i = 0; i < o->n_databases; i++)
		databases += names_equal(o->databases[i].name, database);
	return logins > 1 || databases > 1;
}

struct observed_database *observed_find_database(const struct observed_server *o, const char *name)
{
	for (size_t i = 0; i < o->n_databases; i++)
		if (streq(o->databases[i].name, name))
			return &o->databases[i];
	for (size_t i = 0; i < o->n_databases; i++)
		if (names_equal(o->databases[i].name, name))
			return &o->databases[i];
	return NULL;
}

const struct observed_user *observed_user_of(
	const struct observed_database *d, const struct observed_login *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < d->n_users; i++)
		if (d->users[i].type != 'R' && sid_equal(&d->users[i].sid, &l->sid))
			return &d->users[i];
	return NULL;
}

const struct observed_user *observed_user_of_agent(
	const struct observed_server *o, const struct observed_database *d, const struct server *s)
{
	const struct observed_login *agent = s->login ? observed_find_login(o, s->login) : NULL;

	return agent ? observed_user_of(d, agent) : NULL;
}

bool session_key_equal(const struct session_key *a, const struct session_key *b)
{
	return a->id == b->id && streq(a->login_time, b->login_time) && sid_equal(&a->sid, &b->sid);
}

bool observed_session_is_of(const struct observed_session *s, const struct sid *sid)
{
	return sid && sid_equal(&s->key.sid, sid);
}

bool observed_session_may_be_of(
	const struct observed_session *s, const char *login, const struct sid *sid)
{
	return observed_session_is_of(s, sid) || (!s->key.sid.size && names_equal(s->login, login));
}

bool observed_is_member(const struct observed_database *d, const char *role, const char *member)
{
	for (size_t i = 0; i < d->n_members; i++)
		if (names_equal(d->members[i].role, role) && streq(d->members[i].member, member))
			return true;
	return false;
}

bool claims_have_sid(const struct claims *c, const struct sid *s)
{
	for (size_t i = 0; i < c->n; i++)
		if (sid_equal(&c->items[i].sid, s))
			return true;
	return false;
}

bool claims_have_sid_of(
	const struct claims *c, const char *server, const char *login, const struct sid *s)
{
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->items[i].server, server) && names_equal(c->items[i].login, login) &&
			sid_equal(&c->items[i].sid, s))
			return true;
	return false;
}

static bool claim_holds(const struct claim *c, const struct observed_login *l, unsigned window)
{
	if (c->made_now || sid_equal(&c->sid, &l->sid))
		return true;
	/* Curfew died after CREATE LOGIN and before it recorded the SID. Both times are from the server's clock. */
	return c->intended && !c->sid.size && l->created >= c->intended - 1 &&
	       l->created <= c->intended + window;
}

void observed_claim(struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, unsigned window)
{
	for (size_t i = 0; i < o->n_logins; i++) {
		struct observed_login *l = &o->logins[i];
		l->ours = l->marked && wanted_names(w, l->name);
		for (size_t k = 0; k < c->n && !l->ours; k++)
			l->ours =
				streq(c->items[k].server, w->server->name) &&
				(names_equal(c->items[k].login, l->name)
						? claim_holds(&c->items[k], l, window) ||
							  (l->marked && c->items[k].living)
						/* A renamed login keeps its SID, and its permissions. */
						: sid_equal(&c->items[k].sid, &l->sid));
		/* Curfew creates only SQL logins, so a mark on any other type is a mistake. */
		l->ours = l->ours && l->type == 'S';
	}
}

static bool strings_have_role(const struct strings *s, const char *role)
{
	for (size_t i = 0; i < s->n; i++)
		if (names_equal(s->items[i], role))
			return true;
	return false;
}

/* Whether the user is a member of every role of the level. */
static bool user_has_level(
	const struct observed_database *d, const char *user, const struct level_terms *t)
{
	if (t->role)
		return observed_is_member(d, t->role, user);
	for (size_t i = 0; i < t->member_of.n; i++)
		if (!observed_is_member(d, t->member_of.items[i], user))
			return false;
	return t->member_of.n > 0;
}

static bool level_has_role(const struct level_terms *t, const char *role)
{
	return t->role ? names_equal(t->role, role) : strings_have_role(&t->member_of, role);
}

/* Whether the level that the user has includes this role. */
static bool level_covers_role(const struct server *s, enum level level, const char *role)
{
	for (int l = LEVEL_READ_ONLY; l <= (int)level; l++)
		if (level_has_role(&s->terms[l], role))
			return true;
	return false;
}

enum level observed_level(bool *exact, const struct observed_server *o,
	const struct observed_database *d, const struct observed_login *l, const struct server *s)
{
	const struct observed_user *u = l ? observed_user_of(d, l) : NULL;
	enum level level = LEVEL_NONE;

	*exact = true;
	if (!u)
		return LEVEL_NONE;
	if (names_equal(u->name, "dbo")) {
		*exact = false;
		return LEVEL_FULL;
	}
	for (enum level k = LEVEL_READ_ONLY; k <= LEVEL_FULL; k++)
		if (user_has_level(d, u->name, &s->terms[k]))
			level = k;
	for (size_t i = 0; i < d->n_members; i++)
		if (streq(d->members[i].member, u->name) &&
			!(level != LEVEL_NONE &&
				level_has_role(&s->terms[level], d->members[i].role))) {
			/* An unknown role may grant anything. */
			*exact = false;
			if (!level_covers_role(
				    s, level ? level : LEVEL_READ_ONLY, d->members[i].role))
				level = LEVEL_FULL;
		}
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (streq(p->grantee, u->name) && permission_is_right(p) &&
			!permission_is_connect(p))
			*exact = false;
	}
	for (size_t i = 0; i < d->n_owned; i++)
		if (streq(d->owned[i].owner, u->name))
			*exact = false;
	for (size_t i = 0; i < o->n_members; i++)
		if (streq(o->members[i].member, l->name))
			*exact = false;
	return level;
}

bool observed_has_user_login(const struct observed_server *o)
{
	return observed_find_login(o, USER_LOGIN) != NULL;
}

bool observed_user_login_is_fit(const struct observed_server *o)
{
	const struct observed_login *l = observed_find_login(o, USER_LOGIN);
	bool fit = l && l->type == 'S' && l->disabled;

	for (size_t i = 0; i < o->n_members && fit; i++)
		fit = !names_equal(o->members[i].member, USER_LOGIN);
	for (size_t i = 0; i < o->n_permissions && fit; i++) {
		const struct permission *p = &o->permissions[i];
		fit = p->state == 'D' || !names_equal(p->grantee, USER_LOGIN) ||
		      streq(p->name, "CONNECT SQL") || streq(p->name, "VIEW ANY DEFINITION");
	}
	return fit && !l->marked;
}
