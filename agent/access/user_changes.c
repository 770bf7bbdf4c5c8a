/* One login's user in one database: changed to its access level, or removed with everything that it has. */
#include <string.h>

#include "access/difference.h"

static bool terms_have_role(const struct level_terms *t, const char *role)
{
	if (t->role)
		return names_equal(t->role, role);
	for (size_t i = 0; i < t->member_of.n; i++)
		if (names_equal(t->member_of.items[i], role))
			return true;
	return false;
}

static struct change *user_change(struct builder *b, struct change_list *l, enum change_kind kind,
	const struct login_work *work, const struct observed_database *d, const char *user,
	const char *reason)
{
	struct change *c = change_push(b, l, kind, work->client, work->login, d->name, reason);

	c->principal = builder_copy(b, user);
	return c;
}

static void member_change(struct builder *b, struct change_list *l, enum change_kind kind,
	const struct login_work *work, const struct observed_database *d, const char *user,
	const char *role, const char *reason)
{
	user_change(b, l, kind, work, d, user, reason)->role = builder_copy(b, role);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

static void regrant_push(struct builder *b, struct change *c, const struct permission *p)
{
	struct permission *items = reallocarray(c->regrants, c->n_regrants + 1, sizeof(*items));

	if (!items) {
		b->no_memory = true;
		return;
	}
	c->regrants = items;
	permission_copy(b, &items[c->n_regrants++], p);
}

/* The kind of what a schema contains; NULL: it is in no schema. */
static const char *kind_in_schema(int class)
{
	return class == CLASS_OBJECT		      ? "OBJECT"
	       : class == CLASS_TYPE		      ? "TYPE"
	       : class == CLASS_XML_SCHEMA_COLLECTION ? "XML SCHEMA COLLECTION"
						      : NULL;
}

/* ALTER AUTHORIZATION drops every permission on its target. On a schema, it also drops those on what is in it and
 * has no owner of its own. */
static bool transfer_drops(const struct observed_owned *owned, const struct permission *p)
{
	const char *kind = kind_in_schema(p->class);

	if (streq(owned->kind, "SCHEMA"))
		return (p->class == CLASS_SCHEMA || (kind && !p->owner_apart)) &&
		       same_text(p->schema, owned->name);
	/* A permission on something outside schemas has its kind in place of the schema. */
	if (kind)
		return streq(owned->kind, kind) && same_text(p->schema, owned->schema) &&
		       same_text(p->object, owned->name);
	return p->class != CLASS_SCHEMA && same_text(p->schema, owned->kind) &&
	       same_text(p->object, owned->name);
}

/* Restores the permissions of other principals: grants, then column exceptions, then DENYs. */
static void owner_regrants(struct builder *b, struct change *c, const struct observed_database *d,
	const struct observed_owned *owned, const char *user)
{
	static const char *const order[] = {"GW", "R", "D"};
	/* Nobody grants anything to itself: what is lost here the agent has as db_owner. */
	const struct observed_user *agent = observed_user_of_agent(b->o, d, b->w->server);

	for (size_t k = 0; k < ARRAY_SIZE(order); k++)
		for (size_t i = 0; i < d->n_permissions; i++) {
			const struct permission *p = &d->permissions[i];
			if (strchr(order[k], p->state) && !streq(p->grantee, user) &&
				transfer_drops(owned, p) &&
				!(agent && streq(agent->name, p->grantee)))
				regrant_push(b, c, p);
		}
}

/* Who granted or denied something on a user is recorded as that user, whoever it was. */
static bool is_on_user(const struct permission *p, const char *user)
{
	return p->class == CLASS_PRINCIPAL && same_text(p->object, user);
}

/* Revokes what the user granted to others, and what they granted further. A DENY is added again with Curfew as grantor. One on
 * the user itself gives nobody anything: it stays as long as the user, and would keep it from being dropped. */
static bool user_strip_granted(struct builder *b, const struct login_work *work,
	const struct observed_database *d, const char *user, bool leaves, const char *reason)
{
	bool any = false;

	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		bool denied_on_it = p->state == 'D' && is_on_user(p, user);
		if (!streq(p->grantor, user) || p->state == 'R' || (denied_on_it && !leaves))
			continue;
		struct change *c =
			user_change(b, &b->closings, CHANGE_REVOKE, work, d, user, reason);
		permission_copy(b, &c->permission, p);
		if (p->state == 'D' && !streq(p->grantee, user) && !denied_on_it)
			regrant_push(b, c, p);
		any = true;
	}
	return any;
}

static bool user_strip_held(struct builder *b, const struct login_work *work,
	const struct observed_database *d, const char *user, const char *reason)
{
	bool any = false;

	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (!streq(p->grantee, user) || streq(p->grantor, user) ||
			!permission_is_right(p) || permission_is_connect(p))
			continue;
		permission_copy(b,
			&user_change(b, &b->closings, CHANGE_REVOKE, work, d, user, reason)
				 ->permission,
			p);
		any = true;
	}
	return any;
}

/* Removes everything that a user has besides roles: permissions that it granted, explicit permissions, ownership. True:
 * there was something. What it granted comes first, because without the grant option it cannot be revoked any more. */
static bool user_strip(struct builder *b, const struct login_work *work,
	const struct observed_database *d, const char *user, bool leaves, const char *reason)
{
	bool any = user_strip_granted(b, work, d, user, leaves, reason);

	if (user_strip_held(b, work, d, user, reason))
		any = true;
	for (size_t i = 0; i < d->n_owned; i++) {
		const struct observed_owned *owned = &d->owned[i];
		if (!streq(owned->owner, user))
			continue;
		struct change *c =
			user_change(b, &b->closings, CHANGE_OWNER, work, d, user, reason);
		c->permission.name = builder_copy(b, owned->kind);
		c->permission.schema = builder_copy(b, owned->schema);
		c->permission.object = builder_copy(b, owned->name);
		owner_regrants(b, c, d, owned, user);
		any = true;
	}
	return any;
}

void login_announce(struct builder *b, struct login_work *work, const char *reason)
{
	if (work->announced)
		return;
	work->announced = true;
	if (!work->observed) {
		change_push(b, &b->openings, CHANGE_LOGIN_CREATE, work->client, work->login, NULL,
			reason)
			->sid = work->sid;
		change_push(b, &b->openings, CHANGE_LOGIN_DISABLE, work->client, work->login, NULL,
			"keep the login disabled until its database users are ready");
		work->pending = true;
	}
	if (b->o->mark_role && (!work->observed || !work->observed->marked)) {
		change_push(b, &b->openings, CHANGE_LOGIN_MARK, work->client, work->login, NULL,
			"mark the login as managed by Curfew");
		work->pending = true;
	}
}

/* A user with the scheduled name that does not map to the login. A managed user that a restore brought back is
 * returned: it is reduced before it is mapped. Any other is left alone (*in_the_way). NULL: none, or *in_the_way. */
static const struct observed_user *user_by_name(struct builder *b, struct login_work *work,
	const struct observed_database *d, const struct grant *g, bool *in_the_way)
{
	const struct observed_user *u = NULL;

	*in_the_way = false;
	for (size_t i = 0; i < d->n_users; i++)
		if (names_equal(d->users[i].name, work->login))
			u = &d->users[i];
	if (!u)
		return NULL;
	bool mapped = false;
	for (size_t i = 0; i < b->o->n_logins; i++)
		mapped = mapped || sid_equal(&b->o->logins[i].sid, &u->sid);
	bool ours = claims_have_sid(b->c, &u->sid);
	for (int level = LEVEL_READ_ONLY; level <= LEVEL_FULL; level++)
		if (g->server->terms[level].role &&
			observed_is_member(d, g->server->terms[level].role, u->name))
			ours = true;
	if (u->type == 'S' && !mapped && ours)
		return u;
	*in_the_way = true;
	obstacle_push(b, STATE_DRIFT, work->login, d->name,
		"user [%s] in database [%s] does not belong to the managed login, so Curfew does not change it; a DBA must "
		"review it",
		u->name, d->name);
	return NULL;
}

/* The lowest level that includes the role. An unknown role counts as the highest level. */
static enum level role_level(const struct level_terms *terms, const char *role)
{
	for (enum level level = LEVEL_READ_ONLY; level < LEVEL_FULL; level++)
		if (terms_have_role(&terms[level], role))
			return level;
	return LEVEL_FULL;
}

/* Changes the memberships of an existing user to those of its level. */
static void user_level(struct builder *b, struct login_work *work,
	const struct observed_database *d, const char *user, const struct grant *g, bool orphan,
	const char *reason)
{
	const struct level_terms *terms = g->server->terms;
	const struct level_terms *want = &terms[g->level];
	bool narrows = false, any = false;

	for (size_t i = 0; i < d->n_members; i++) {
		if (!streq(d->members[i].member, user))
			continue;
		any = true;
		if (!terms_have_role(want, d->members[i].role) &&
			role_level(terms, d->members[i].role) >= g->level)
			narrows = true;
	}
	const char *const own[] = {want->role};
	const char *const *roles = want->role ? own : (const char *const *)want->member_of.items;
	size_t n_roles = want->role ? 1 : want->member_of.n;
	for (size_t i = 0; i < n_roles; i++) {
		if (observed_is_member(d, roles[i], user))
			continue;
		/* Add the lower role before dropping the higher one, so that its DENYs apply without a gap. */
		bool closing = narrows && any;
		member_change(b, closing ? &b->closings : &b->openings,
			closing ? CHANGE_MEMBER_RESTRICT : CHANGE_MEMBER_ADD, work, d, user,
			roles[i], reason);
		work->pending = work->pending || closing;
		work->widened = work->widened || !closing;
	}
	/* Remove direct permissions before roles, because a role may hold a DENY for the same permission. */
	if (user_strip(
		    b, work, d, user, false, "remove permissions and ownership outside the role"))
		narrows = true;
	for (enum level level = LEVEL_FULL; level > LEVEL_NONE; level--)
		for (size_t i = 0; i < d->n_members; i++) {
			if (!streq(d->members[i].member, user) ||
				terms_have_role(want, d->members[i].role) ||
				role_level(terms, d->members[i].role) != level)
				continue;
			member_change(b, &b->closings, CHANGE_MEMBER_DROP, work, d, user,
				d->members[i].role, reason);
			work->pending = true;
		}
	/* An orphaned user has no sessions, because nobody can log in as it. */
	if (narrows && !orphan)
		work->narrowed = true;
	work->pending = work->pending || narrows;
}

void user_want(struct builder *b, struct login_work *work, const struct grant *g,
	const struct observed_database *d, bool roles_pending)
{
	char reason[RECORD_TEXT_MAX];
	bool in_the_way = false;
	const struct observed_user *u = observed_user_of(d, work->observed);

	snprintf(reason, sizeof(reason), "%s: %s", phase_name(g->phase), level_name(g->level));
	work->pending = work->pending || roles_pending;
	work->roles_wait = work->roles_wait || roles_pending;
	if (u && names_equal(u->name, "dbo")) {
		obstacle_push(b, STATE_DRIFT, work->login, d->name,
			"login [%s] owns database [%s]; a DBA must change the owner", work->login,
			d->name);
		work->blocked = work->narrowed = true;
		return;
	}
	const struct observed_user *orphan = u ? NULL : user_by_name(b, work, d, g, &in_the_way);
	if (in_the_way) {
		work->blocked = true;
		return;
	}
	login_announce(b, work, reason);
	if (u) {
		user_level(b, work, d, u->name, g, false, reason);
		return;
	}
	work->widened = true;
	if (orphan) {
		user_level(b, work, d, orphan->name, g, true, reason);
		user_change(b, &b->openings, CHANGE_USER_REMAP, work, d, orphan->name,
			"map the restored database user to its login");
		return;
	}
	user_change(b, &b->openings, CHANGE_USER_CREATE, work, d, work->login, reason);
	const struct level_terms *want = &g->server->terms[g->level];
	if (want->role)
		member_change(b, &b->openings, CHANGE_MEMBER_ADD, work, d, work->login, want->role,
			reason);
	for (size_t i = 0; !want->role && i < want->member_of.n; i++)
		member_change(b, &b->openings, CHANGE_MEMBER_ADD, work, d, work->login,
			want->member_of.items[i], reason);
}

void user_remove(struct builder *b, struct login_work *work, const struct observed_database *d,
	const struct observed_user *u, const char *reason)
{
	if (names_equal(u->name, "dbo")) {
		obstacle_push(b, STATE_UNVERIFIED, work->login, d->name,
			"login [%s] owns database [%s]; a DBA must change the owner", work->login,
			d->name);
		work->blocked = work->narrowed = true;
		return;
	}
	user_strip(b, work, d, u->name, true, reason);
	/* Drop lower roles last: their DENYs apply while the higher roles are dropped. */
	for (enum level level = LEVEL_FULL; level > LEVEL_NONE; level--)
		for (size_t i = 0; i < d->n_members; i++)
			if (streq(d->members[i].member, u->name) &&
				role_level(b->w->server->terms, d->members[i].role) == level)
				member_change(b, &b->closings, CHANGE_MEMBER_DROP, work, d, u->name,
					d->members[i].role, reason);
	user_change(b, &b->closings, CHANGE_USER_DROP, work, d, u->name, reason);
	work->narrowed = true;
}

/* Removes users that a restore brought back after their login was dropped. The login inventory keeps their SIDs. */
void orphans_remove(struct builder *b, const struct observed_database *d)
{
	/* Without a login nobody can enter a snapshot. */
	if (!d->read || d->unwritable)
		return;
	for (size_t i = 0; i < d->n_users; i++) {
		const struct observed_user *u = &d->users[i];
		bool mapped = false, wanted = false;
		if (u->type != 'S' || !claims_have_sid(b->c, &u->sid))
			continue;
		for (size_t k = 0; k < b->o->n_logins; k++)
			mapped = mapped || sid_equal(&b->o->logins[k].sid, &u->sid);
		const struct wanted_login *l = wanted_find(b->w, u->name);
		for (size_t k = 0; l && k < l->n_users; k++)
			wanted = wanted || names_equal(l->users[k].grant->database->name, d->name);
		if (mapped || wanted)
			continue;
		struct login_work work = {.login = u->name};
		if (!database_refuses(b, d, u->name))
			user_remove(b, &work, d, u,
				"remove a managed user that a restore brought back");
	}
}
