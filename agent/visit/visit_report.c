/* Reports of a pass on its server: states of grants, logins for the inventory, sessions, obstacles. */
#include <string.h>

#include "curfew/allowlist.h"
#include "proof/residual.h"
#include "visit/visit.h"

void tell_server(const struct visit_run *run, enum state state, const char *detail)
{
	struct record r;

	record_of(&r, run->visit, RECORD_SERVER, NULL, NULL, NULL);
	r.state = state;
	r.about.round_trips = run->session ? sql_session_round_trips(run->session) : 0;
	RECORD_SET(&r, about.version, run->observed.version ? run->observed.version : "");
	RECORD_SET(&r, detail, detail);
	worker_tell(run->worker, &r);
}

static void tell_unreadable(const struct visit_run *run, const struct observed_unreadable *u)
{
	const struct observed_database *d =
		u->database ? observed_find_database(&run->observed, u->database) : NULL;
	const char *only = run->visit->only_client;
	struct record r;

	if (only && d && database_is_anothers(d, program_client(run->visit->program, only)))
		return;
	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, u->database);
	r.state = STATE_UNVERIFIED;
	RECORD_PRINTF(&r, detail, "the server does not return %s", u->text);
	worker_tell(run->worker, &r);
}

/* What the bootstrap of an earlier version has not made. It does not make the observed access doubtful. */
static void tell_missing(const struct visit_run *run, const char *what)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, NULL);
	r.state = STATE_UNVERIFIED;
	RECORD_PRINTF(&r, detail, "%s; run the output of `curfew bootstrap %s` again", what,
		run->visit->server->name);
	worker_tell(run->worker, &r);
}

void tell_obstacles(const struct visit_run *run)
{
	if (run->observed.lock_is_open)
		tell_missing(run,
			"role " LOCK_ROLE
			" is missing in master, or the agent login is not a member, so any login can "
			"hold Curfew's lock and delay what grants access");
	if (observed_has_user_login(&run->observed) && !observed_user_login_is_fit(&run->observed))
		tell_missing(run,
			"login " USER_LOGIN
			" is enabled, is in a server role, has another permission, or is somebody else's, so nobody gets a user in a "
			"database until a DBA has put that right");
	if (!observed_has_user_login(&run->observed) && !run->visit->server->evidence_catalog)
		tell_missing(run,
			"login " USER_LOGIN
			" is missing, so the agent login itself gives logins their users, and a DDL trigger that a client's user "
			"creates at that moment runs with what the agent login may do");
	for (size_t i = 0; i < run->observed.n_unreadable; i++)
		tell_unreadable(run, &run->observed.unreadable[i]);
	for (size_t i = 0; i < run->difference.n_obstacles; i++) {
		const struct obstacle *o = &run->difference.obstacles[i];
		const struct wanted_login *l =
			o->login ? wanted_find(&run->visit->wanted, o->login) : NULL;
		struct record r;
		if (l && !pass_is_for(run->visit, l->client))
			continue;
		record_of(&r, run->visit, RECORD_NOTE, l ? l->client : NULL, o->login, o->database);
		r.state = o->state;
		r.code = o->records_missing ? RECORD_CODE_LOSS : 0;
		RECORD_SET(&r, detail, o->text);
		worker_tell(run->worker, &r);
	}
}

static const struct obstacle *grant_obstacle(const struct visit_run *run, const struct grant *g)
{
	const struct obstacle *worst = NULL;

	for (size_t i = 0; i < run->difference.n_obstacles; i++) {
		const struct obstacle *o = &run->difference.obstacles[i];
		if ((o->login && !names_equal(o->login, g->user->login)) ||
			(o->database && !names_equal(o->database, g->database->name)))
			continue;
		if (!worst || o->state > worst->state)
			worst = o;
	}
	return worst;
}

static bool grant_is_shut(const struct visit_run *run, const struct grant *g)
{
	for (size_t i = 0; i < run->difference.n_obstacles; i++) {
		const struct obstacle *o = &run->difference.obstacles[i];
		if (o->shuts && names_equal(o->login, g->user->login) &&
			(!o->database || names_equal(o->database, g->database->name)))
			return true;
	}
	return false;
}

static bool login_has_session(const struct visit_run *run, const char *login)
{
	const struct observed_login *l = observed_find_login(&run->observed, login);

	for (size_t i = 0; i < run->observed.n_sessions; i++)
		if (observed_session_may_be_of(
			    &run->observed.sessions[i], login, l ? &l->sid : NULL))
			return true;
	return false;
}

/* A planned change that concerns this grant. Changes of the database's roles count too. */
static const struct change *grant_change(const struct visit_run *run, const struct grant *g)
{
	for (size_t i = 0; i < run->difference.n_changes; i++) {
		const struct change *c = &run->difference.changes[i];
		bool its_login = c->login && names_equal(c->login, g->user->login);
		bool its_database = !c->database || names_equal(c->database, g->database->name);
		if (its_database && (its_login || (!c->login && g->level != LEVEL_NONE)))
			return c;
	}
	return NULL;
}

static enum state ended_state(const struct grant *g)
{
	return g->phase == PHASE_PENDING || g->next_level != LEVEL_NONE ? STATE_DRIFT
									: STATE_OVERDUE;
}

/* A secondary replica that cannot be read: what is in the database is read where its primary is. */
static bool replica_hides(const struct visit_run *run, const struct observed_database *d)
{
	return run->visit->wanted.replicated && d && d->secondary && !d->read && !d->absent;
}

/* No access is scheduled, so nothing of the login may exist. */
static enum state state_of_none(const struct visit_run *run, const struct grant *g,
	const struct observed_login *l, const struct observed_database *d, enum level level,
	struct record *r)
{
	if (!wanted_find(&run->visit->wanted, g->user->login) && l && l->ours) {
		bool renamed = !names_equal(l->name, g->user->login);
		RECORD_PRINTF(r, detail, "the login still exists%s%.128s%s%s",
			renamed ? ", renamed to [" : "", renamed ? l->name : "", renamed ? "]" : "",
			login_has_session(run, l->name) ? " and has an open session" : "");
		return ended_state(g);
	}
	if (d && l && l->ours && observed_user_of(d, l)) {
		RECORD_PRINTF(r, detail, "the database user still exists, with access level %s",
			level_name(level));
		return ended_state(g);
	}
	const char *hidden = observed_user_hidden(&run->observed, d, l, g->user->login);
	if (hidden && (l || g->phase != PHASE_PENDING)) {
		RECORD_PRINTF(r, detail, "whether a user is left there cannot be seen: %s", hidden);
		return STATE_UNVERIFIED;
	}
	if (replica_hides(run, d)) {
		RECORD_SET(r, detail,
			"a secondary replica that cannot be read: whether a user is left there is verified where the primary is");
		return STATE_WAITING;
	}
	/* An unread database is not an absent one: a former user may still exist there. */
	if (d && !d->absent && !d->read && (l || g->phase != PHASE_PENDING)) {
		RECORD_PRINTF(r, detail, "cannot read the database: %s",
			d->unread ? d->unread : "unknown why");
		return STATE_UNREAD;
	}
	return STATE_OK;
}

/* Why, or a person cannot tell what to do about it. */
static enum state state_of_unread(
	const struct visit_run *run, const struct observed_database *d, struct record *r)
{
	if (replica_hides(run, d))
		return STATE_WAITING;
	if (d->unread)
		RECORD_PRINTF(r, detail, "cannot read the database: %s", d->unread);
	return STATE_UNREAD;
}

static enum state state_of_level(const struct visit_run *run, const struct grant *g,
	const struct observed_login *l, enum level level, bool exact, struct record *r)
{
	const struct observed_database *elsewhere =
		l && l->disabled ? user_elsewhere(&run->observed, &run->difference, l) : NULL;

	if (level > g->level || (!exact && level > LEVEL_NONE)) {
		RECORD_PRINTF(r, detail, "has access level %s%s; should be %s", level_name(level),
			exact ? "" : " and other permissions", level_name(g->level));
		return g->phase == PHASE_LIVE ? STATE_OVERDUE : STATE_DRIFT;
	}
	if (level < g->level)
		RECORD_PRINTF(r, detail, "has access level %s; should be %s", level_name(level),
			level_name(g->level));
	else if (elsewhere)
		user_elsewhere_words(r->detail, sizeof(r->detail), &run->visit->wanted,
			&run->observed, elsewhere, g->user->login);
	else if (!l || l->disabled)
		RECORD_SET(r, detail,
			"the login is disabled until its permissions match the schedule");
	else
		return STATE_OK;
	return STATE_DRIFT;
}

/* The person who must end it needs to know which permission it is, and how the login has it. */
static void surplus_append(struct record *r, const struct visit_run *run, const struct grant *g)
{
	char detail[sizeof(r->detail)], rights[RECORD_TEXT_MAX];

	surplus_name(rights, sizeof(rights), run, g->user->login, g->database->name);
	if (!*rights)
		return;
	memcpy(detail, r->detail, sizeof(detail));
	RECORD_PRINTF(r, detail, "%s%sholds %s", detail, *detail ? "; " : "", rights);
}

/* Without all of its permissions the agent may not see a login that is there. */
static bool logins_are_seen(const struct visit_run *run)
{
	return !observed_is_partial(&run->observed);
}

static void tell_grant(const struct visit_run *run, const struct grant *g)
{
	const struct observed_server *o = &run->observed;
	const struct observed_login *l =
		observed_find_claimed(o, &run->claims, g->server->name, g->user->login);
	const struct observed_database *d = observed_find_database(o, g->database->name);
	const struct obstacle *obstacle = grant_obstacle(run, g);
	const struct change *change = grant_change(run, g);
	bool exact = true;
	struct record r;

	record_of(&r, run->visit, RECORD_GRANT, g->client->name, g->user->login, g->database->name);
	enum level level = d && l && l->ours ? observed_level(&exact, o, d, l, run->visit->server)
					     : LEVEL_NONE;
	r.grant.level = level;
	if (g->level == LEVEL_NONE)
		r.state = state_of_none(run, g, l, d, level, &r);
	else if (!d || d->absent)
		r.state = STATE_WAITING;
	else if (!d->read)
		r.state = state_of_unread(run, d, &r);
	else
		r.state = state_of_level(run, g, l && l->ours ? l : NULL, level, exact, &r);
	/* The network may be open only for a login that has its level, and more than that nowhere. */
	bool wider = g->level == LEVEL_NONE
			     ? r.state != STATE_OK && r.state != STATE_UNVERIFIED &&
				       r.state != STATE_WAITING && r.state != STATE_UNREAD
			     : level > g->level || !exact;
	r.grant.admission = wider || grant_is_shut(run, g) ? ADMIT_NOBODY
			    : r.state == STATE_OK	   ? ADMIT
							   : ADMIT_NOT_YET;
	if (r.state == STATE_OK && change) {
		r.state = STATE_DRIFT;
		RECORD_PRINTF(&r, detail, "not done yet: %s", change_plain(change->kind));
	}
	if (obstacle && (obstacle->state > r.state || r.state == STATE_WAITING)) {
		r.state = obstacle->state;
		RECORD_SET(&r, detail, obstacle->text);
	}
	const struct login_of_client who = {g->client, g->user->login};
	if (r.state == STATE_OK &&
		((d && d->read && !d->permissions_visible) ||
			unreadable_for(o, &run->visit->wanted, &run->claims, &who))) {
		r.state = STATE_UNVERIFIED;
		RECORD_SET(
			&r, detail, "no difference found, but the server did not show everything");
	}
	/* A database that cannot be read shows nothing, also past an end; nor does a login that is hidden. */
	bool seen = d ? d->absent || d->read : r.state == STATE_OK || r.state == STATE_WAITING;
	seen = seen && !observed_user_hidden(o, d, l, g->user->login);
	r.grant.seen = seen && (l || logins_are_seen(run)) ? ANSWER_YES : ANSWER_NO;
	r.grant.secondary = replica_hides(run, d) ? ANSWER_YES : ANSWER_NO;
	verdict_apply(&r, run, g);
	if (wider || r.state == STATE_DRIFT || r.state == STATE_EXCESS || r.state == STATE_OVERDUE)
		surplus_append(&r, run, g);
	worker_tell(run->worker, &r);
}

void tell_grants(const struct visit_run *run)
{
	for (size_t i = 0; i < run->visit->wanted.n_grants; i++)
		if (pass_is_for(run->visit, run->visit->wanted.grants[i]->client->name))
			tell_grant(run, run->visit->wanted.grants[i]);
}

static enum answer answer_of(int condition)
{
	return condition < 0 ? ANSWER_UNKNOWN : condition ? ANSWER_YES : ANSWER_NO;
}

void tell_logins(const struct visit_run *run)
{
	const struct sql_visit *p = run->visit;
	struct record r;

	for (size_t i = 0; i < run->observed.n_logins; i++) {
		const struct observed_login *l = &run->observed.logins[i];
		const char *former = observed_former_name(l, &run->claims, p->server->name);
		if (!l->ours)
			continue;
		/* The inventory keeps a renamed login under the name that Curfew gave it. */
		record_of(&r, p, RECORD_LOGIN, NULL, former ? former : l->name, NULL);
		r.identity = (struct record_login){
			.status = l->disabled ? LOGIN_DISABLED : LOGIN_ENABLED,
			.locked = answer_of(l->locked),
			.expired = answer_of(l->expired),
			.must_change = answer_of(l->must_change),
			.created = instant_within(l->created),
			.sid = l->sid};
		worker_tell(run->worker, &r);
	}
	/* A login that the agent may not see is not gone. */
	if (!logins_are_seen(run))
		return;
	for (size_t i = 0; i < p->claims.n; i++) {
		const struct claim *c = &p->claims.items[i];
		if (!streq(c->server, p->server->name) ||
			observed_find_claimed(&run->observed, &p->claims, c->server, c->login))
			continue;
		record_of(&r, p, RECORD_LOGIN, NULL, c->login, NULL);
		r.identity.status = LOGIN_GONE;
		worker_tell(run->worker, &r);
	}
}

/* What somebody must know before this session is ended: an open transaction is rolled back then. */
static void session_detail_set(struct record *r, const struct observed_session *s)
{
	bool acts = !names_equal(s->login, s->acting);
	char transactions[64] = "";

	if (s->transactions)
		snprintf(transactions, sizeof(transactions), "%s%u open transaction%s",
			acts ? "; " : "", s->transactions, s->transactions == 1 ? "" : "s");
	if (s->ending)
		RECORD_PRINTF(r, detail, "ending: %u %% rolled back", s->percent);
	else if (acts || s->transactions)
		RECORD_PRINTF(r, detail, "%s%s%s", acts ? "acts as " : "", acts ? s->acting : "",
			transactions);
}

void tell_sessions(const struct visit_run *run)
{
	for (size_t i = 0; i < run->observed.n_sessions; i++) {
		const struct observed_session *s = &run->observed.sessions[i];
		const struct observed_login *l = observed_find_login(&run->observed, s->login);
		const struct wanted_login *w = wanted_find(&run->visit->wanted, s->login);
		struct record r;
		if ((!w && (!l || !l->ours)) || (w && !pass_is_for(run->visit, w->client)))
			continue;
		record_of(&r, run->visit, RECORD_SESSION, w ? w->client : NULL, s->login, NULL);
		r.session.number = s->key.id;
		if (s->age < (uint64_t)run->visit->now)
			r.session.since = run->visit->now - (instant_t)s->age;
		RECORD_SET(&r, session.address, s->address);
		RECORD_SET(&r, session.program, s->program);
		session_detail_set(&r, s);
		worker_tell(run->worker, &r);
	}
}
