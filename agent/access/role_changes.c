/* Managed roles of one database: their permissions compared with the access level, and their members. */
#include <string.h>

#include "access/difference.h"

static bool role_exists(const struct observed_database *d, const char *role)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (d->users[i].type == 'R' && names_equal(d->users[i].name, role))
			return true;
	return false;
}

static bool strings_have(const struct strings *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (names_equal(s->items[i], name))
			return true;
	return false;
}

static bool permission_is_in_terms(const struct level_terms *t, const struct permission *p)
{
	if (p->class == CLASS_DATABASE)
		return (p->state == 'G' && strings_have(&t->database_grants, p->name)) ||
		       (p->state == 'D' && strings_have(&t->database_denies, p->name));
	if (p->class == CLASS_SCHEMA)
		return (p->state == 'G' && strings_have(&t->schema_grants, p->name)) ||
		       (p->state == 'D' && strings_have(&t->schema_denies, p->name));
	return false;
}

static bool want_permissions(struct builder *b, const struct observed_database *d,
	const struct role_index *x, const struct level_terms *t, const struct strings *names,
	char state, const char *schema)
{
	bool pending = false;

	for (size_t i = 0; i < names->n; i++) {
		if (permission_stands(x, t->role, schema, names->items[i], state))
			continue;
		/* A GRANT reaches every member at once, also one that is about to move to a lower level. So make it
		 * after all removals. */
		struct change *c = change_push(b, state == 'D' ? &b->prepare : &b->openings,
			state == 'D' ? CHANGE_ROLE_DENY : CHANGE_ROLE_GRANT, NULL, NULL, d->name,
			"permissions of this role");
		c->role = builder_copy(b, t->role);
		c->permission = (struct permission){
			.class = schema ? CLASS_SCHEMA : CLASS_DATABASE, .state = state};
		c->permission.name = builder_copy(b, names->items[i]);
		c->permission.schema = builder_copy(b, schema);
		c->permission.grantee = builder_copy(b, t->role);
		pending = true;
	}
	return pending;
}

/* Revokes everything that is not a permission of the role. That includes a DENY, which may hide a missing permission.
 * */
static bool drop_surplus(
	struct builder *b, const struct observed_database *d, const struct level_terms *t)
{
	bool pending = false;

	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		/* Revoking a grant also removes its column exceptions. */
		if (!names_equal(p->grantee, t->role) || permission_is_in_terms(t, p) ||
			p->state == 'R')
			continue;
		/* Revoking a DENY gives the members more, so it belongs to the changes that grant. */
		bool denial = p->state == 'D';
		permission_copy(b,
			&change_push(b, denial ? &b->openings : &b->closings,
				denial ? CHANGE_ROLE_DENY_REMOVE : CHANGE_REVOKE, NULL, NULL,
				d->name, "not a permission of this role")
				 ->permission,
			p);
		pending = true;
	}
	return pending;
}

bool roles_exceed(const struct builder *b, const struct observed_database *d)
{
	for (int level = LEVEL_READ_ONLY; level <= LEVEL_FULL; level++) {
		const struct level_terms *t = &b->w->server->terms[level];
		for (size_t i = 0; t->role && i < d->n_permissions; i++)
			if (names_equal(d->permissions[i].grantee, t->role) &&
				permission_is_right(&d->permissions[i]) &&
				!permission_is_in_terms(t, &d->permissions[i]))
				return true;
	}
	return false;
}

static bool want_schemas(struct builder *b, const struct observed_database *d,
	const struct role_index *x, const struct level_terms *t, char state)
{
	bool pending = false;

	for (size_t i = 0; i < d->n_schemas; i++) {
		if (!role_owns(x, t->role, d->schemas[i])) {
			if (want_permissions(b, d, x, t,
				    state == 'D' ? &t->schema_denies : &t->schema_grants, state,
				    d->schemas[i]))
				pending = true;
			continue;
		}
		pending = true;
		if (state == 'D')
			obstacle_push(b, STATE_DRIFT, NULL, d->name,
				"role [%s] owns schema [%s]; a DBA must change the owner", t->role,
				d->schemas[i]);
	}
	return pending;
}

static bool role_want(struct builder *b, const struct observed_database *d,
	const struct role_index *x, const struct level_terms *t)
{
	bool pending = false;

	if (!t->role)
		return false;
	if (!role_exists(d, t->role)) {
		change_push(b, &b->prepare, CHANGE_ROLE_CREATE, NULL, NULL, d->name,
			"create the role for this access level")
			->role = builder_copy(b, t->role);
		pending = true;
	} else if (!d->permissions_visible) {
		/* The catalog hides the permissions: what the role got when it was created remains, unverified. */
		return false;
	}
	if (pending || d->permissions_visible) {
		/* Revoke and deny before granting, so that the role never has more than its level. */
		if (!pending)
			pending = drop_surplus(b, d, t);
		if (want_permissions(b, d, x, t, &t->database_denies, 'D', NULL))
			pending = true;
		if (want_schemas(b, d, x, t, 'D'))
			pending = true;
		if (want_permissions(b, d, x, t, &t->database_grants, 'G', NULL))
			pending = true;
		if (want_schemas(b, d, x, t, 'G'))
			pending = true;
	}
	return pending;
}

static bool database_has_wanted_user(const struct builder *b, const struct observed_database *d)
{
	for (size_t i = 0; i < b->w->n_grants; i++)
		if (b->w->grants[i]->level != LEVEL_NONE &&
			names_equal(b->w->grants[i]->database->name, d->name))
			return true;
	return false;
}

/* The write role is created only in databases where a client uses that level. Where it exists, it is kept correct. */
static bool level_is_used(
	const struct builder *b, const struct observed_database *d, enum level level)
{
	const char *role = b->w->server->terms[level].role;

	if (level != LEVEL_WRITE || (role && role_exists(d, role)))
		return true;
	for (size_t i = 0; i < b->w->n_grants; i++)
		if (b->w->grants[i]->database->before_go_live == level &&
			names_equal(b->w->grants[i]->database->name, d->name))
			return true;
	return false;
}

bool roles_want(struct builder *b, const struct observed_database *d)
{
	struct role_index x;
	bool pending = false;

	if (!d->managed || !d->read || database_is_untouchable(b, d) ||
		!database_has_wanted_user(b, d))
		return false;
	if (!role_index_build(&x, d)) {
		b->no_memory = true;
		return false;
	}
	/* All roles at once: the read-only role must exist before go-live. */
	for (enum level level = LEVEL_FULL; level > LEVEL_NONE; level--)
		if (level_is_used(b, d, level) && role_want(b, d, &x, &b->w->server->terms[level]))
			pending = true;
	role_index_free(&x);
	return pending;
}

/* Users of scheduled or managed logins are handled with their login. */
static bool member_is_handled(const struct builder *b, const struct observed_database *d,
	const struct name_index *users, const char *member)
{
	size_t at = name_first(users, member, NULL);
	const struct observed_user *u =
		name_is_at(users, at, member, NULL) ? &d->users[users->items[at].at] : NULL;

	if (!u || u->type == 'R')
		return false;
	/* A marked login belongs to this configuration or to another agent's. */
	if (sid_find(&at, &b->logins, &u->sid))
		return b->o->logins[at].ours || b->o->logins[at].marked;
	return sid_is_in(&b->claimed, &u->sid) || wanted_find(b->w, u->name);
}

/* USER_LOGIN has permissions only while a login gets its user: an agent that died then has left them. */
static void user_login_police(struct builder *b, const struct observed_database *d)
{
	const struct observed_login *l = observed_find_login(b->o, USER_LOGIN);
	const struct observed_user *u = l ? observed_user_of(d, l) : NULL;

	for (size_t i = 0; u && i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (p->state == 'D' || !names_equal(p->grantee, u->name))
			continue;
		permission_copy(b,
			&change_push(b, &b->closings, CHANGE_REVOKE, NULL, NULL, d->name,
				"left by a change that was not finished")
				 ->permission,
			p);
	}
}

void roles_police(struct builder *b, const struct observed_database *d)
{
	if (!d->managed || !d->read || database_is_untouchable(b, d))
		return;
	user_login_police(b, d);
	const struct database_index *x = builder_index(b, d);
	for (size_t i = 0; x && i < d->n_members; i++) {
		const struct observed_member *m = &d->members[i];
		for (int level = LEVEL_READ_ONLY; level <= LEVEL_FULL; level++) {
			const char *role = b->w->server->terms[level].role;
			if (!role || !names_equal(m->role, role) ||
				member_is_handled(b, d, &x->users, m->member))
				continue;
			struct change *c = change_push(b, &b->closings, CHANGE_MEMBER_DROP, NULL,
				NULL, d->name, "remove: not a configured user");
			c->role = builder_copy(b, m->role);
			c->principal = builder_copy(b, m->member);
		}
	}
}
