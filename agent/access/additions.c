/* What a login gets in addition. Until it is verified the login is disabled and has no session: that is not done where
 * it would stay so, or for what the server has just refused. */
#include "access/difference.h"

/* Whether it has a user in any of its databases: without one, nothing of it could be verified. */
static bool login_has_user(const struct builder *b, const struct wanted_login *l,
	const struct observed_login *observed)
{
	for (size_t i = 0; i < l->n_users; i++) {
		const struct observed_database *d =
			observed_find_database(b->o, l->users[i].grant->database->name);
		if (d && d->read && observed_user_of(d, observed))
			return true;
	}
	return false;
}

bool additions_are_moot(
	const struct builder *b, const struct login_work *work, const struct wanted_login *l)
{
	if (!work->widened || !work->observed)
		return false;
	if (b->o->additions_refused && login_has_user(b, l, work->observed))
		return true;
	return (work->blocked || work->roles_wait) && !work->observed->disabled;
}

static bool is_addition(const struct change *c)
{
	return c->kind == CHANGE_USER_CREATE || c->kind == CHANGE_USER_REMAP ||
	       c->kind == CHANGE_MEMBER_ADD;
}

void additions_name(struct builder *b, const struct login_work *work)
{
	const char *last = "";

	for (size_t i = work->openings_before; work->holder && i < b->openings.n; i++) {
		const struct change *c = &b->openings.items[i];

		/* Those of one database follow each other. */
		if (!is_addition(c) || names_equal(c->database, last))
			continue;
		last = c->database;
		obstacle_push(b, STATE_DRIFT, work->login, last,
			"login [%s] gets nothing new in database [%s] before database [%s] is read: it may give more than is "
			"scheduled",
			work->login, last, work->holder);
	}
}

bool additions_drop(struct builder *b, size_t from)
{
	struct change *all = b->openings.items;
	size_t n = b->openings.n, kept = from;

	for (size_t i = from; i < n; i++)
		if (is_addition(&all[i]))
			change_free(&all[i]);
		else
			all[kept++] = all[i];
	b->openings.n = kept;
	return kept < n;
}

static const struct addition_refused *refusal_of(
	const struct wanted_server *w, const struct grant *g)
{
	for (size_t i = 0; i < w->n_refused; i++)
		if (names_equal(w->refused[i].login, g->user->login) &&
			names_equal(w->refused[i].database, g->database->name))
			return &w->refused[i];
	return NULL;
}

void additions_hold(struct builder *b, struct login_work *work, const struct wanted_login *l,
	const struct grant *g, struct additions before)
{
	const struct addition_refused *r = refusal_of(b->w, g);

	/* Whoever is shut loses nothing by another attempt. */
	if (!r || !work->observed || work->observed->disabled ||
		!login_has_user(b, l, work->observed) || !additions_drop(b, before.openings))
		return;
	work->widened = before.widened;
	obstacle_push(b, STATE_DRIFT, work->login, g->database->name,
		"the server refused what login [%s] gets in database [%s] in addition: %s; another attempt would end its "
		"sessions, so it is made an hour later, after a reload that changes something, or by `curfew apply`",
		work->login, g->database->name, r->why);
}
