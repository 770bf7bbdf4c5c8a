/* Changes of one login: its server permissions, and its users in all databases. */
#include <string.h>

#include "access/difference.h"
#include "curfew/calendar.h"

/* Curfew may not give it another owner: that takes the rights of a DBA. */
static void owned_refuse(
	struct builder *b, struct login_work *work, const struct observed_owned *owned)
{
	obstacle_push(b, STATE_EXCESS, work->login, NULL,
		"%s [%s] is owned by [%s], so login [%s] has all that it gives and may give it on: the login stays disabled until "
		"a DBA gives it another owner; `curfew audit` shows the statement",
		owned->kind, owned->name, owned->owner, work->login);
	if (b->n_obstacles)
		b->obstacles[b->n_obstacles - 1].shuts = true;
	work->narrowed = true;
}

/* Removes server roles and server permissions. */
static void login_narrow_server(struct builder *b, struct login_work *work)
{
	const char *reason = "managed logins must not have server permissions";

	for (size_t i = 0; i < b->o->n_members; i++) {
		const struct observed_member *m = &b->o->members[i];
		if (!streq(m->member, work->observed->name))
			continue;
		struct change *c = change_push(b, &b->closings, CHANGE_SERVER_MEMBER_DROP,
			work->client, work->login, NULL, reason);
		c->role = builder_copy(b, m->role);
		work->narrowed = true;
	}
	for (size_t i = 0; i < b->o->n_permissions; i++) {
		const struct permission *p = &b->o->permissions[i];
		if (!streq(p->grantee, work->observed->name) || !permission_is_right(p) ||
			permission_is_entry(p))
			continue;
		struct change *c = change_push(b, &b->closings, CHANGE_SERVER_REVOKE, work->client,
			work->login, NULL, reason);
		permission_copy(b, &c->permission, p);
		work->narrowed = true;
	}
	for (size_t i = 0; i < b->o->n_owned; i++)
		if (owned_is_of(&b->o->owned[i], work->observed->name))
			owned_refuse(b, work, &b->o->owned[i]);
}

/* A snapshot whose source database the login may read at its level. */
static bool copy_is_wanted(const struct builder *b, const struct wanted_login *wanted,
	const struct observed_database *copy)
{
	for (size_t i = 0; copy->source && i < b->o->n_databases; i++) {
		const struct observed_database *d = &b->o->databases[i];
		for (size_t k = 0; d->id == copy->source && k < wanted->n_users; k++)
			if (names_equal(wanted->users[k].grant->database->name, d->name))
				return true;
	}
	return false;
}

/* It is shut in its own databases too, by what somebody may have done in another one: said there, and by whose database. */
static void user_elsewhere_refuse(
	struct builder *b, struct login_work *work, const struct observed_database *d)
{
	char words[RECORD_TEXT_MAX];

	work->blocked = work->narrowed = true;
	user_elsewhere_words(words, sizeof(words), b->w, b->o, d, work->login);
	obstacle_push(b, STATE_UNVERIFIED, work->login, NULL, "%s", words);
}

/* Removes the login's users in databases for which it has no scheduled access. */
static void login_remove_users(struct builder *b, struct login_work *work,
	const struct wanted_login *wanted, const char *reason)
{
	for (size_t i = 0; i < b->o->n_databases; i++) {
		const struct observed_database *d = &b->o->databases[i];
		bool keep = false;
		for (size_t k = 0; wanted && k < wanted->n_users; k++)
			keep = keep || names_equal(wanted->users[k].grant->database->name, d->name);
		const struct observed_user *u = keep ? NULL : builder_user_of(b, d, work->observed);
		if (!u)
			continue;
		/* Nobody can change a snapshot. It allows what its source allows, and allows nothing once the login is
		 * dropped. */
		if (d->unwritable && (!wanted || copy_is_wanted(b, wanted, d)))
			continue;
		if (!database_refuses(b, d, work->login))
			user_remove(b, work, d, u, reason);
		else if (wanted)
			user_elsewhere_refuse(b, work, d);
		else
			work->blocked = work->narrowed = true;
	}
}

/* A login with another SID on one replica is unknown to the databases there after a failover. False: it cannot be
 * created yet. */
static bool sid_check(
	struct builder *b, const struct login_work *work, const struct wanted_login *l)
{
	if (!b->w->replicated || (work->observed && !l->sid.size))
		return true;
	if (!work->observed && !l->sid.size)
		obstacle_push(b, STATE_WAITING, l->login, NULL,
			"the login waits for its SID: it is being created on another replica, and the SIDs must be the same");
	else if (work->observed && !sid_equal(&work->observed->sid, &l->sid))
		obstacle_push(b, STATE_DRIFT, l->login, NULL,
			"login [%s] has another SID here than on the other replicas: after a failover its databases do not know "
			"it before the next pass; to make them the same, drop the login where no database is the primary, and "
			"run `curfew apply` and `curfew handover %s %s`",
			l->login, work->client ? work->client : "CLIENT", l->login);
	return work->observed || l->sid.size;
}

/* A secondary replica cannot be changed. The login is created there anyway, and stays disabled until one of its
 * databases can be opened there. */
static bool replica_waits(struct builder *b, struct login_work *work,
	const struct observed_database *d, const char *reason)
{
	if (!b->w->replicated || !d->secondary)
		return false;
	login_announce(b, work, reason);
	if (d->read)
		return false;
	obstacle_push(b, STATE_WAITING, work->login, d->name,
		"database [%s] is a secondary replica here: nobody gets into it before it becomes the primary",
		d->name);
	return true;
}

/* Whether nothing can be done for the login in this database now. `d` is NULL if the server has no such database. */
static bool database_waits(struct builder *b, struct login_work *work, const struct grant *g,
	const struct observed_database *d, const char *reason)
{
	const char *name = g->database->name;

	if (!d || d->absent) {
		const struct remembered *r = builder_remembers(b, work->login, name);
		bool was_there = r && r->level != LEVEL_NONE;
		obstacle_push(b, was_there ? STATE_UNREAD : STATE_WAITING, work->login, name,
			was_there
				? "the server has no database [%s] now: it was renamed, detached, or dropped"
				: "database [%s] does not exist yet",
			name);
		return true;
	}
	if (replica_waits(b, work, d, reason))
		return true;
	/* An unread database is not an absent one: the user may still have its last access there. */
	if (!d->read) {
		obstacle_push(b, STATE_UNREAD, work->login, name, "cannot read database [%s]%s%s%s",
			d->name, d->unread ? ": " : UNREAD_BOOTSTRAP,
			d->unread ? d->unread : b->w->server->name, d->unread ? "" : "`");
		if (unread_may_give(b, g, d)) {
			work->blocked = true;
			work->holder = d->name;
		}
		return true;
	}
	if (hidden_shut(b, work, d))
		return true;
	if (d->held && !builder_user_of(b, d, work->observed)) {
		obstacle_push(b, STATE_UNVERIFIED, work->login, d->name,
			"no access is granted in database [%s]: %s", d->name, d->held);
		return true;
	}
	return false;
}

/* Plans the login's user in one database. `reason` becomes the grant's reason. */
static void grant_plan(struct builder *b, struct login_work *work, const struct grant *g,
	const bool *roles_pending, char reason[RECORD_TEXT_MAX])
{
	const struct observed_database *d = observed_find_database(b->o, g->database->name);
	struct grant lower = *g;
	enum level level;
	bool exact;

	grant_reason(reason, RECORD_TEXT_MAX, g);
	if (database_waits(b, work, g, d, reason))
		return;
	if (full_is_refused(b, g, d)) {
		/* Nobody gets more than there is now, and nobody loses it. */
		lower.level = observed_level(&exact, b->o, d, work->observed, b->w->server);
		if (lower.level == LEVEL_NONE)
			return;
	}
	if (database_refuses(b, d, work->login)) {
		/* Excess permissions cannot be removed there now, so keep the login disabled. */
		level = observed_level(&exact, b->o, d, work->observed, b->w->server);
		if (level > lower.level || !exact || roles_exceed(b, d))
			work->blocked = work->narrowed = true;
		work->reachable = work->reachable || level == lower.level;
		return;
	}
	work->reachable = true;
	user_want(b, work, &lower, d, roles_pending[d - b->o->databases]);
}

/* A denial that keeps the user out: of this login, or of everybody by MARK_ROLE or public. Curfew never undoes one: a DBA
 * put it there. */
static void denial_name(struct builder *b, const struct observed_login *l)
{
	for (size_t i = 0; i < b->o->n_permissions; i++) {
		const struct permission *p = &b->o->permissions[i];
		if (!permission_is_denied_entry(p) ||
			(!names_equal(p->grantee, l->name) && !names_equal(p->grantee, MARK_ROLE) &&
				!streq(p->grantee, "public")))
			continue;
		obstacle_push(b, STATE_DRIFT, l->name, NULL,
			"the server denies %s%s to [%s], so nobody can log in as [%s]; Curfew never removes a denial: `curfew "
			"audit` shows the statement for a DBA",
			p->name, streq(p->name, "CONNECT SQL") ? "" : " on an endpoint", p->grantee,
			l->name);
		return;
	}
}

void login_changes_add(struct builder *b, const struct wanted_login *l, const bool *roles_pending)
{
	struct login_work work = {.client = l->client,
		.login = l->login,
		.closings_before = b->closings.n,
		.openings_before = b->openings.n,
		.sid = l->sid};
	char reason[RECORD_TEXT_MAX] = "";

	work.observed = observed_find_login(b->o, l->login);
	if (work.observed && !work.observed->ours) {
		obstacle_push(b, STATE_DRIFT, l->login, NULL,
			"login [%s] exists but is not managed by Curfew, so Curfew does not change it; rename it, or set a "
			"different `login` for this user",
			l->login);
		return;
	}
	if (!sid_check(b, &work, l))
		return;
	for (size_t i = 0; i < l->n_users; i++) {
		struct additions before = {.openings = b->openings.n, .widened = work.widened};
		grant_plan(b, &work, l->users[i].grant, roles_pending, reason);
		additions_hold(b, &work, l, l->users[i].grant, before);
	}
	login_remove_users(b, &work, l, "no access to this database is scheduled now");
	unread_judge(b, &work);
	if (work.observed) {
		denial_name(b, work.observed);
		login_narrow_server(b, &work);
	}
	sessions_plan(b, &work, l, reason);
}

static const char *client_of(
	const struct wanted_server *w, const char *login, char *reason, size_t size)
{
	const struct grant *last = NULL;

	snprintf(reason, size, "the configuration no longer names the login");
	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, login) &&
			(!last || w->grants[i]->from > last->from))
			last = w->grants[i];
	if (last)
		grant_reason(reason, size, last);
	return last ? last->client->name : NULL;
}

void login_remove(struct builder *b, const struct observed_login *l)
{
	char reason[RECORD_TEXT_MAX];
	const char *former = observed_former_name(l, b->c, b->w->server->name);
	struct login_work work = {
		.client = client_of(b->w, former ? former : l->name, reason, sizeof(reason)),
		.login = l->name,
		.observed = l,
		.closings_before = b->closings.n,
	};

	if (former)
		snprintf(reason, sizeof(reason),
			"somebody renamed login [%.128s]; only a login of the scheduled name has access",
			former);
	login_disable_first(b, &b->closings, work.closings_before, &work, reason, NULL);
	sessions_kill(b, &b->closings, &work, 0, reason);
	login_narrow_server(b, &work);
	login_remove_users(b, &work, NULL, reason);
	if (!work.blocked)
		change_push(b, &b->closings, CHANGE_LOGIN_DROP, work.client, l->name, NULL, reason)
			->sid = l->sid;
}
