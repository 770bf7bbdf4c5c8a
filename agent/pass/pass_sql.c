/* Handles the workers' records as they arrive. Logins go to the inventory and verifications to the journal; states of
 * grants decide about network access. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

static struct server_work *server_of(struct pass *p, const char *name)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (streq(p->servers[i].server->name, name))
			return &p->servers[i];
	return NULL;
}

static void login_gone(struct pass *p, const struct record *r)
{
	const struct identity *known = pass_identity(p, r->server, r->login);

	pass_former_login_gone(p, r->server, r->login);
	if (known && !known->removed && !pass_journal_begin(p) &&
		(ledger_remove(p->o.journal, known->server, known->login, p->o.now) ||
			pass_record_gone(p, r->server, r->login, NULL) ||
			(!pass_login_is_named(p, r->server, r->login) &&
				pass_prove_gone(p, known->server, known->login, NULL))))
		p->result.journal_failed = true;
}

static void login_shut_note(struct pass *p, const struct record *r)
{
	size_t n;
	const struct grant *const *grants = pass_grants_of(&n, p, r->server, r->login);

	for (size_t i = 0; i < n; i++)
		p->works[pass_grant_number(p, grants[i])].login_shut =
			r->identity.status != LOGIN_ENABLED;
}

static void login_take(struct pass *p, const struct record *r)
{
	const struct identity *known = pass_identity(p, r->server, r->login);
	const struct record_login *l = &r->identity;

	if (p->o.mode != PASS_APPLY)
		return;
	login_shut_note(p, r);
	if (l->status == LOGIN_GONE) {
		login_gone(p, r);
		return;
	}
	bool same = known && !known->removed && known->sid && known->sid_size == l->sid.size &&
		    !memcmp(known->sid, l->sid.bytes, l->sid.size);
	struct identity i = {.server = r->server,
		.login = r->login,
		.sid = l->sid.bytes,
		.sid_size = l->sid.size,
		.created = l->created};
	if (!same && !pass_journal_begin(p) && ledger_put(p->o.journal, &i))
		p->result.journal_failed = true;
}

static void state_count(struct pass *p, enum state s)
{
	switch (s) {
	case STATE_OK:
	case STATE_UNREACHABLE:
		break;
	case STATE_WAITING:
		p->result.waiting++;
		break;
	case STATE_DRIFT:
		p->result.drift++;
		break;
	case STATE_UNVERIFIED:
		p->result.unverified++;
		break;
	case STATE_UNREAD:
		p->result.unread++;
		break;
	case STATE_EXCESS:
		p->result.excess++;
		break;
	case STATE_OVERDUE:
		p->result.overdue++;
		break;
	}
}

/* Roles alone never allow network access, but they can show missing or excess access. */
static void catalog_take(struct pass *p, const struct grant *g, const struct grant_work *w)
{
	struct verified v = {.level = w->observed, .result = VERIFICATION_VERIFIED};

	bool gone = w->state == STATE_OK && g->level == LEVEL_NONE && w->observed == LEVEL_NONE;

	if (w->has_verified && w->verified.fingerprint[0] && !gone)
		return;
	if (w->told_admission == ADMIT_NOBODY)
		v.result = VERIFICATION_EXCESS;
	else if (w->observed != LEVEL_NONE)
		return;
	pass_verified_note(p, g, &v);
}

/* Access that cannot be read is overdue if its last verified level is above the scheduled level. */
static void grant_overdue(struct grant_work *w, const struct grant *g, struct record *told)
{
	if (!w->has_verified || w->verified.level <= g->level)
		return;
	w->state = STATE_OVERDUE;
	RECORD_PRINTF(told, detail, "was %s when last verified, should be %s; %s",
		level_name(w->verified.level), level_name(g->level),
		w->answered ? "cannot read the database" : "cannot reach the server");
}

/* `waiting` only for a database in which access was never granted. Otherwise an unread database is `unread`. */
static void grant_waits(struct grant_work *w, struct record *told)
{
	bool given = w->has_verified && w->verified.level != LEVEL_NONE;

	/* A secondary replica that was the primary before: access is where that is now. */
	if (w->state == STATE_WAITING && given && told->grant.secondary != ANSWER_YES) {
		w->state = STATE_UNREAD;
		RECORD_SET(told, detail,
			"the database cannot be read now, but existed before; the last verification counts");
	}
}

/* On a secondary replica an ended grant waits for the proof of its primary. */
static void grant_settle(
	struct grant_work *w, const struct pass *p, const struct grant *g, struct record *told)
{
	const char *where;

	if (told->grant.secondary != ANSWER_YES || g->level != LEVEL_NONE ||
		w->state != STATE_WAITING || !pass_replica_proves(&where, p, told))
		return;
	w->state = STATE_OK;
	RECORD_PRINTF(told, detail,
		"no login here, and on %s it is verified that no user is left in the database",
		where);
}

static void grant_take(struct pass *p, const struct record *r)
{
	struct record told = *r;
	const struct grant *g = pass_grant(p, r->server, r->login, r->database);

	if (!g) {
		pass_former_take(p, r);
		return;
	}
	struct grant_work *w = &p->works[pass_grant_number(p, g)];
	w->told = true;
	w->answered = r->state != STATE_UNREACHABLE;
	w->observed = r->grant.level;
	w->state = r->state;
	grant_settle(w, p, g, &told);
	w->readable = w->answered && r->state != STATE_UNREAD && r->state != STATE_UNVERIFIED &&
		      r->state != STATE_WAITING;
	w->told_admission = r->grant.admission;
	if (w->readable && g->level == LEVEL_NONE && w->state == STATE_OK &&
		r->grant.secondary != ANSWER_YES && r->grant.level == LEVEL_NONE)
		pass_replica_seen(p, g);
	grant_waits(w, &told);
	if (!w->answered || w->state == STATE_UNREAD)
		grant_overdue(w, g, &told);
	else if (w->state != STATE_WAITING && w->state != STATE_UNVERIFIED)
		catalog_take(p, g, w);
	if (w->state == STATE_OVERDUE && w->readable &&
		pass_is_in_force(p, r->server, r->login, r->database, w->observed))
		w->state = STATE_DRIFT;
	told.state = w->state;
	told.grant.admission = pass_admission(g, p);
	state_count(p, w->state);
	pass_tell(p, &told);
}

/* For the record of access. Without memory only this text is missing. */
static void shown_note(struct grant_work *w, const struct record *r)
{
	bool verified = r->verification.result == VERIFICATION_VERIFIED;

	free(w->shown);
	w->shown = verified || !*r->detail ? NULL : strdup(r->detail);
}

/* Only verifications made with changes are recorded. An audit changes nothing, not even the journal. */
static void proof_take(struct pass *p, struct record *r)
{
	const char *where;

	/* Only secondary replicas were not read. Their primary can verify the removal; until it does, report nothing. */
	if (r->state == STATE_WAITING) {
		if (!pass_replica_proves(&where, p, r))
			return;
		r->state = STATE_OK;
		r->verification.result = VERIFICATION_VERIFIED;
		RECORD_PRINTF(r, detail,
			"no login and no session; its databases are secondary replicas here, and were read on %s",
			where);
	}
	struct journal_entry e = pass_record_entry(p, r, JOURNAL_PROOF);

	const struct grant *g = pass_grant(p, r->server, r->login, r->database);

	p->result.not_verified += r->verification.result != VERIFICATION_VERIFIED;
	if (p->o.mode != PASS_APPLY)
		return;
	/* A database that was not read has no new result. */
	if (g && r->state != STATE_UNREAD) {
		struct verified v = {.level = r->verification.level,
			.result = r->verification.result,
			.sid = r->verification.sid};
		memcpy(v.fingerprint, r->verification.fingerprint, sizeof(v.fingerprint));
		pass_verified_note(p, g, &v);
		shown_note(&p->works[pass_grant_number(p, g)], r);
	}
	p->result.refuted += r->verification.result == VERIFICATION_EXCESS;
	e.outcome = verification_name(r->verification.result);
	e.level = level_name(r->verification.level);
	if (pass_journal_write(p, &e))
		p->result.journal_failed = true;
}

/* Of a server that does not answer, or whose worker died: a grant must not be missing from the results, and can be
 * overdue. */
static void grants_unreachable(struct pass *p, struct server_work *w, const struct record *why)
{
	struct record r = {.kind = RECORD_GRANT, .code = why->code, .state = STATE_UNREACHABLE};

	RECORD_SET(&r, server, why->server);
	RECORD_SET(&r, detail, why->detail);
	for (size_t i = 0; i < w->sql.wanted.n_grants; i++) {
		const struct grant *g = w->sql.wanted.grants[i];
		if (p->works[pass_grant_number(p, g)].told ||
			(p->o.client && !streq(p->o.client, g->client->name)))
			continue;
		RECORD_SET(&r, client, g->client->name);
		RECORD_SET(&r, login, g->user->login);
		RECORD_SET(&r, database, g->database->name);
		grant_take(p, &r);
	}
}

/* Reports everything that a dead worker did not report. */
static void unsaid_take(struct pass *p, struct server_work *w, const struct record *end)
{
	struct record r = {.kind = RECORD_SERVER, .code = end->code, .state = STATE_UNREACHABLE};

	if (end->code >= 0)
		return;
	RECORD_SET(&r, server, end->server);
	RECORD_SET(&r, detail, end->detail);
	if (!w->told)
		pass_tell(p, &r);
	grants_unreachable(p, w, end);
}

/* This server is finished. If its network decisions changed, update the packet filter now, without waiting for other
 * servers. */
static void server_ended(struct pass *p, struct server_work *w)
{
	bool changed = false;

	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];

		if (g->server != w->server)
			continue;
		enum admission before = p->works[i].before, now;
		p->works[i].seen = p->works[i].answered;
		now = pass_admission(g, p);
		/* A grant at level none allows nobody. It matters only if the login must be blocked. */
		changed |= now != before && (g->level != LEVEL_NONE || now == ADMIT_NOBODY ||
						    before == ADMIT_NOBODY);
	}
	/* After the last server the pass updates the network anyway. */
	if (changed && p->o.mode == PASS_APPLY && p->result.servers < p->n_servers)
		pass_network_step(p);
	else
		pass_journal_commit(p);
}

/* The worker's last record, or the one made in its place if the worker died. */
static void end_take(struct pass *p, struct server_work *w, const struct record *r)
{
	unsaid_take(p, w, r);
	pass_unfinished_take(p, w, r);
	p->result.servers++;
	/* The worker died without a report, so the state of its grants is unknown. */
	if (!w->reached || r->code < 0)
		p->result.unreachable++;
	if (r->end.round_trips > p->result.round_trips)
		p->result.round_trips = (size_t)r->end.round_trips;
	if (p->o.mode == PASS_APPLY && r->state != STATE_OK)
		p->result.failed += p->result.failed == 0;
	/* A later round succeeded, or the object was gone already, like a session that ended before its KILL. */
	else if (p->o.mode == PASS_APPLY && w->reached && !r->code)
		p->result.failed -= w->failed;
	server_ended(p, w);
}

/* A worker found a marked login although the journal is empty: records are missing. */
static void loss_take(struct pass *p, const struct record *r)
{
	pass_hold(p, "%s", r->detail);
	p->first_start = false;
	if (p->o.mode == PASS_APPLY &&
		(pass_journal_begin(p) || loss_put(p->o.journal, p->o.now, r->detail)))
		p->result.journal_failed = true;
}

int pass_record(void *pass, const struct record *r)
{
	struct pass *p = pass;
	struct server_work *w = server_of(p, r->server);
	struct record proof;

	if (!w)
		return -EINVAL;
	switch (r->kind) {
	case RECORD_PLAN:
		pass_plan_take(p, w, r);
		break;
	case RECORD_INTENT:
		return pass_intent_take(p, w, r);
	case RECORD_OUTCOME:
		pass_outcome_take(p, w, r);
		break;
	case RECORD_GRANT:
		grant_take(p, r);
		return 0;
	case RECORD_LOGIN:
		login_take(p, r);
		if (p->o.mode != PASS_STATUS)
			return 0;
		break;
	case RECORD_SERVER:
		w->told = true;
		w->reached = r->state != STATE_UNREACHABLE;
		pass_tell(p, r);
		if (!w->reached)
			grants_unreachable(p, w, r);
		return 0;
	case RECORD_END:
		end_take(p, w, r);
		break;
	case RECORD_BASELINE:
		if (pass_baseline_take(p, w, r))
			p->result.journal_failed = true;
		return 0;
	case RECORD_VERIFICATION:
		proof = *r;
		proof_take(p, &proof);
		pass_tell(p, &proof);
		return 0;
	case RECORD_FINDING:
		p->result.findings += r->finding.severity > FINDING_LOW;
		break;
	case RECORD_NOTE:
		if (r->code == RECORD_CODE_LOSS)
			loss_take(p, r);
		break;
	case RECORD_SESSION:
		break;
	case RECORD_CHECK:
		if (p->o.mode != PASS_PREFLIGHT)
			return -EINVAL;
		break;
	/* Workers do not report about the packet filter, and a pass takes no inventory. */
	case RECORD_ITEM:
	case RECORD_USE:
	case RECORD_REFERENCE:
	case RECORD_COVERAGE:
	case RECORD_SEEN:
	case RECORD_WATCH:
	case RECORD_TALLY:
	case RECORD_NETWORK_PLAN:
	case RECORD_NETWORK_OUTCOME:
		return -EINVAL;
	}
	pass_tell(p, r);
	return 0;
}
