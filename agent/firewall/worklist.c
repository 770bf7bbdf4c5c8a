/* From changes to the elements that a commit deletes and adds. Pure. */
#include <string.h>

#include "firewall/netlink.h"

static const struct observed_allow *allow_find(
	const struct firewall_state *observed, const struct endpoint *e, const struct source *s)
{
	size_t low = 0, high = observed->n_allows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct observed_allow *o = &observed->allows[middle];
		int order = allow_key_compare(&o->endpoint, &o->source, e, s);

		if (order == 0)
			return o;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool trusted_exists(
	const struct firewall_state *observed, const struct endpoint *e, const struct source *s)
{
	for (size_t i = 0; i < observed->n_trusted; i++)
		if (allow_key_compare(&observed->trusted[i].endpoint, &observed->trusted[i].source,
			    e, s) == 0)
			return true;
	return false;
}

static struct element element_guard(const struct endpoint *e, enum element_phase phase)
{
	return (struct element){.set = set_id_guard(e), .endpoint = *e, .phase = (uint8_t)phase};
}

static struct element element_of(enum set_kind kind, const struct endpoint *e,
	const struct source *s, enum element_phase phase)
{
	return (struct element){
		.set = set_id_of(kind, s),
		.source = *s,
		.endpoint = *e,
		.phase = (uint8_t)phase,
	};
}

/* Deletes and adds an element in one batch, and keeps its counters. Some kernels silently ignore a new timeout for an
 * existing element, and none changes a comment. */
static int worklist_replace(struct elements *out, struct element *add)
{
	struct element gone = *add;
	int rc;

	gone.phase = PHASE_DELETE;
	rc = elements_add(out, &gone);
	return rc < 0 ? rc : elements_add(out, add);
}

static int worklist_allow(struct elements *out, const struct firewall *f,
	const struct firewall_change *c, const struct firewall_state *observed)
{
	const struct observed_allow *o = allow_find(observed, &c->endpoint, &c->source);
	struct element e = element_of(SET_ALLOW, &c->endpoint, &c->source, PHASE_ADD);

	e.end_ms = c->until * 1000;
	e.comment = c->comment;
	if (o) {
		e.packets = o->packets;
		e.bytes = o->bytes;
	}
	if (c->kind == FIREWALL_ALLOW_REMOVE) {
		e.phase = PHASE_DELETE;
		return elements_add(out, &e);
	}
	if (c->kind == FIREWALL_ALLOW_ADD || !o)
		return elements_add(out, &e);
	if (f->features.update_timeout && streq(c->comment, o->comment)) {
		e.update = true;
		return elements_add(out, &e);
	}
	return worklist_replace(out, &e);
}

static int worklist_change(struct elements *out, const struct firewall *f,
	const struct firewall_change *c, const struct firewall_state *observed)
{
	struct element e;

	switch (c->kind) {
	case FIREWALL_TABLE:
		return 0;
	case FIREWALL_GUARD_ADD:
	case FIREWALL_GUARD_REMOVE:
		e = element_guard(&c->endpoint,
			c->kind == FIREWALL_GUARD_ADD ? PHASE_ADD : PHASE_DELETE_GUARD);
		return elements_add(out, &e);
	case FIREWALL_TRUSTED_ADD:
	case FIREWALL_TRUSTED_REMOVE:
		e = element_of(SET_TRUSTED, &c->endpoint, &c->source,
			c->kind == FIREWALL_TRUSTED_ADD ? PHASE_ADD : PHASE_DELETE);
		e.comment = c->comment;
		if (e.phase == PHASE_ADD && trusted_exists(observed, &c->endpoint, &c->source))
			return worklist_replace(out, &e);
		return elements_add(out, &e);
	default:
		return worklist_allow(out, f, c, observed);
	}
}

int worklist_changes(size_t *taken, struct elements *out, const struct firewall *f,
	const struct firewall_changes *changes, const struct firewall_state *observed, size_t limit)
{
	size_t i = 0;

	/* A change that deletes and adds must not be split over two transactions, even if that exceeds the limit by
	 * one. */
	for (; i < changes->n && out->n < limit; i++) {
		int rc = worklist_change(out, f, &changes->items[i], observed);

		if (rc < 0)
			return rc;
	}
	elements_sort(out);
	*taken = i;
	return 0;
}

struct rebuilding {
	struct elements *out;
	int64_t now_ms;
	bool closings_only;
};

static bool rebuild_allows_change(const struct rebuilding *b, enum firewall_change_kind kind)
{
	return !(b->closings_only && firewall_change_opens(kind));
}

/* The current entry of a source and endpoint, for a table that is built again. */
static int rebuild_allow(const void *wanted, const void *observed, void *context)
{
	const struct allow *w = wanted;
	const struct observed_allow *o = observed;
	const struct rebuilding *b = context;
	enum firewall_change_kind kind;
	struct element e;

	if (diff_allow(&kind, w, o, b->now_ms, 0, 0) && rebuild_allows_change(b, kind)) {
		if (!w || kind == FIREWALL_ALLOW_REMOVE)
			return 0;
		e = element_of(SET_ALLOW, &w->endpoint, &w->source, PHASE_ADD);
		e.end_ms = w->until * 1000;
		e.comment = w->comment;
	} else {
		if (!o)
			return 0;
		e = element_of(SET_ALLOW, &o->endpoint, &o->source, PHASE_ADD);
		/* Keep the end as it is: the margin was subtracted when the entry was first written. */
		e.end_ms = b->now_ms + (int64_t)o->remaining_ms + CUT_MS + ALLOWANCE_MS;
		e.comment = o->comment;
	}
	if (o) {
		e.packets = o->packets;
		e.bytes = o->bytes;
	}
	return elements_add(b->out, &e);
}

/* With `closings_only` keep the guards of both sides: removing a guard would grant access. */
static int rebuild_guard(const void *wanted, const void *observed, void *context)
{
	const struct endpoint *e = wanted ? wanted : observed;
	const struct rebuilding *b = context;
	struct element guard;

	if (!e || (!wanted && !b->closings_only))
		return 0;
	guard = element_guard(e, PHASE_ADD);
	return elements_add(b->out, &guard);
}

/* Keep the denied sources, which explain why somebody cannot connect. */
static int rebuild_refused(struct elements *out, const struct refused *d)
{
	struct element e = element_of(SET_DENIED, &d->endpoint, &d->source, PHASE_ADD);

	if (!d->last_seen_latest)
		return 0;
	e.end_ms = d->last_seen_latest * 1000 + (int64_t)DENIED_TIMEOUT_MS;
	e.packets = d->packets;
	e.bytes = d->bytes;
	return elements_add(out, &e);
}

int worklist_rebuild(struct elements *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, bool closings_only)
{
	struct rebuilding b = {.out = out, .now_ms = now_ms, .closings_only = closings_only};
	int rc = walk_guards(wanted, observed, rebuild_guard, &b);

	for (size_t i = 0; rc == 0 && i < wanted->n_trusted; i++) {
		const struct trusted *t = &wanted->trusted[i];
		struct element e = element_of(SET_TRUSTED, &t->endpoint, &t->source, PHASE_ADD);

		e.comment = t->comment;
		rc = elements_add(out, &e);
	}
	if (rc == 0)
		rc = walk_allows(wanted, observed, rebuild_allow, &b);
	for (size_t i = 0; rc == 0 && i < observed->n_refused; i++)
		rc = rebuild_refused(out, &observed->refused[i]);
	if (rc == 0)
		elements_sort(out);
	return rc;
}
