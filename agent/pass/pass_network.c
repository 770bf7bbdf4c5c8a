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

/* The kernel counts a timeout from the moment it receives it, so subtract the time that SQL took. */
static instant_t network_now(const struct pass *p)
{
	return p->o.now + (monotonic_ms() - p->zero_ms) / 1000;
}

/* The changes that the next commit would make; FIREWALL_PROVED: none. */
static int changes_preview(struct firewall_changes *out, struct pass *p,
	const struct allowlist *wanted, bool closings_only)
{
	return p->o.network->plan(
		out, p->o.network->context, wanted, network_now(p), closings_only);
}

/* Says what became of the changes. 0, or the error of those that were not made. */
static int result_tell(struct pass *p, const struct firewall_changes *done, int rc)
{
	if (rc == FIREWALL_UNCONFIRMED) {
		unconfirmed_note(p);
		p->openings_unconfirmed = true;
		rc = 0;
	}
	if (rc && rc != -ECANCELED)
		network_note(p, "changing the packet filter", rc);
	if (rc < 0)
		return rc;
	if (pass_removed_note(p, done))
		p->result.journal_failed = true;
	for (size_t i = 0; i < done->n; i++)
		change_tell(p, &done->items[i], RECORD_NETWORK_OUTCOME, rc, "");
	p->result.planned += done->n;
	p->result.done += done->n;
	return rc;
}

static int changes_apply(struct firewall_changes *done, struct pass *p,
	const struct allowlist *wanted, bool closings_only)
{
	return p->o.network->apply(
		done, p->o.network->context, wanted, network_now(p), closings_only);
}

/* Removals come first, and are recorded by pass_record_network(): they wait for no disk. */
static int commit_closings(
	struct pass *p, const struct allowlist *wanted, struct firewall_changes *planned)
{
	struct network_closed *c = &p->closed;

	pass_record_network(p);
	int rc = changes_apply(&c->done, p, wanted, true);
	c->planned = *planned;
	*planned = (struct firewall_changes){0};
	c->result = rc;
	c->waits = true;
	return result_tell(p, &c->done, rc);
}

/* Additions wait for the record of their intent, and for the time to be saved. If that fails, only removals are made. */
static int commit_recorded(
	struct pass *p, const struct allowlist *wanted, struct firewall_changes *planned)
{
	struct firewall_changes done = {0};
	_cleanup_free_ int64_t *ids = calloc(planned->n + 1, sizeof(*ids));
	const int unsaved = pass_time_save(p);
	int rc = unsaved ? unsaved : ids ? pass_intents_journal(p, planned, ids) : -ENOMEM;

	if (!rc)
		rc = pass_journal_commit(p);
	if (rc && (planned->n || unsaved)) {
		p->result.journal_failed = p->result.journal_failed || !unsaved;
		p->openings_unconfirmed = true;
		return commit_closings(p, wanted, planned);
	}
	int left = changes_apply(&done, p, wanted, false);
	rc = result_tell(p, &done, left);
	if (ids)
		pass_outcomes_journal(p, planned, ids, &done, left);
	pass_journal_commit(p);
	firewall_changes_free(&done);
	return rc;
}

static int network_commit(struct pass *p, const struct allowlist *wanted, bool closings_only)
{
	struct firewall_changes planned = {0};
	int rc = changes_preview(&planned, p, wanted, closings_only);

	if (rc < 0) {
		network_note(p, "reading the packet filter", rc);
		return rc;
	}
	/* The kernel was just read and nothing differs, so a commit could not prove more. */
	if (rc == FIREWALL_PROVED)
		rc = 0;
	else
		rc = closings_only ? commit_closings(p, wanted, &planned)
				   : commit_recorded(p, wanted, &planned);
	firewall_changes_free(&planned);
	return rc;
}

/* The packet filter has what it should: by the same proof as of a list that is built and sent. */
static bool list_is_proved(struct pass *p, uint64_t number, bool closings_only)
{
	const struct firewall_port *port = p->o.network;

	return port->again &&
	       port->again(port->context, number, network_now(p), closings_only) == FIREWALL_PROVED;
}

/* *told: the error that network_commit() has told of. 0, or the error of building the list. */
static int list_commit(int *told, struct pass *p, admission_fn admission, bool closings_only)
{
	uint64_t number = pass_list_number(p, admission);
	struct allowlist wanted;

	*told = 0;
	if (list_is_proved(p, number, closings_only))
		return 0;
	int rc = pass_list_build(&wanted, p, admission);
	if (rc)
		return rc;
	wanted.number = number;
	*told = network_commit(p, &wanted, closings_only);
	allowlist_free(&wanted);
	return 0;
}

int pass_close_network(struct pass *p)
{
	int told = 0;
	int rc = p->o.network ? list_commit(&told, p, grant_admission_before, true) : 0;

	return rc ? rc : told;
}

static int network_plan(struct pass *p, const struct allowlist *wanted)
{
	struct firewall_changes changes = {0};
	int rc = changes_preview(&changes, p, wanted, false);

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
	int told = 0;

	/* Record access before the network opens. If this process dies afterward, the next pass knows what to reduce.
	 * What ended by itself first, for it was so before a server was asked. */
	if (pass_record_expired(p))
		p->result.journal_failed = true;
	pass_replicas_yield(p);
	if (pass_record_access(p))
		p->result.journal_failed = true;
	if (!p->o.network)
		return 0;
	/* If the firewall step is skipped, write no intents for it. */
	const bool skipped = p->o.stale && *p->o.stale;
	/* While it holds, the packet filter is only asked to close. */
	p->openings_unconfirmed = p->hold[0] != '\0';
	int rc = skipped ? 0 : list_commit(&told, p, pass_admission, p->hold[0] != '\0');
	if (pass_record_filtered(p, skipped || rc || told))
		p->result.journal_failed = true;
	if (skipped)
		return 0;
	/* The next pass that finds the packet filter so may forget what is no longer guarded. */
	if (!rc && !told && pass_guards_save(p))
		p->result.journal_failed = true;
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
	int rc = pass_list_build(&wanted, p, grant_admission_planned);

	if (rc)
		return rc;
	network_plan(p, &wanted);
	allowlist_free(&wanted);
	return 0;
}

/* Notes about the pass as a whole. */
static int notes_tell(struct pass *p)
{
	struct record r = {.kind = RECORD_NOTE, .state = STATE_UNVERIFIED};
	int rc = 0;

	if (p->o.mode == PASS_HANDOVER)
		return 0;
	RECORD_SET(&r, detail, p->hold);
	if (p->hold[0])
		pass_tell(p, &r);
	pass_reopenings_tell(p);
	pass_renamed_tell(p);
	pass_revoked_tell(p);
	pass_guards_tell(p);
	pass_sources_tell(p);
	if (p->o.mode != PASS_AUDIT)
		rc = pass_baselines_tell(p);
	pass_formers_tell(p);
	return rc;
}

int pass_finish(struct pass_result *out, struct pass *p)
{
	int rc = 0;

	pass_record_network(p);
	if (p->o.mode == PASS_APPLY)
		rc = network_update(p);
	else if (p->o.mode == PASS_PLAN && p->o.network)
		rc = network_preview(p);
	pass_record_network(p);
	if (p->o.mode == PASS_APPLY && !p->memory_failed &&
		(pass_renamed_save(p) || pass_passed_save(p)))
		p->result.journal_failed = true;
	int told = notes_tell(p);
	if (pass_journal_commit(p))
		p->result.journal_failed |= p->o.journal != NULL;
	/* If the copy cannot be saved, the previous one remains; its record is in the journal too. */
	if (p->o.mode == PASS_APPLY && p->o.journal && !p->journal_error)
		head_copy_save(p->o.journal);
	if (p->result.done)
		pass_state_keep(p);
	p->result.held = p->hold[0] != '\0';
	p->result.unfiltered = p->unfiltered;
	p->result.network_failed |= p->o.unfiltered && p->o.mode == PASS_APPLY;
	*out = p->result;
	return rc ? rc : told;
}
