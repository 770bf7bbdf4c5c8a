/* The whole table in one transaction: missing, damaged, or laid out differently, as that of an earlier version is. Before
 * the commit the old one filters, after it the new one, and there is no moment between. */
#include <string.h>

#include "firewall/worklist.h"

/* An entry of an endpoint as it should be in the new table. */
struct carried {
	const struct endpoint_place *place;
	const struct source *source;
	int64_t end_ms;
	uint64_t packets, bytes;
	const char *comment;
};

struct rebuilding {
	struct worklist *work;
	struct carried *entries;
	size_t n;
};

/* The current entry of a source and endpoint. */
static int visit_allow(const void *wanted, const void *observed, void *context)
{
	const struct allow *w = wanted;
	const struct observed_allow *o = observed;
	struct rebuilding *b = context;
	const struct diff_moment *m = b->work->moment;
	enum firewall_change_kind kind;
	struct carried e = {0};

	if (diff_allow(&kind, w, o, m) &&
		!(b->work->closings_only && firewall_change_opens(kind))) {
		if (!w || kind == FIREWALL_ALLOW_REMOVE)
			return 0;
		e.end_ms = w->until * 1000;
		e.comment = w->comment;
	} else {
		if (!o)
			return 0;
		/* Keep the end as it is: the margin was subtracted when the entry was first written. */
		e.end_ms =
			m->now_ms + (int64_t)o->remaining_ms - m->passed_ms + CUT_MS + ALLOWANCE_MS;
		e.comment = o->comment;
	}
	e.place = places_find(&b->work->places, w ? &w->endpoint : &o->endpoint);
	if (!e.place)
		return 0;
	e.source = w ? &w->source : &o->source;
	if (o) {
		e.packets = o->packets;
		e.bytes = o->bytes;
	}
	return ARRAY_ADD(b->entries, b->n, e);
}

static int carried_compare(const void *a, const void *b)
{
	const struct carried *x = a, *y = b;

	if (x->place->server != y->place->server)
		return x->place->server < y->place->server ? -1 : 1;
	return source_compare(x->source, y->source);
}

/* Endpoints of this server and family that could be reached before. One that was not guarded could be reached by
 * everybody. */
static size_t endpoints_counted(const struct worklist *w, const struct endpoint_place *p)
{
	const struct firewall_state *s = &w->observed->state;
	size_t n = 0;

	for (size_t i = 0; i < w->places.n; i++)
		n += w->places.items[i].server == p->server &&
		     w->places.guards[i].endpoint.family == p->guard->endpoint.family &&
		     (!w->closings_only ||
			     guard_find(s->guards, s->n_guards, &w->places.guards[i].endpoint));
	return n;
}

/* One element covers all endpoints of a server: only for a source that each of them allows, with the earliest end. */
static int carried_write(struct worklist *w, const struct carried *run, size_t n)
{
	const struct endpoint_place *p = run->place;
	struct element e = {
		.set = {.kind = SET_ALLOW,
			.family = run->source->family,
			.prefix = run->source->prefix,
			.server = p->server},
		.source = run->source,
		.end_ms = run->end_ms,
		.comment = run->comment,
	};
	int rc;

	if (p->endpoints > 1 && n < endpoints_counted(w, p))
		return 0;
	for (size_t i = 0; i < n; i++) {
		e.end_ms = run[i].end_ms < e.end_ms ? run[i].end_ms : e.end_ms;
		e.packets += run[i].packets;
		e.bytes += run[i].bytes;
	}
	rc = structure_set(w, &e.set);
	return rc < 0 ? rc : batch_element(w->batch, &e);
}

static int build_allows(struct rebuilding *b)
{
	int rc = 0;

	if (b->n)
		qsort(b->entries, b->n, sizeof(*b->entries), carried_compare);
	for (size_t from = 0, to; rc == 0 && from < b->n; from = to) {
		for (to = from + 1;
			to < b->n && carried_compare(&b->entries[from], &b->entries[to]) == 0;)
			to++;
		rc = carried_write(b->work, &b->entries[from], to - from);
	}
	return rc;
}

static int build_trusted(struct worklist *w)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->wanted->n_trusted; i++) {
		const struct trusted *t = &w->wanted->trusted[i];
		const struct endpoint_place *p = places_find(&w->places, &t->endpoint);
		struct element e = {.source = &t->source, .comment = t->comment};

		if (!p || !p->first)
			continue;
		e.set = (struct set_id){.kind = SET_TRUSTED,
			.family = t->source.family,
			.prefix = t->source.prefix,
			.server = p->server};
		rc = structure_set(w, &e.set);
		if (rc == 0)
			rc = batch_element(w->batch, &e);
	}
	return rc;
}

static int build_guards(struct worklist *w)
{
	const struct names *names = &w->batch->firewall->groups;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->places.n; i++) {
		const struct endpoint_place *p = &w->places.items[i];
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first = first && w->places.items[k].server != p->server;
		if (first)
			rc = structure_server(w, p->server);
	}
	for (size_t i = 0; rc == 0 && i < w->places.n; i++) {
		const struct endpoint *at = &w->places.guards[i].endpoint;
		struct element e = {
			.set = {.kind = SET_GUARD, .family = at->family},
			.endpoint = at,
			.chain = names->items[w->places.items[i].server],
		};
		rc = batch_element(w->batch, &e);
	}
	return rc;
}

/* Keep the denied sources, which explain why somebody cannot connect. */
static int build_refused(struct worklist *w)
{
	const struct firewall_state *s = &w->observed->state;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < s->n_refused; i++) {
		const struct refused *d = &s->refused[i];
		struct element e = {
			.set = {.kind = SET_DENIED, .family = d->source.family},
			.source = &d->source,
			.endpoint = &d->endpoint,
			.end_ms = d->last_seen_latest * 1000 + (int64_t)DENIED_TIMEOUT_MS,
			.packets = d->packets,
			.bytes = d->bytes,
		};

		if (d->last_seen_latest)
			rc = batch_element(w->batch, &e);
	}
	return rc;
}

/* With `closings_only` keep the guards of both sides, because removing one would grant access. Nobody is allowed to an
 * endpoint that is no longer scheduled to be guarded. */
static int places_build(struct worklist *w)
{
	const struct firewall_state *s = &w->observed->state;
	_cleanup_free_ struct guard *left = calloc(s->n_guards + 1, sizeof(*left));
	size_t n = 0;

	if (!left)
		return -ENOMEM;
	for (size_t i = 0; w->closings_only && i < s->n_guards; i++)
		left[n++] = (struct guard){.endpoint = s->guards[i].endpoint};
	return places_make(
		&w->places, w->batch->firewall, w->wanted->guards, w->wanted->n_guards, left, n);
}

int worklist_rebuild(struct worklist *w)
{
	struct rebuilding b = {.work = w};
	/* The new table continues the counters of the old one, so they must have been read. */
	int rc = w->observed->fresh ? places_build(w) : -EINTR;

	w->restructured = true;
	if (rc == 0)
		rc = walk_allows(w->wanted, &w->observed->state, visit_allow, &b);
	if (rc == 0)
		rc = structure_build(w);
	if (rc == 0) {
		batch_clock(w->batch,
			b.n + w->wanted->n_trusted + w->observed->state.n_refused + w->places.n,
			w->ahead_ms);
		rc = build_guards(w);
	}
	if (rc == 0)
		rc = build_trusted(w);
	if (rc == 0)
		rc = build_allows(&b);
	if (rc == 0)
		rc = build_refused(w);
	free(b.entries);
	return rc;
}
