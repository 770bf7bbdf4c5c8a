/* Changes the kernel's table to what is scheduled: observe, compare, commit, observe again. Each round knows the table, by
 * reading it or by what is proved of the last reading, and writes at most one transaction. A round that finds nothing to
 * write proves that the table matches. If another program changes the table, or an element expires meanwhile, the whole
 * transaction fails, and the next round starts again. */
#include <string.h>

#include "firewall/worklist.h"

/* After this many commits without the expected result, report an error instead of trying again. */
#define MAX_FRUITLESS 2

struct table_update {
	struct firewall *firewall;
	const struct allowlist *wanted;
	int64_t now_ms, started_ms;
	bool closings_only;
	int64_t late_ms; /* how much longer a batch took than allowed: the margin for its timeouts grows by that */
	int64_t early_ms; /* how much more than usual was allowed: an end that is early by it is as it was written */
	/* All that is done so far, if it was read back and can alone differ from what was compared: the same reading, and
	 * the margins of before. Else NULL. */
	const struct firewall_changes *made;
	/* Of this round. */
	struct firewall_changes changes;
	struct diff_moment moment;
	struct diff_span late; /* of what does not change */
	int64_t turn_late_ms;
};

static int64_t update_now(const struct table_update *p)
{
	return p->now_ms + (monotonic_ms() - p->started_ms);
}

static void changes_keep_closings(struct firewall_changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (!firewall_change_opens(c->items[i].kind))
			c->items[n++] = c->items[i];
	c->n = n;
}

/* The table as it is now, in firewall.last. */
static int table_read(struct firewall *f, instant_t now)
{
	struct table_reading *r;
	int rc;

	if (reading_is_current(f))
		return 0;
	reading_drop(f);
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	rc = observe_with(r, f, now);
	if (rc < 0) {
		free(r);
		return rc;
	}
	f->last = r;
	return 0;
}

static int update_observe(struct table_update *p)
{
	struct firewall *f = p->firewall;
	int64_t now_ms, monotonic;
	int rc;

	p->turn_late_ms = p->late_ms;
	firewall_changes_free(&p->changes);
	rc = table_read(f, update_now(p) / 1000);
	if (rc < 0)
		return rc;
	if (firewall_other_owner(f) && !f->reader)
		return firewall_fail(f, -EPERM,
			"the table belongs to the process of netlink port %u", f->table_owner);
	monotonic = monotonic_ms();
	now_ms = p->now_ms + (monotonic - p->started_ms);
	p->moment = (struct diff_moment){
		.now_ms = now_ms,
		.passed_ms = monotonic - f->last->state.read_ms,
		.cut_ms = p->late_ms ? CUT_MS : 0,
		.early_ms = p->early_ms,
	};
	rc = p->made && !f->last->fresh
		     ? diff_made(&p->changes, &p->late, p->wanted, &f->last->state, &p->moment,
			       p->made)
		     : diff_at(&p->changes, &p->late, p->wanted, &f->last->state, &p->moment);
	if (rc == 0 && p->closings_only)
		changes_keep_closings(&p->changes);
	return rc;
}

/* Curfew owns the table, as far as this kernel supports it. */
static bool table_is_held(const struct firewall *f)
{
	return !f->features.owner_persist || f->table_owner == f->portid;
}

/* Timeouts assume that the kernel receives each element within the allowance. If that took longer, some may be late by
 * the difference: the next round finds and corrects them, with a larger allowance. */
static void update_measure(struct table_update *p, const struct batch *b)
{
	const int64_t usual = ALLOWANCE_MS + MAX_SPREAD_MS;
	int64_t took = monotonic_ms() - b->began_ms, each;

	if (took - b->allowance_ms > p->late_ms)
		p->late_ms = took - b->allowance_ms;
	if (b->allowance_ms - usual > p->early_ms)
		p->early_ms = b->allowance_ms - usual;
	/* A busy host gets the full allowance, or more than it just took, until it answers quickly again. */
	if (took > b->allowance_ms) {
		int64_t busy = took + took / 2;
		busy = busy < MAX_BUSY_MS ? busy : MAX_BUSY_MS;
		p->firewall->batch_ms = busy > usual ? busy : usual;
	}
	if (took < ALLOWANCE_MS / 2)
		p->firewall->batch_ms = ALLOWANCE_MS;
	/* A small batch shows how busy the host is, not how fast. */
	if (b->n_elements < 100)
		return;
	each = took * 1500 / (int64_t)b->n_elements;
	each = each < MAX_ELEMENT_US ? each : MAX_ELEMENT_US;
	p->firewall->element_us = each > ELEMENT_US ? each : ELEMENT_US;
}

/* Fills and sends one transaction. *taken is lowered to the number of changes in it. */
static int update_commit(size_t *taken, struct table_update *p, bool check_generation)
{
	struct firewall *f = p->firewall;
	const struct firewall_state *s = &f->last->state;
	bool rebuild = p->changes.n && p->changes.items[0].kind == FIREWALL_TABLE;
	_cleanup_(batch_free) struct batch b = {0};
	_cleanup_(worklist_free) struct worklist w = {
		.batch = &b,
		.wanted = p->wanted,
		.observed = f->last,
		.moment = &p->moment,
		.closings_only = p->closings_only,
		.ahead_ms = p->now_ms - p->started_ms,
		.restructured = rebuild || !table_is_held(f),
	};
	int rc = batch_begin(&b, f, s->generation, check_generation);

	f->proof = (struct proof){0};
	if (rc == 0 && (rebuild || !table_is_held(f)))
		rc = batch_table(&b, rebuild && s->present);
	if (rc == 0)
		rc = rebuild ? worklist_rebuild(&w) : worklist_changes(taken, &w, &p->changes);
	if (rc == 0)
		rc = batch_commit(&b);
	if (rc == 0)
		update_measure(p, &b);
	/* What was read is of a generation that has passed; after a refusal it may be of another's. */
	if (rc < 0 || w.restructured)
		reading_drop(f);
	return rc;
}

static bool deadlines_in_range(const struct allowlist *wanted, instant_t now)
{
	for (size_t i = 0; i < wanted->n_allows; i++)
		if (wanted->allows[i].until > now && wanted->allows[i].until - now > MAX_DEADLINE_S)
			return false;
	return true;
}

/* Nothing is to be done, and the table is held. One with a timeout that was refused may have something to do later. */
static bool update_is_proved(struct table_update *p)
{
	if (p->changes.n || !table_is_held(p->firewall))
		return false;
	if (!p->closings_only && deadlines_in_range(p->wanted, p->now_ms / 1000))
		reading_prove(p->firewall, p->wanted, &p->moment, &p->late);
	return true;
}

/* What the kernel has of it now, for the next round to compare. */
static int update_read_back(struct table_update *p)
{
	return reading_refresh(p->firewall, &p->changes, p->changes.n, update_now(p) / 1000);
}

/* A correction of a timeout that took too long to reach the kernel; the schedule did not change. */
static bool change_is_correction(const struct firewall_change *c, int64_t late_ms)
{
	return late_ms && c->kind == FIREWALL_ALLOW_SHORTEN && c->observed_until &&
	       (c->observed_until - c->until) * 1000 <= late_ms;
}

/* Moves them where there are none yet: there can be very many. */
static int changes_append(
	struct firewall_changes *to, struct firewall_changes *from, int64_t late_ms)
{
	struct firewall_change *items;

	if (!from->n)
		return 0;
	if (!to->n && !late_ms) {
		firewall_changes_free(to);
		*to = *from;
		*from = (struct firewall_changes){0};
		return 0;
	}
	items = reallocarray(to->items, to->n + from->n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	to->items = items;
	for (size_t i = 0; i < from->n; i++) {
		struct firewall_change *c = &items[to->n];

		if (change_is_correction(&from->items[i], late_ms))
			continue;
		*c = from->items[i];
		c->comment = pool_text(&to->texts, c->comment);
		if (!c->comment)
			return -ENOMEM;
		to->n++;
	}
	return 0;
}

/* Replaces the attempts of each round with what was done: each change once, and none that is still to do. */
static void changes_settle(struct firewall_changes *done, const struct firewall_changes *left)
{
	size_t n = 0;

	if (done->n)
		qsort(done->items, done->n, sizeof(*done->items), firewall_change_compare);
	for (size_t i = 0; i < done->n; i++) {
		const struct firewall_change *c = &done->items[i];

		if (n && firewall_change_compare(&done->items[n - 1], c) == 0)
			continue;
		if (left->n && bsearch(c, left->items, left->n, sizeof(*left->items),
				       firewall_change_compare))
			continue;
		done->items[n++] = *c;
	}
	done->n = n;
}

/* Errors after a concurrent change, or after an element expired meanwhile. */
static bool worth_retrying(int rc)
{
	return rc == -ERESTART || rc == -ENOENT || rc == -EEXIST || rc == -EBUSY || rc == -EINTR;
}

/* Repeats rounds until nothing is left to do. If a round leaves fewer changes than the one before, a transaction was
 * too small for all, which is progress and not a failure. */
static int update_run(struct firewall_changes *done, struct table_update *p)
{
	int voided = 0, fruitless = 0;
	size_t before = SIZE_MAX;

	for (;;) {
		size_t n, taken;
		int rc;

		rc = update_observe(p);
		if (rc < 0)
			return rc;
		n = p->changes.n;
		if (update_is_proved(p))
			return 0;
		if (n >= before && ++fruitless >= MAX_FRUITLESS) {
			firewall_fail(p->firewall, -EIO,
				"%zu changes are not in the kernel after the commit", n);
			return FIREWALL_UNPROVED;
		}
		/* A program that writes without a pause must not prevent removals: the last attempt ignores the
		 * generation. */
		taken = n;
		rc = update_commit(&taken, p, voided < MAX_ATTEMPTS - 1);
		if (rc == 0) {
			before = n;
			p->changes.n = taken;
			rc = update_read_back(p);
			if (rc == 0)
				rc = changes_append(done, &p->changes, p->turn_late_ms);
			if (rc < 0)
				return rc;
			p->made = p->firewall->last && taken == n && done->n == n && !p->late_ms &&
						  !p->early_ms
					  ? done
					  : NULL;
		} else if (!worth_retrying(rc) || ++voided >= MAX_ATTEMPTS) {
			return rc;
		}
	}
}

static int plan_run(struct firewall_changes *changes, struct table_update *p)
{
	int rc = update_observe(p);

	if (rc < 0)
		return rc;
	rc = update_is_proved(p) ? FIREWALL_PROVED : 0;
	*changes = p->changes;
	p->changes = (struct firewall_changes){0};
	return rc;
}

typedef int (*update_fn)(struct firewall_changes *changes, struct table_update *p);

/* With a list in which the endpoints of each server agree. */
static int agreed_run(struct firewall_changes *changes, struct table_update *p, update_fn update)
{
	const struct allowlist *wanted = p->wanted;
	struct allowlist agreed = {0};
	struct places places = {0};
	int rc = places_make(&places, p->firewall, wanted->guards, wanted->n_guards, NULL, 0);

	if (rc == 0 && !places_agree(&places, wanted)) {
		rc = places_make_agree(&agreed, &places, wanted);
		p->wanted = &agreed;
	}
	places_free(&places);
	if (rc == 0)
		rc = update(changes, p);
	p->wanted = wanted;
	free(agreed.allows);
	return rc;
}

static struct table_update update_of(
	struct firewall *f, const struct allowlist *wanted, instant_t now, bool closings_only)
{
	return (struct table_update){
		.firewall = f,
		.wanted = wanted,
		.now_ms = now * 1000,
		.started_ms = monotonic_ms(),
		.closings_only = closings_only,
	};
}

int firewall_plan(struct firewall_changes *out, struct firewall *f, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct table_update p = update_of(f, wanted, now, closings_only);
	int rc;

	if (reading_proves(f, wanted, now)) {
		*out = (struct firewall_changes){0};
		return FIREWALL_PROVED;
	}
	rc = agreed_run(out, &p, plan_run);
	firewall_changes_free(&p.changes);
	/* An apply refuses the others, and says so. */
	return rc == FIREWALL_PROVED && !closings_only && !deadlines_in_range(wanted, now) ? 0 : rc;
}

int firewall_apply(struct firewall_changes *done, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only)
{
	struct firewall_changes changes = {0};
	struct table_update p = update_of(f, wanted, now, closings_only);
	int rc;

	if (!f->reader && reading_proves(f, wanted, now)) {
		if (done)
			*done = changes;
		return 0;
	}
	rc = f->reader ? -EPERM : agreed_run(&changes, &p, update_run);
	changes_settle(&changes, &p.changes);
	firewall_changes_free(&p.changes);
	if (rc == 0 && !closings_only && !deadlines_in_range(wanted, now))
		rc = firewall_fail(f, -ERANGE, "a timeout of more than ten years was refused");
	if (rc >= 0 && done)
		*done = changes;
	else
		firewall_changes_free(&changes);
	return rc;
}
