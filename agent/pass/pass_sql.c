/* Handles the workers' records as they arrive. Verifications go to the journal; states of
 * grants decide about network access. */
#include <errno.h>
#include <string.h>

#include "pass/pass_again.h"
#include "pass/pass_internal.h"

static struct server_work *server_of(struct pass *p, const char *name)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (streq(p->servers[i].server->name, name))
			return &p->servers[i];
	return NULL;
}

static void state_count(struct pass_result *r, enum state s)
{
	r->waiting += s == STATE_WAITING;
	r->drift += s == STATE_DRIFT;
	r->unverified += s == STATE_UNVERIFIED;
	r->unread += s == STATE_UNREAD;
	r->excess += s == STATE_EXCESS;
	r->overdue += s == STATE_OVERDUE;
}

/* Roles alone never allow network access, but they can show missing or excess access. */
static void catalog_take(struct pass *p, const struct grant *g, const struct grant_work *w)
{
	struct verified v = {.level = w->observed, .result = VERIFICATION_VERIFIED};
	bool gone = w->state == STATE_OK && g->level == LEVEL_NONE && w->observed == LEVEL_NONE;

	if (w->verified && w->verified->fingerprint[0] && !gone)
		return;
	/* That no user is in its own database is less than what the proof looked for, in all databases. */
	if (gone && w->proof_told)
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
	if (!w->verified || w->verified->level <= g->level)
		return;
	char why[sizeof(told->detail)];
	memcpy(why, told->detail, sizeof(why));
	w->state = STATE_OVERDUE;
	RECORD_PRINTF(told, detail, "was %s when last verified, should be %s; %s",
		level_name(w->verified->level), level_name(g->level),
		!w->answered ? "cannot reach the server"
		: *why	     ? why
			     : "cannot read the database");
}

/* `waiting` only for a database in which access was never granted. Otherwise an unread database is `unread`. */
static void grant_waits(struct grant_work *w, struct record *told)
{
	bool given = w->verified && w->verified->level != LEVEL_NONE;

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

/* Access that was allowed when the pass began, is scheduled, and is shut because it could not be verified. */
static bool is_shut_early(const struct grant_work *w, const struct grant *g, const struct record *r,
	enum admission admission)
{
	bool doubtful = w->state == STATE_EXCESS || w->state == STATE_UNVERIFIED ||
			w->state == STATE_UNREAD;

	return doubtful && g->level != LEVEL_NONE && w->before == ADMIT &&
	       (admission != ADMIT || r->grant.admission == ADMIT_NOBODY);
}

/* The record is told on with what the pass makes of it. */
static void scheduled_take(struct pass *p, const struct grant *g, struct record *r)
{
	struct grant_work *w = &p->works[pass_grant_number(p, g)];

	w->told = true;
	w->answered = r->state != STATE_UNREACHABLE;
	w->observed = r->grant.level;
	w->state = r->state;
	w->secondary = w->state == STATE_WAITING && r->grant.secondary == ANSWER_YES;
	grant_settle(w, p, g, r);
	w->readable = w->answered && r->state != STATE_UNREAD && r->state != STATE_UNVERIFIED &&
		      r->state != STATE_WAITING;
	w->told_admission = r->grant.admission;
	if (w->readable && g->level == LEVEL_NONE && w->state == STATE_OK &&
		r->grant.secondary != ANSWER_YES && r->grant.level == LEVEL_NONE)
		pass_replica_seen(p, g);
	grant_waits(w, r);
	if (!w->answered || w->state == STATE_UNREAD)
		grant_overdue(w, g, r);
	else if (w->state != STATE_WAITING && w->state != STATE_UNVERIFIED)
		catalog_take(p, g, w);
	if (w->state == STATE_OVERDUE && w->readable &&
		pass_is_in_force(p, r->server, r->login, r->database, w->observed))
		w->state = STATE_DRIFT;
	const enum admission admission = pass_admission(g, p);
	r->state = w->state;
	r->grant.shut = is_shut_early(w, g, r, admission) ? ANSWER_YES : ANSWER_NO;
	r->grant.admission = admission;
	state_count(&p->result, w->state);
	pass_tell(p, r);
}

static void grant_take(struct pass *p, const struct record *r)
{
	const struct grant *g = pass_grant(p, r->server, r->login, r->database);
	struct record told;

	if (g) {
		told = *r;
		scheduled_take(p, g, &told);
	} else if (!pass_former_take(p, r) && pass_found_take(p, server_of(p, r->server), r)) {
		p->memory_failed = true;
	}
}

/* For the record of access. Without memory only this text is missing. */
static void shown_note(struct grant_work *w, const struct record *r)
{
	bool verified = r->verification.result == VERIFICATION_VERIFIED;

	free(w->shown);
	w->shown = verified || !*r->detail ? NULL : strdup(r->detail);
}

/* What cannot be verified is tried again at each pass. The journal has it once, and again when it has become something else. */
static bool proof_is_repeated(struct pass *p, const struct journal_entry *e)
{
	bool repeated = false;

	return !is_verified(e->outcome) && !pass_journal_begin(p) &&
	       !journal_proof_is_repeated(&repeated, p->o.journal, e) && repeated;
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
	/* A plan counts with the result, and does not record it. */
	if (p->o.mode != PASS_APPLY && p->o.mode != PASS_PLAN)
		return;
	/* A database that was not read has no new result. */
	if (g && r->state != STATE_UNREAD) {
		struct verified v = {.level = r->verification.level,
			.result = r->verification.result,
			.sid = r->verification.sid,
			.database_id = (int)r->verification.database_id};
		record_set(v.made, sizeof(v.made), r->verification.made);
		memcpy(v.fingerprint, r->verification.fingerprint, sizeof(v.fingerprint));
		pass_verified_note(p, g, &v);
		p->works[pass_grant_number(p, g)].proof_told = true;
		shown_note(&p->works[pass_grant_number(p, g)], r);
	}
	if (p->o.mode != PASS_APPLY)
		return;
	p->result.refuted += r->verification.result == VERIFICATION_EXCESS;
	e.outcome = verification_name(r->verification.result);
	e.level = level_name(r->verification.level);
	if (!proof_is_repeated(p, &e) && pass_journal_write(p, &e))
		p->result.journal_failed = true;
}

/* Of a server that does not answer, or whose worker died: each grant is in the results, and can be overdue. */
static void grants_unreachable(struct pass *p, struct server_work *w, const struct record *why)
{
	struct record r = {.kind = RECORD_GRANT, .code = why->code};

	RECORD_SET(&r, server, why->server);
	for (size_t i = 0; i < w->sql.wanted.n_grants; i++) {
		const struct grant *g = w->sql.wanted.grants[i];
		if (p->works[pass_grant_number(p, g)].told ||
			(p->o.client && !streq(p->o.client, g->client->name)))
			continue;
		/* The one before has left what it made of it. */
		r.state = STATE_UNREACHABLE;
		r.grant = (struct record_grant){0};
		memcpy(r.detail, why->detail, sizeof(r.detail));
		RECORD_SET(&r, client, g->client->name);
		RECORD_SET(&r, login, g->user->login);
		RECORD_SET(&r, database, g->database->name);
		scheduled_take(p, g, &r);
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

/* If the server's network decisions changed, update the packet filter now, without waiting for other servers. */
static void server_ended(struct pass *p, struct server_work *w)
{
	bool changed = false;

	for (size_t i = 0; i < w->sql.wanted.n_grants; i++) {
		const struct grant *g = w->sql.wanted.grants[i];
		struct grant_work *work = &p->works[pass_grant_number(p, g)];
		enum admission before = work->before, now;

		work->seen = work->answered;
		now = pass_admission(g, p);
		/* A grant at level none allows nobody. It matters only if the login must be blocked. */
		changed |= now != before && (g->level != LEVEL_NONE || now == ADMIT_NOBODY ||
						    before == ADMIT_NOBODY);
	}
	/* After the last server the pass updates the network anyway. */
	if (changed && p->o.mode == PASS_APPLY && p->result.servers < p->n_servers)
		pass_network_step(p);
	else {
		/* What left the files has ended when its server says so, and not when the slowest one has answered. */
		if (p->o.mode == PASS_APPLY && pass_formers_save(p))
			p->result.journal_failed = true;
		pass_journal_commit(p);
	}
}

/* The worker's last record, or the one made in its place if the worker died. */
static void end_take(struct pass *p, struct server_work *w, const struct record *r)
{
	unsaid_take(p, w, r);
	pass_unfinished_take(p, w, r);
	p->result.servers++;
	/* The worker died without a report, so the state of its grants is unknown. */
	p->result.unreachable += !w->reached || r->code < 0;
	if (r->end.round_trips > p->result.round_trips)
		p->result.round_trips = (size_t)r->end.round_trips;
	if (p->o.mode == PASS_APPLY && r->state != STATE_OK)
		p->result.failed += p->result.failed == 0;
	/* A later round succeeded, or the object was gone already, like a session that ended before its KILL. */
	else if (p->o.mode == PASS_APPLY && w->reached && !r->code)
		p->result.failed -= w->failed;
	server_ended(p, w);
}

/* A worker found a marked login although the journal is empty: records are missing. The pass's end says so, once. */
static void loss_take(struct pass *p, const struct record *r)
{
	pass_hold(p, "%s", r->detail);
	p->first_start = false;
	if (p->o.mode == PASS_APPLY &&
		(pass_journal_begin(p) ||
			loss_put(p->o.journal, p->o.now, LOSS_SINCE_UNKNOWN, r->detail)))
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
		pass_login_take(p, r);
		if (p->o.mode != PASS_STATUS && p->o.mode != PASS_AUDIT)
			return 0;
		break;
	case RECORD_SERVER:
		w->told = true;
		w->reached = r->state != STATE_UNREACHABLE;
		pass_tell(p, r);
		if (!w->reached)
			grants_unreachable(p, w, r);
		return 0;
	case RECORD_ENTRY:
		pass_entry_take(w, r);
		return 0;
	case RECORD_END:
		if (pass_goes_again(p, w, r))
			return WORKERS_AGAIN;
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
		w->unended |= r->state == STATE_UNREAD;
		if (r->code != RECORD_CODE_LOSS)
			break;
		loss_take(p, r);
		return 0;
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
