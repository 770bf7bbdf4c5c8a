/* Changes as a model server carries them out. Error numbers are those of SQL Server's documentation. See model.h. */
#include "model_internal.h"

static bool schema_exists(const struct observed_database *d, const char *name)
{
	for (size_t i = 0; i < d->n_schemas; i++)
		if (same(d->schemas[i], name))
			return true;
	return false;
}

static void permissions_drop_if(struct observed_database *d,
	bool (*is)(const struct permission *, const struct permission *),
	const struct permission *like)
{
	for (size_t i = d->n_permissions; i-- > 0;)
		if (is(&d->permissions[i], like)) {
			permission_free(&d->permissions[i]);
			CUT(d->permissions, d->n_permissions, i);
		}
}

static bool is_to(const struct permission *p, const struct permission *like)
{
	return same(p->grantee, like->grantee);
}

static bool is_on_target(const struct permission *p, const struct permission *like)
{
	return permission_same_target(p, like);
}

static void revoke(struct permission **items, size_t *n, const struct permission *like)
{
	for (size_t i = 0; i < *n; i++) {
		struct permission *p = &(*items)[i];
		if (!permission_same_target(p, like) || !same(p->name, like->name) ||
			!same(p->grantee, like->grantee) || !same(p->grantor, like->grantor))
			continue;
		struct permission gone = *p;
		CUT(*items, *n, i);
		/* CASCADE: what the grantee gave on goes too. */
		for (size_t k = 0; gone.state == 'W' && k < *n; k++) {
			struct permission next = (*items)[k];
			if (permission_same_target(&next, &gone) && same(next.name, gone.name) &&
				same(next.grantor, gone.grantee)) {
				revoke(items, n, &next);
				k = (size_t)-1;
			}
		}
		permission_free(&gone);
		return;
	}
}

/* Out of one role, or out of all of them (role NULL). */
static void members_drop(
	struct observed_member **items, size_t *n, const char *member, const char *role)
{
	for (size_t i = *n; i-- > 0;)
		if (same((*items)[i].member, member) && (!role || same((*items)[i].role, role))) {
			free((*items)[i].role);
			free((*items)[i].member);
			CUT(*items, *n, i);
		}
}

static int user_drop(struct observed_database *d, const char *name)
{
	struct observed_user *u = user_find(d, name);

	if (!u || u->type == 'R')
		return 15151;
	for (size_t i = 0; i < d->n_owned; i++)
		if (same(d->owned[i].owner, name))
			return same(d->owned[i].kind, "ROLE") ? 15421 : 15138;
	for (size_t i = 0; i < d->n_permissions; i++)
		if (same(d->permissions[i].grantor, name))
			return 15284;
	struct permission like = {.grantee = (char *)name};
	permissions_drop_if(d, is_to, &like);
	members_drop(&d->members, &d->n_members, name, NULL);
	free(u->name);
	free(u->owner);
	CUT(d->users, d->n_users, (size_t)(u - d->users));
	return 0;
}

static int owner_change(struct observed_database *d, const struct change *c)
{
	struct observed_owned *w = NULL;

	for (size_t i = 0; i < d->n_owned; i++)
		if (same(d->owned[i].kind, c->permission.name) &&
			same(d->owned[i].schema, c->permission.schema) &&
			same(d->owned[i].name, c->permission.object))
			w = &d->owned[i];
	if (!w)
		return 15151;
	/* One transaction: all or nothing. */
	for (size_t i = 0; i < c->n_regrants; i++)
		if (!same(c->regrants[i].grantee, "public") &&
			!user_find(d, c->regrants[i].grantee))
			return 15151;
	struct permission target = {.class = same(w->kind, "SCHEMA") ? 3 : 1,
		.schema = same(w->kind, "SCHEMA") ? w->name : w->schema,
		.object = same(w->kind, "SCHEMA") ? NULL : w->name};
	if (!same(w->kind, "ROLE"))
		permissions_drop_if(d, is_on_target, &target);
	for (size_t i = 0; i < c->n_regrants; i++) {
		struct permission p = c->regrants[i];
		p.grantor = (char *)"dbo";
		permission_put(d, &p);
	}
	free(w->kind);
	free(w->schema);
	free(w->name);
	free(w->owner);
	CUT(d->owned, d->n_owned, (size_t)(w - d->owned));
	return 0;
}

static int role_permission(struct observed_database *d, const struct change *c, char state)
{
	struct permission p = c->permission;

	if (!user_find(d, c->role) || (p.class == 3 && !schema_exists(d, p.schema)))
		return 15151;
	p.state = state;
	p.grantee = c->role;
	p.grantor = (char *)"dbo";
	permission_put(d, &p);
	return 0;
}

static int apply_in_database(struct model *m, struct observed_database *d, const struct change *c)
{
	struct observed_user *u = c->principal ? user_find(d, c->principal) : NULL;
	const struct observed_login *l = c->login ? observed_find_login(&m->o, c->login) : NULL;

	switch (c->kind) {
	case CHANGE_ROLE_CREATE:
		if (user_find(d, c->role))
			return 15023;
		model_role(d, c->role);
		return 0;
	case CHANGE_ROLE_DENY:
		return role_permission(d, c, 'D');
	case CHANGE_ROLE_GRANT:
		return role_permission(d, c, 'G');
	case CHANGE_USER_CREATE:
		if (u)
			return 15023;
		if (!l)
			return 15007;
		if (observed_user_of(d, l))
			return 15063;
		model_user(d, c->principal, l->sid);
		return 0;
	case CHANGE_USER_REMAP:
		if (!u)
			return 15151;
		if (!l)
			return 15007;
		if (observed_user_of(d, l))
			return 15063;
		u->sid = l->sid;
		return 0;
	case CHANGE_USER_DROP:
		return user_drop(d, c->principal);
	case CHANGE_MEMBER_ADD:
	case CHANGE_MEMBER_RESTRICT:
		if (!u || (!user_find(d, c->role) && !fixed_role_can(c->role)))
			return 15151;
		model_member(d, c->role, c->principal);
		return 0;
	case CHANGE_MEMBER_DROP:
		if (!u)
			return 15151;
		members_drop(&d->members, &d->n_members, c->principal, c->role);
		return 0;
	case CHANGE_REVOKE:
	case CHANGE_ROLE_DENY_REMOVE:
		if (!same(c->permission.grantee, "public") && !user_find(d, c->permission.grantee))
			return 15151;
		revoke(&d->permissions, &d->n_permissions, &c->permission);
		return 0;
	case CHANGE_OWNER:
		return owner_change(d, c);
	default:
		return 102;
	}
}

static int login_drop(struct model *m, struct observed_login *l)
{
	if (model_has_session(m, l->name))
		return 15434;
	for (size_t i = 0; i < m->o.n_databases; i++) {
		const struct observed_user *u = observed_user_of(&m->o.databases[i], l);
		if (u && same(u->name, "dbo"))
			return 15174;
	}
	members_drop(&m->o.members, &m->o.n_members, l->name, NULL);
	for (size_t i = m->o.n_permissions; i-- > 0;)
		if (same(m->o.permissions[i].grantee, l->name)) {
			permission_free(&m->o.permissions[i]);
			CUT(m->o.permissions, m->o.n_permissions, i);
		}
	free(l->name);
	CUT(m->o.logins, m->o.n_logins, (size_t)(l - m->o.logins));
	return 0;
}

static int apply_on_server(struct model *m, const struct change *c)
{
	struct observed_login *l = c->login ? observed_find_login(&m->o, c->login) : NULL;

	if (c->kind == CHANGE_LOGIN_CREATE) {
		if (l)
			return 15025;
		model_login(m, c->login, ++m->next_sid)->created = m->o.clock;
		return 0;
	}
	if (c->kind == CHANGE_SESSION_KILL) {
		for (size_t i = 0; i < m->o.n_sessions; i++)
			if (m->o.sessions[i].key.id == c->session.id) {
				free(m->o.sessions[i].login);
				free(m->o.sessions[i].acting);
				CUT(m->o.sessions, m->o.n_sessions, i);
				return 0;
			}
		return 6106;
	}
	if (!l)
		return 15151;
	switch (c->kind) {
	case CHANGE_LOGIN_DISABLE:
	case CHANGE_LOGIN_ENABLE:
		l->disabled = c->kind == CHANGE_LOGIN_DISABLE;
		return 0;
	case CHANGE_LOGIN_MARK:
		if (!m->o.mark_role)
			return 15151;
		l->marked = true;
		return 0;
	case CHANGE_LOGIN_DROP:
		return login_drop(m, l);
	case CHANGE_SERVER_MEMBER_DROP:
		members_drop(&m->o.members, &m->o.n_members, c->login, c->role);
		return 0;
	case CHANGE_SERVER_REVOKE:
		revoke(&m->o.permissions, &m->o.n_permissions, &c->permission);
		return 0;
	default:
		return 102;
	}
}

int model_apply(struct model *m, const struct change *c)
{
	struct observed_database *d =
		c->database ? observed_find_database(&m->o, c->database) : NULL;

	if (!c->database)
		return apply_on_server(m, c);
	/* USE of a database that is not there, or that the agent's login may not enter. */
	if (!d)
		return 911;
	if (!d->online || !d->accessible)
		return 916;
	return apply_in_database(m, d, c);
}
