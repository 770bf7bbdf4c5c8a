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
	bool mapped = sid_is_in(&b->logins, &u->sid), ours = sid_is_in(&b->claimed, &u->sid);
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
	const struct database_index *x = builder_index(b, d);
	bool narrows = false, any = false;

	if (!x)
		return;
	const struct name_index *in = &x->members;
	size_t first = name_first(in, user, NULL);
	for (size_t i = first; name_is_at(in, i, user, NULL); i++) {
		const char *role = d->members[in->items[i].at].role;
		any = true;
		if (!terms_have_role(want, role) && role_level(terms, role) >= g->level)
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
		for (size_t i = first; name_is_at(in, i, user, NULL); i++) {
			const char *role = d->members[in->items[i].at].role;
			if (terms_have_role(want, role) || role_level(terms, role) != level)
				continue;
			member_change(
				b, &b->closings, CHANGE_MEMBER_DROP, work, d, user, role, reason);
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
	const struct observed_user *u = builder_user_of(b, d, work->observed);

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
	const struct database_index *x = builder_index(b, d);
	if (!x)
		return;
	user_strip(b, work, d, u->name, true, reason);
	/* Drop lower roles last: their DENYs apply while the higher roles are dropped. */
	for (enum level level = LEVEL_FULL; level > LEVEL_NONE; level--)
		for (size_t i = name_first(&x->members, u->name, NULL);
			name_is_at(&x->members, i, u->name, NULL); i++) {
			const char *role = d->members[x->members.items[i].at].role;
			if (role_level(b->w->server->terms, role) == level)
				member_change(b, &b->closings, CHANGE_MEMBER_DROP, work, d, u->name,
					role, reason);
		}
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
		bool wanted = false;
		if (u->type != 'S' || !sid_is_in(&b->claimed, &u->sid))
			continue;
		const struct wanted_login *l = wanted_find(b->w, u->name);
		for (size_t k = 0; l && k < l->n_users; k++)
			wanted = wanted || names_equal(l->users[k].grant->database->name, d->name);
		if (wanted || sid_is_in(&b->logins, &u->sid))
			continue;
		struct login_work work = {.login = u->name};
		if (!database_refuses(b, d, u->name))
			user_remove(b, &work, d, u,
				"remove a managed user that a restore brought back");
	}
}
