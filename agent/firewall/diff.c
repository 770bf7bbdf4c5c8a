/* Wanted against observed: both sorted by endpoint and source, one walk, typed changes out. Pure. */
#include <string.h>

#include "internal.h"

static const struct {
	const char *name;
	bool opens;
} KINDS[] = {
	[FIREWALL_TABLE] = {"build", false},
	[FIREWALL_GUARD_ADD] = {"guard", false},
	[FIREWALL_GUARD_REMOVE] = {"unguard", true},
	/* The hoster's own machines wait for no SQL server: a guard must never come without them. */
	[FIREWALL_TRUSTED_ADD] = {"trust", false},
	[FIREWALL_TRUSTED_REMOVE] = {"distrust", false},
	[FIREWALL_ALLOW_ADD] = {"add", true},
	[FIREWALL_ALLOW_EXTEND] = {"extend", true},
	[FIREWALL_ALLOW_SHORTEN] = {"shorten", false},
	[FIREWALL_ALLOW_COMMENT] = {"rename", false},
	[FIREWALL_ALLOW_REMOVE] = {"remove", false},
};

bool firewall_change_opens(enum firewall_change_kind k)
{
	return KINDS[k].opens;
}

const char *firewall_change_name(enum firewall_change_kind k)
{
	return KINDS[k].name;
}

void firewall_changes_free(struct firewall_changes *c)
{
	free(c->items);
	*c = (struct firewall_changes){0};
}

/* Milliseconds until the wanted end; 0: none are left, INT64_MAX: more than is ever granted. */
static int64_t rest_ms(instant_t until, int64_t now_ms)
{
	int64_t now = now_ms / 1000;

	if (until <= now)
		return 0;
	return until - now > MAX_DEADLINE_S ? INT64_MAX : until * 1000 - now_ms;
}

bool diff_allow(enum firewall_change_kind *out, const struct allow *wanted,
	const struct observed_allow *observed, int64_t now_ms, int64_t cut_ms)
{
	int64_t wanted_rest = wanted ? rest_ms(wanted->until, now_ms) : 0, late;

	/* Refused: nothing is opened, and what stands ends by itself, or is ended. */
	if (wanted_rest == INT64_MAX) {
		*out = FIREWALL_ALLOW_REMOVE;
		return observed && !observed->has_timeout;
	}
	/* What ends within the tolerance is as good as ended: it is neither begun nor cut, but it must not
	 * outlive its end. */
	if (wanted_rest <= TOLERANCE_MS) {
		late = wanted ? wanted_rest : TOLERANCE_MS;
		*out = FIREWALL_ALLOW_REMOVE;
		return observed &&
		       (!observed->has_timeout || observed->remaining_ms > (uint64_t)late);
	}
	if (!observed) {
		*out = FIREWALL_ALLOW_ADD;
		return true;
	}
	late = observed->has_timeout ? (int64_t)observed->remaining_ms - wanted_rest : 1;
	if (late + cut_ms > 0)
		*out = FIREWALL_ALLOW_SHORTEN;
	else if (late < -TOLERANCE_MS)
		*out = FIREWALL_ALLOW_EXTEND;
	else if (strcmp(wanted->comment, observed->comment) != 0)
		*out = FIREWALL_ALLOW_COMMENT;
	else
		return false;
	return true;
}

struct draft {
	struct firewall_changes changes;
	size_t capacity;
	int64_t now_ms, cut_ms;
	int r;
};

static struct firewall_change *draft_add(struct draft *d, enum firewall_change_kind kind)
{
	struct firewall_changes *c = &d->changes;

	if (d->r == 0 && c->n == d->capacity) {
		size_t capacity = d->capacity ? 2 * d->capacity : 32;
		struct firewall_change *items = reallocarray(c->items, capacity, sizeof(*items));

		if (items) {
			c->items = items;
			d->capacity = capacity;
		} else {
			d->r = -ENOMEM;
		}
	}
	if (d->r < 0)
		return NULL;
	c->items[c->n] = (struct firewall_change){.kind = kind};
	return &c->items[c->n++];
}

static void draft_allow(struct draft *d, const struct allow *w, const struct observed_allow *o)
{
	enum firewall_change_kind kind;
	struct firewall_change *c;

	if (!diff_allow(&kind, w, o, d->now_ms, d->cut_ms))
		return;
	c = draft_add(d, kind);
	if (!c)
		return;
	c->source = w ? w->source : o->source;
	c->endpoint = w ? w->endpoint : o->endpoint;
	if (kind != FIREWALL_ALLOW_REMOVE)
		c->until = w->until;
	if (o && o->has_timeout)
		c->observed_until = (d->now_ms + (int64_t)o->remaining_ms) / 1000;
	snprintf(c->comment, sizeof(c->comment), "%.*s", ALLOW_COMMENT_MAX,
		w ? w->comment : o->comment);
}

static void diff_allows(
	struct draft *d, const struct allowlist *wanted, const struct firewall_state *observed)
{
	size_t i = 0, k = 0;

	while (d->r == 0 && (i < wanted->n_allows || k < observed->n_allows)) {
		const struct allow *w = i < wanted->n_allows ? &wanted->allows[i] : NULL;
		const struct observed_allow *o =
			k < observed->n_allows ? &observed->allows[k] : NULL;
		int order = !w	 ? 1
			    : !o ? -1
				 : allow_key_compare(
					   &w->endpoint, &w->source, &o->endpoint, &o->source);

		draft_allow(d, order <= 0 ? w : NULL, order >= 0 ? o : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

static void draft_trusted(struct draft *d, enum firewall_change_kind kind, const struct trusted *t)
{
	struct firewall_change *c = draft_add(d, kind);

	if (!c)
		return;
	c->source = t->source;
	c->endpoint = t->endpoint;
	memcpy(c->comment, t->comment, sizeof(c->comment));
}

static void diff_trusted(
	struct draft *d, const struct allowlist *wanted, const struct firewall_state *observed)
{
	size_t i = 0, k = 0;

	while (d->r == 0 && (i < wanted->n_trusted || k < observed->n_trusted)) {
		const struct trusted *w = i < wanted->n_trusted ? &wanted->trusted[i] : NULL;
		const struct trusted *o = k < observed->n_trusted ? &observed->trusted[k] : NULL;
		int order = !w	 ? 1
			    : !o ? -1
				 : allow_key_compare(
					   &w->endpoint, &w->source, &o->endpoint, &o->source);

		if (order < 0 || (order == 0 && strcmp(w->comment, o->comment) != 0))
			draft_trusted(d, FIREWALL_TRUSTED_ADD, w);
		if (order > 0)
			draft_trusted(d, FIREWALL_TRUSTED_REMOVE, o);
		i += order <= 0;
		k += order >= 0;
	}
}

static void diff_guards(
	struct draft *d, const struct allowlist *wanted, const struct firewall_state *observed)
{
	size_t i = 0, k = 0;

	while (d->r == 0 && (i < wanted->n_guards || k < observed->n_guards)) {
		const struct endpoint *w = i < wanted->n_guards ? &wanted->guards[i] : NULL;
		const struct endpoint *o = k < observed->n_guards ? &observed->guards[k] : NULL;
		int order = !w ? 1 : !o ? -1 : endpoint_compare(w, o);
		struct firewall_change *c = NULL;

		if (order != 0)
			c = draft_add(d, order < 0 ? FIREWALL_GUARD_ADD : FIREWALL_GUARD_REMOVE);
		if (c)
			c->endpoint = order < 0 ? *w : *o;
		i += order <= 0;
		k += order >= 0;
	}
}

/* The table, then closings, then openings, and last the guards that go: without its guard an endpoint is
 * open to all. */
static int change_rank(enum firewall_change_kind k)
{
	if (k == FIREWALL_TABLE)
		return 0;
	if (k == FIREWALL_GUARD_REMOVE)
		return 3;
	return firewall_change_opens(k) ? 2 : 1;
}

int change_compare(const void *a, const void *b)
{
	const struct firewall_change *x = a, *y = b;
	int order = change_rank(x->kind) - change_rank(y->kind);

	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	return order ? order
		     : allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

int diff_at(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, int64_t cut_ms)
{
	struct draft d = {.now_ms = now_ms, .cut_ms = cut_ms};

	if (!observed->present || !observed->intact)
		draft_add(&d, FIREWALL_TABLE);
	diff_guards(&d, wanted, observed);
	diff_trusted(&d, wanted, observed);
	diff_allows(&d, wanted, observed);
	if (d.r < 0) {
		firewall_changes_free(&d.changes);
		return d.r;
	}
	if (d.changes.n)
		qsort(d.changes.items, d.changes.n, sizeof(*d.changes.items), change_compare);
	*out = d.changes;
	return 0;
}

int firewall_diff(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, instant_t now)
{
	return diff_at(out, wanted, observed, now * 1000, 0);
}
