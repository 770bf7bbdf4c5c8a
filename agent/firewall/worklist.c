/* From changes to the elements that a commit deletes and adds. Pure. */
#include <string.h>

#include "internal.h"

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

static struct element element_of(enum set_kind kind, const struct endpoint *e,
	const struct source *s, enum element_phase phase)
{
	return (struct element){
		.set = kind == SET_GUARD ? set_id_guard(e) : set_id_of(kind, s),
		.source = kind == SET_GUARD ? (struct source){0} : *s,
		.endpoint = *e,
		.phase = (uint8_t)phase,
	};
}

/* Deletes and adds in one batch, taking the counts along: a kernel that cannot change a deadline keeps
 * the old one without a word, and none changes a comment. */
static int worklist_replace(struct elements *out, struct element *add)
{
	struct element gone = *add;
	int r;

	gone.phase = PHASE_DELETE;
	r = elements_add(out, &gone);
	return r < 0 ? r : elements_add(out, add);
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
	if (f->features.update_timeout && strcmp(c->comment, o->comment) == 0) {
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
		e = element_of(SET_GUARD, &c->endpoint, NULL,
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

	/* A change may delete and add: both belong into one transaction, over the limit by one if need be. */
	for (; i < changes->n && out->n < limit; i++) {
		int r = worklist_change(out, f, &changes->items[i], observed);

		if (r < 0)
			return r;
	}
	elements_sort(out);
	*taken = i;
	return 0;
}

/* What stands of one source and endpoint in the table that is built anew. */
static int rebuild_allow(struct elements *out, const struct allow *w,
	const struct observed_allow *o, int64_t now_ms, bool closings_only)
{
	enum firewall_change_kind kind;
	bool changes = diff_allow(&kind, w, o, now_ms, 0);
	bool allowed = changes && !(closings_only && firewall_change_opens(kind));
	struct element e;

	if (allowed ? kind == FIREWALL_ALLOW_REMOVE : !o)
		return 0;
	e = element_of(
		SET_ALLOW, w ? &w->endpoint : &o->endpoint, w ? &w->source : &o->source, PHASE_ADD);
	if (allowed) {
		e.end_ms = w->until * 1000;
		e.comment = w->comment;
	} else {
		/* Moved as it is: the margin was taken off when it was first written. */
		e.end_ms = now_ms + (int64_t)o->remaining_ms + CUT_MS + ALLOWANCE_MS;
		e.comment = o->comment;
	}
	if (o) {
		e.packets = o->packets;
		e.bytes = o->bytes;
	}
	return elements_add(out, &e);
}

static int rebuild_allows(struct elements *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, bool closings_only)
{
	size_t i = 0, k = 0;
	int r = 0;

	while (r == 0 && (i < wanted->n_allows || k < observed->n_allows)) {
		const struct allow *w = i < wanted->n_allows ? &wanted->allows[i] : NULL;
		const struct observed_allow *o =
			k < observed->n_allows ? &observed->allows[k] : NULL;
		int order = !w	 ? 1
			    : !o ? -1
				 : allow_key_compare(
					   &w->endpoint, &w->source, &o->endpoint, &o->source);

		r = rebuild_allow(
			out, order <= 0 ? w : NULL, order >= 0 ? o : NULL, now_ms, closings_only);
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

static int rebuild_guards(struct elements *out, const struct allowlist *wanted,
	const struct firewall_state *observed, bool closings_only)
{
	size_t i = 0, k = 0;
	int r = 0;

	/* Both when nothing may be opened: a guard that goes is an opening. */
	while (r == 0 && (i < wanted->n_guards || k < observed->n_guards)) {
		const struct endpoint *w = i < wanted->n_guards ? &wanted->guards[i] : NULL;
		const struct endpoint *o = k < observed->n_guards ? &observed->guards[k] : NULL;
		int order = !w ? 1 : !o ? -1 : endpoint_compare(w, o);
		struct element e = element_of(SET_GUARD, order <= 0 ? w : o, NULL, PHASE_ADD);

		if (order <= 0 || closings_only)
			r = elements_add(out, &e);
		i += order <= 0;
		k += order >= 0;
	}
	return r;
}

int worklist_rebuild(struct elements *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, bool closings_only)
{
	int r = rebuild_guards(out, wanted, observed, closings_only);

	for (size_t i = 0; r == 0 && i < wanted->n_trusted; i++) {
		const struct trusted *t = &wanted->trusted[i];
		struct element e = element_of(SET_TRUSTED, &t->endpoint, &t->source, PHASE_ADD);

		e.comment = t->comment;
		r = elements_add(out, &e);
	}
	if (r == 0)
		r = rebuild_allows(out, wanted, observed, now_ms, closings_only);
	/* Who was refused answers "I cannot connect": worth keeping. */
	for (size_t i = 0; r == 0 && i < observed->n_refused; i++) {
		const struct refused *d = &observed->refused[i];
		struct element e = element_of(SET_DENIED, &d->endpoint, &d->source, PHASE_ADD);

		if (!d->last_seen_latest)
			continue;
		e.end_ms = d->last_seen_latest * 1000 + (int64_t)DENIED_TIMEOUT_MS;
		e.packets = d->packets;
		e.bytes = d->bytes;
		r = elements_add(out, &e);
	}
	if (r == 0)
		elements_sort(out);
	return r;
}
