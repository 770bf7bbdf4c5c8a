/* Compares scheduled with observed access on one server and returns the changes. Safety depends on their order: first
 * every removal of every client; then managed roles and their DENYs, which grant nothing; then everything that grants
 * (change_order.c). A login that loses something, or that gets something in addition, is disabled first. Only a later
 * round enables it, once its permissions match and it has no session. If a pass dies in between, the login stays
 * disabled, and any agent can finish the work. */
#include <errno.h>
#include <string.h>

#include "access/difference.h"
#include "curfew/unclaimed.h"

/* Logins of ended users that exist but are not managed: not changed, but reported. */
static void unknown_logins_report(struct builder *b)
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
				"login [%s] exists but is not managed by Curfew, and its user should have no access; a DBA "
				"must review it",
				l->name);
	}
}

/* Marked logins that neither the configuration nor the journal names: another agent's, or left by lost records. */
static void unclaimed_name(struct builder *b)
{
	for (size_t i = 0; i < b->o->n_logins; i++) {
		const struct observed_login *l = &b->o->logins[i];
		if (l->marked && !l->ours && l->type == 'S')
			obstacle_push(b, STATE_OK, l->name, NULL,
				"login [%s] " LOGIN_UNCLAIMED
				", so Curfew does not change it; if this agent manages it, run `curfew adopt %s %s --reason TEXT`",
				l->name, b->w->server->name, l->name);
	}
}

/* On a first start, every claim of a login is of this pass. */
static bool login_is_claimed(const struct builder *b, const struct observed_login *l)
{
	for (size_t i = 0; i < b->c->n; i++)
		if (streq(b->c->items[i].server, b->w->server->name) &&
			names_equal(b->c->items[i].login, l->name))
			return true;
	return false;
}

/* On a first start no login can be marked yet. If one is, the journal's records are missing. Returns whether they are. */
static bool missing_records_report(struct builder *b)
{
	for (size_t i = 0; b->w->first_start && i < b->o->n_logins; i++)
		if (b->o->logins[i].marked && b->o->logins[i].type == 'S' &&
			!login_is_claimed(b, &b->o->logins[i])) {
			obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
				"login [%s] on %s is a member of curfew_logins, but the journal is empty: its records are "
				"missing, or another agent serves this server; " LOSS_FIX,
				b->o->logins[i].name, b->w->server->name);
			if (b->n_obstacles)
				b->obstacles[b->n_obstacles - 1].records_missing = true;
			return true;
		}
	return false;
}

/* Returns whether a change here may run a trigger that is not reviewed. */
static bool server_triggers_report(struct builder *b)
{
	char entry[TRIGGER_ENTRY_MAX];

	if (b->o->triggers_unknown)
		obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
			"the server's triggers cannot be read, and one would run with Curfew's permissions, so Curfew only "
			"disables logins and ends sessions here");
	for (size_t i = 0; i < b->o->n_triggers; i++) {
		const struct observed_trigger *t = &b->o->triggers[i];
		const char *why = server_trigger_refused(&b->w->server->known_triggers, t);
		if (!why)
			continue;
		trigger_entry(entry, t);
		obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
			"enabled server trigger [%s] would run with Curfew's permissions and %s, so Curfew only disables "
			"logins and ends sessions here; review the trigger, then disable it%s%s%s",
			t->name, why, t->reaches || !t->digest[0] ? "" : " or add \"",
			t->reaches || !t->digest[0] ? "" : entry,
			t->reaches || !t->digest[0] ? "" : "\" to known_triggers");
		return true;
	}
	return b->o->triggers_unknown;
}

static void missing_rights_report(struct builder *b)
{
	for (size_t i = 0; i < b->o->n_missing_rights; i++)
		obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
			"the agent login lacks %s, so results may be incomplete; a DBA must run `GRANT %s TO [%s];` in "
			"master, or the output of `curfew bootstrap %s` again",
			b->o->missing_rights[i], b->o->missing_rights[i], b->w->server->login,
			b->w->server->name);
}

/* Whoever is hidden has no row to change: the network stays shut until the login is seen again. */
static void unseen_report(struct builder *b)
{
	for (size_t i = 0; i < b->o->n_unseen; i++) {
		const struct observed_unseen *u = &b->o->unseen[i];
		obstacle_push(b, STATE_UNVERIFIED, NULL, NULL,
			"%s; no access is granted on this server until a DBA has undone that%s%s%s",
			u->text, *u->fix ? ": `" : "", u->fix, *u->fix ? "`" : "");
		if (!u->login || !wanted_find(b->w, u->login))
			continue;
		obstacle_push(b, STATE_UNVERIFIED, u->login, NULL,
			"login [%s] is hidden from Curfew, so it is disabled if the server allows it, its sessions are "
			"ended, and its network access is blocked",
			u->login);
		if (b->n_obstacles)
			b->obstacles[b->n_obstacles - 1].shuts = true;
	}
}

/* Changes to which no database's DDL trigger applies. */
static bool change_is_of_server(const struct change *c)
{
	return c->kind == CHANGE_LOGIN_DISABLE || c->kind == CHANGE_SESSION_KILL;
}

int difference_build(struct difference *out, const struct wanted_server *w,
	const struct observed_server *o, const struct claims *c, instant_t now)
{
	_cleanup_free_ bool *roles_pending = calloc(o->n_databases + 1, sizeof(*roles_pending));
	_cleanup_free_ bool *doomed = calloc(o->n_sessions + 1, sizeof(*doomed));
	_cleanup_free_ struct database_index *indexes =
		calloc(o->n_databases + 1, sizeof(*indexes));
	struct builder b = {
		.w = w, .o = o, .c = c, .now = now, .indexes = indexes, .doomed = doomed};

	if (!roles_pending || !doomed || !indexes || !builder_sids_build(&b)) {
		builder_sids_free(&b);
		return -ENOMEM;
	}
	missing_rights_report(&b);
	unseen_report(&b);
	unclaimed_name(&b);
	for (size_t i = 0; i < o->n_databases; i++)
		roles_pending[i] = roles_want(&b, &o->databases[i]);
	for (size_t i = 0; i < o->n_logins; i++)
		if (o->logins[i].ours && !wanted_find(w, o->logins[i].name))
			login_remove(&b, &o->logins[i]);
	for (size_t i = 0; i < w->n_logins; i++)
		login_changes_add(&b, &w->logins[i], roles_pending);
	for (size_t i = 0; i < o->n_databases; i++) {
		orphans_remove(&b, &o->databases[i]);
		roles_police(&b, &o->databases[i]);
	}
	unknown_logins_report(&b);
	waivers_name(&b);
	bool missing = missing_records_report(&b);
	/* Where the catalog is incomplete, or records are missing, remove access but do not grant any. */
	if (w->hold || missing || observed_is_partial(o))
		builder_drop(&b, &b.openings, NULL);
	if (server_triggers_report(&b) && !w->looked_at) {
		builder_drop(&b, &b.prepare, NULL);
		builder_drop(&b, &b.closings, change_is_of_server);
		builder_drop(&b, &b.openings, NULL);
	}
	for (size_t i = 0; i < o->n_databases; i++)
		database_index_free(&indexes[i]);
	builder_sids_free(&b);
	return builder_join(out, &b);
}
