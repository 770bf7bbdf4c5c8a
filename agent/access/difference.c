/* The difference between wanted and observed access on one server: both sides looked at together, typed changes out.
 *
 * The order is the safety: roles of ours and what they deny first (that gives nobody anything), then every closing
 * of every client, then openings, grants of our roles among them. A login that loses something is disabled before and
 * enabled only by a later round that finds it clean and without a session: so a pass that dies in between leaves it
 * shut, and any agent can finish the work. */
#include <errno.h>

#include "access/difference.h"

/* An ended user's login that exists but does not look like ours: not touched, and not passed over in silence. */
static void strangers_name(struct builder *b)
{
	const char *last = "";

	for (size_t i = 0; i < b->w->n_grants; i++) {
		const struct grant *g = b->w->grants[i];
		if (names_equal(last, g->user->login) || wanted_find(b->w, g->user->login))
			continue;
		last = g->user->login;
		const struct observed_login *l = observed_find_login(b->o, g->user->login);
		if (l && !l->ours)
			obstacle_push(b, g->phase == PHASE_PENDING ? STATE_DRIFT : STATE_OVERDUE,
				l->name, NULL,
				"login [%s] exists on the server, was not made by Curfew and is left alone; nobody should "
				"have it now: a DBA has to look",
				l->name);
	}
}

static bool server_is_closed_to_us(struct builder *b)
{
	for (size_t i = 0; i < b->o->n_triggers; i++)
		if (!strings_contain(&b->w->server->known_triggers, b->o->triggers[i])) {
			obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
				"enabled server trigger [%s] would run as Curfew; review it, then name it in "
				"known_triggers",
				b->o->triggers[i]);
			return true;
		}
	return false;
}

static void rights_name(struct builder *b)
{
	for (size_t i = 0; i < b->o->n_missing_rights; i++)
		obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
			"the agent's login lacks %s: what it sees may be incomplete; see `curfew bootstrap %s`",
			b->o->missing_rights[i], b->w->server->name);
}

int difference_build(struct difference *out, const struct wanted_server *w,
	const struct observed_server *o, const struct claims *c, instant_t now)
{
	struct builder b = {.w = w, .o = o, .c = c, .now = now};
	_cleanup_free_ bool *roles_pending = calloc(o->n_databases + 1, sizeof(*roles_pending));

	if (!roles_pending)
		return -ENOMEM;
	rights_name(&b);
	if (!server_is_closed_to_us(&b)) {
		for (size_t i = 0; i < o->n_databases; i++)
			roles_pending[i] = roles_want(&b, &o->databases[i]);
		for (size_t i = 0; i < o->n_logins; i++)
			if (o->logins[i].ours && !wanted_find(w, o->logins[i].name))
				login_remove(&b, &o->logins[i]);
		for (size_t i = 0; i < w->n_logins; i++)
			login_want(&b, &w->logins[i], roles_pending);
		for (size_t i = 0; i < o->n_databases; i++) {
			orphans_remove(&b, &o->databases[i]);
			roles_police(&b, &o->databases[i]);
		}
		strangers_name(&b);
	}
	return builder_join(out, &b);
}
