/* The two network steps of a pass, and its end: removals before anything is waited for, additions after SQL. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "curfew/calendar.h"
#include "curfew/comment.h"
#include "curfew/text.h"
#include "pass/pass_internal.h"

/* Step 1 runs before SQL is contacted. Block logins whose last verified level is above the scheduled level. Do not
 * block grants that are still being created. */
static enum admission grant_admission_before(const struct grant *g, void *context)
{
	enum admission a = pass_admission(g, context);

	return a == ADMIT_NOT_YET ? ADMIT : a;
}

static void change_tell(struct pass *p, const struct firewall_change *c, enum record_kind kind,
	int rc, const char *why)
{
	struct record r = {.kind = kind, .code = rc, .state = rc ? STATE_DRIFT : STATE_OK};

	r.network = (struct record_network){
		.kind = c->kind, .source = c->source, .endpoint = c->endpoint, .until = c->until};
	RECORD_SET(&r, server, PASS_NETWORK);
	RECORD_SET(&r, network.names, c->comment);
	RECORD_SET(&r, detail, why);
	pass_tell(p, &r);
}

/* All but what the firewall process's own versions of files with errors do not confirm is as it was sent. */
static void unconfirmed_note(struct pass *p)
{
	struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED, .server = PASS_NETWORK};
	RECORD_SET(&r, detail,
		"an address was not allowed: the firewall process has no good version of its client's file that says "
		"so; fix the file with errors, then reload");
	pass_tell(p, &r);
	p->result.unverified++;
}

static void network_note(struct pass *p, const char *what, int rc)
{
	struct record r = {
		.kind = RECORD_NOTE, .code = rc, .state = STATE_OVERDUE, .server = PASS_NETWORK};

	RECORD_PRINTF(&r, detail, "%s: %s", what,
		rc < 0 ? strerror(-rc) : "the kernel's table differs from what was sent");
	pass_tell(p, &r);
	p->result.network_failed = true;
}

static bool change_concerns(const struct firewall_change *c, const struct grant *g)
{
	bool source = false, endpoint = false;

	for (size_t i = 0; i < g->user->n_sources && !source; i++)
		source = !source_compare(&g->user->sources[i], &c->source);
	for (size_t i = 0; i < g->server->n_endpoints && !endpoint; i++)
		endpoint = !endpoint_compare(&g->server->endpoints[i], &c->endpoint);
	return source && endpoint && g->phase != PHASE_PENDING &&
	       (g->level != LEVEL_NONE || c->kind == FIREWALL_ALLOW_REMOVE);
}

/* The full text of a cut comment: its complete names, and the other users of the entry by the schedule. NULL without
 * memory. */
static char *names_text(const struct pass *p, const struct firewall_change *c)
{
	char whole[ALLOW_COMMENT_MAX + 1];
	struct text text;
	size_t n = 0;

	if (!text_begin(&text))
		return NULL;
	for (const char *at = c->comment; (at = strstr(at, ", ")); at++)
		n = (size_t)(at - c->comment);
	snprintf(whole, sizeof(whole), "%.*s", (int)n, c->comment);
	fputs(whole, text.to);
	const struct user *last = NULL;
	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];
		if (g->user == last || !change_concerns(c, g) ||
			comment_names(whole, g->client->name, g->user->login))
			continue;
		fprintf(text.to, "%s%s/%s", n++ ? ", " : "", g->client->name, g->user->login);
		last = g->user;
	}
	return text_end(&text);
}

static int change_journal(
	struct pass *p, struct journal_entry *e, const struct firewall_change *c, int64_t *id)
{
	_cleanup_free_ char *full = comment_is_cut(c->comment) ? names_text(p, c) : NULL;
	_cleanup_free_ char *client = NULL, *login = NULL;
	const char *names = full ? full : c->comment;
	char text[NETWORK_TEXT_MAX];
	int rc = comment_only(&client, &login, names);

	if (rc)
		return rc;
	e->server = PASS_NETWORK;
	e->action = firewall_change_name(c->kind);
	e->statement = network_text(text, c->kind, &c->source, &c->endpoint);
	e->client = client;
	e->login = login;
	if (!e->detail && *names)
		e->detail = names;
	e->until = c->until;
	return id ? journal_write(id, p->o.journal, e) : pass_journal_write(p, e);
}

/* Sets ids[i] to the record of each intent that was written. */
static int intents_journal(struct pass *p, const struct firewall_changes *c, int64_t *ids)
{
	int error = c->n ? pass_journal_begin(p) : 0;

	for (size_t i = 0; i < c->n && !error; i++) {
		struct journal_entry e = pass_entry(p, JOURNAL_INTENT);
		e.reason = p->o.reason;
		error = change_journal(p, &e, &c->items[i], &ids[i]);
	}
	return error;
}

static int outcome_journal(struct pass *p, const struct firewall_change *c, int64_t intent,
	const char *outcome, const char *detail)
{
	struct journal_entry e = pass_entry(p, JOURNAL_OUTCOME);

	e.intent = intent;
	e.outcome = outcome;
	e.detail = detail;
	return change_journal(p, &e, c, NULL);
}

/* Writes the outcome of every intent. A change that was needed because another program changed the table has no intent.
 * */
static void outcomes_journal(struct pass *p, const struct firewall_changes *planned, int64_t *ids,
	const struct firewall_changes *done, int rc)
{
	int error = 0;

	for (size_t i = 0; i < done->n; i++) {
		const struct firewall_change *c = &done->items[i], *intent = NULL;
		int64_t *id = NULL;

		if (planned->n)
			intent = bsearch(c, planned->items, planned->n, sizeof(*planned->items),
				firewall_change_compare);
		if (intent)
			id = &ids[intent - planned->items];
		bool made = !rc || rc == FIREWALL_UNCONFIRMED;
		int failed = outcome_journal(p, c, id ? *id : 0, made ? "done" : "failed", NULL);
		error = error ? error : failed;
		if (id)
			*id = 0;
	}
	const char *why = rc == -ECANCELED ? "skipped: the schedule changed during the pass"
			  : rc == FIREWALL_UNCONFIRMED ? "the firewall process cannot confirm it"
			  : rc			       ? "cannot change the packet filter"
						       : "nothing left to change";
	for (size_t i = 0; i < planned->n && !error; i++)
		if (ids[i])
			error = outcome_journal(
				p, &planned->items[i], ids[i], rc ? "failed" : "done", why);
}

/* The kernel counts a timeout from the moment it receives it, so subtract the time that SQL took. */
static instant_t network_now(const struct pass *p)
{
	return p->o.now + (monotonic_ms() - p->zero_ms) / 1000;
}

/* The changes that the next commit would make. */
static int changes_preview(
	struct firewall_changes *out, struct pass *p, const struct allowlist *wanted)
{
	struct firewall_state state;
	int rc = p->o.network->observe(&state, p->o.network->context, network_now(p));

	if (rc)
		return rc;
	/* Compare both sides at the start of this second. Else the time that a large list takes would make timeouts
	 * seem late, and the rest of the second would make them seem early. */
	instant_t now = network_now(p);
	firewall_state_age(&state, p->zero_ms + (now - p->o.now) * 1000);
	rc = firewall_diff(out, wanted, &state, now);
	firewall_state_free(&state);
	return rc;
}

/* Removals continue if the intent cannot be recorded, and are reported. Additions do not. */
static int commit_recorded(struct pass *p, const struct allowlist *wanted,
	const struct firewall_changes *planned, bool closings_only)
{
	struct firewall_changes done = {0};
	_cleanup_free_ int64_t *ids = calloc(planned->n + 1, sizeof(*ids));
	int rc = ids ? intents_journal(p, planned, ids) : -ENOMEM;

	if (!rc)
		rc = pass_journal_commit(p);
	if (rc && planned->n) {
		p->result.journal_failed = true;
		closings_only = true;
		/* Forget the announced changes; what is made all the same gets its own record. */
		for (size_t i = 0; ids && i < planned->n; i++)
			ids[i] = 0;
	}
	rc = p->o.network->apply(
		&done, p->o.network->context, wanted, network_now(p), closings_only);
	int left = rc; /* what became of the changes that were not made */
	if (rc == FIREWALL_UNCONFIRMED) {
		unconfirmed_note(p);
		rc = 0;
	}
	if (rc && rc != -ECANCELED)
		network_note(p, "changing the packet filter", rc);
	if (rc >= 0) {
		if (pass_removed_note(p, &done))
			p->result.journal_failed = true;
		for (size_t i = 0; i < done.n; i++)
			change_tell(p, &done.items[i], RECORD_NETWORK_OUTCOME, rc, "");
		p->result.planned += done.n;
		p->result.done += done.n;
	}
	if (ids)
		outcomes_journal(p, planned, ids, &done, left);
	pass_journal_commit(p);
	firewall_changes_free(&done);
	return rc;
}

static int network_commit(struct pass *p, const struct allowlist *wanted, bool closings_only)
{
	struct firewall_changes planned = {0};
	int rc = changes_preview(&planned, p, wanted);

	if (rc < 0) {
		network_note(p, "reading the packet filter", rc);
		return rc;
	}
	size_t kept = 0;
	for (size_t i = 0; i < planned.n; i++)
		if (!closings_only || !firewall_change_opens(planned.items[i].kind))
			planned.items[kept++] = planned.items[i];
	planned.n = kept;
	rc = commit_recorded(p, wanted, &planned, closings_only);
	firewall_changes_free(&planned);
	return rc;
}

int pass_close_network(struct pass *p)
{
	struct allowlist wanted;
	int rc;

	if (!p->o.network)
		return 0;
	rc = allowlist_build(
		&wanted, p->o.program, &p->grants, p->o.now, grant_admission_before, p);
	if (rc)
		return rc;
	rc = pass_guards_keep(&wanted, p);
	/* A process that locks the journal must not keep access open. */
	int patience = journal_patience(p->o.journal, CLOSING_PATIENCE);
	if (!rc)
		rc = network_commit(p, &wanted, true);
	journal_patience(p->o.journal, patience);
	allowlist_free(&wanted);
	return rc;
}

static int network_plan(struct pass *p, const struct allowlist *wanted)
{
	struct firewall_changes changes = {0};
	int rc = changes_preview(&changes, p, wanted);

	if (rc < 0) {
		network_note(p, "reading the packet filter", rc);
		return rc;
	}
	for (size_t i = 0; i < changes.n; i++) {
		enum firewall_change_kind kind = changes.items[i].kind;

		if (p->hold[0] && firewall_change_opens(kind))
			continue;
		change_tell(p, &changes.items[i], RECORD_NETWORK_PLAN, 0,
			kind == FIREWALL_GUARD_ADD
				? "warning: after apply, only the allowlist and `trusted` can reach this endpoint"
			: kind == FIREWALL_GUARD_REMOVE
				? "warning: after apply, everybody can reach this endpoint"
				: "");
		p->result.planned++;
	}
	firewall_changes_free(&changes);
	return 0;
}

static int network_update(struct pass *p)
{
	struct allowlist wanted;

	/* Record access before the network opens. If this process dies afterward, the next pass knows what to reduce.
	 * What ended by itself first, for it was so before a server was asked. */
	if (pass_record_expired(p))
		p->result.journal_failed = true;
	if (pass_record_access(p))
		p->result.journal_failed = true;
	/* If the firewall step is skipped, write no intents for it. */
	if (!p->o.network || (p->o.stale && *p->o.stale))
		return 0;
	int rc = allowlist_build(&wanted, p->o.program, &p->grants, p->o.now, pass_admission, p);
	if (rc)
		return rc;
	rc = pass_guards_keep(&wanted, p);
	/* The next pass that finds the packet filter so may forget what is no longer guarded. */
	if (!rc && !network_commit(p, &wanted, p->hold[0] != '\0') && pass_guards_save(p))
		p->result.journal_failed = true;
	allowlist_free(&wanted);
	return rc;
}

void pass_network_step(struct pass *p)
{
	int rc = network_update(p);

	if (rc)
		network_note(p, "building the allowlist", rc);
	pass_journal_commit(p);
}

/* The decision if SQL does what is planned. Grants without a planned change keep theirs: a database that does not exist
 * yet, or a server that does not answer. */
static enum admission grant_admission_planned(const struct grant *g, void *context)
{
	const struct pass *p = context;
	const struct grant_work *w = &p->works[pass_grant_number(p, g)];

	return w->seen && w->state != STATE_WAITING && w->state != STATE_UNVERIFIED &&
			       w->state != STATE_UNREAD && w->state != STATE_OVERDUE &&
			       w->state != STATE_EXCESS
		       ? ADMIT
		       : pass_admission(g, context);
}

static int network_preview(struct pass *p)
{
	struct allowlist wanted;
	int rc = allowlist_build(
		&wanted, p->o.program, &p->grants, p->o.now, grant_admission_planned, p);

	if (rc)
		return rc;
	rc = pass_guards_keep(&wanted, p);
	if (!rc)
		network_plan(p, &wanted);
	allowlist_free(&wanted);
	return rc;
}

/* Notes about the pass as a whole. */
static void notes_tell(struct pass *p)
{
	struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED};

	if (p->o.mode == PASS_HANDOVER)
		return;
	RECORD_SET(&r, detail, p->hold);
	if (p->hold[0])
		pass_tell(p, &r);
	pass_reopenings_tell(p);
	pass_guards_tell(p);
	pass_remnants_tell(p);
}

int pass_finish(struct pass_result *out, struct pass *p)
{
	int rc = 0;

	if (p->o.mode == PASS_APPLY)
		rc = network_update(p);
	else if (p->o.mode == PASS_PLAN && p->o.network)
		rc = network_preview(p);
	if (p->o.mode == PASS_APPLY && !p->memory_failed && pass_passed_save(p))
		p->result.journal_failed = true;
	notes_tell(p);
	if (pass_journal_commit(p))
		p->result.journal_failed |= p->o.journal != NULL;
	/* If the copy cannot be saved, the previous one remains; its record is in the journal too. */
	if (p->o.mode == PASS_APPLY && p->o.journal && !p->journal_error)
		head_copy_save(p->o.journal);
	if (p->result.done)
		pass_memory_keep(p);
	p->result.held = p->hold[0] != '\0';
	*out = p->result;
	return rc;
}
