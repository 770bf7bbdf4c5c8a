/* Compares scheduled with observed: both sorted by endpoint and source, one walk, typed changes. Pure. */
#include <string.h>

#include "firewall/netlink.h"

void firewall_changes_free(struct firewall_changes *c)
{
	free(c->items);
	pool_free(&c->texts);
	*c = (struct firewall_changes){0};
}

/* Milliseconds until the scheduled end. 0: none left; INT64_MAX: more than the maximum. */
static int64_t rest_ms(instant_t until, int64_t now_ms)
{
	int64_t now = now_ms / 1000;

	if (until <= now)
		return 0;
	return until - now > MAX_DEADLINE_S ? INT64_MAX : until * 1000 - now_ms;
}

/* Of an element without a timeout: longer than any. */
static int64_t observed_rest(const struct observed_allow *o, const struct diff_moment *m)
{
	return o->has_timeout ? (int64_t)o->remaining_ms - m->passed_ms : INT64_MAX / 2;
}

bool diff_allow(enum firewall_change_kind *out, const struct allow *wanted,
	const struct observed_allow *observed, const struct diff_moment *m)
{
	int64_t wanted_rest = wanted ? rest_ms(wanted->until, m->now_ms) : 0, late;
	int64_t rest = observed ? observed_rest(observed, m) : 0;

	/* It has expired since it was read. */
	if (rest <= 0)
		observed = NULL;
	/* Refused: the entry is not added, and an existing one is removed or expires. */
	if (wanted_rest == INT64_MAX) {
		*out = FIREWALL_ALLOW_REMOVE;
		return observed && !observed->has_timeout;
	}
	/* An entry that ends within the tolerance is neither added nor shortened, but must not outlive its end. */
	if (wanted_rest <= TOLERANCE_MS) {
		late = wanted ? wanted_rest : TOLERANCE_MS;
		*out = FIREWALL_ALLOW_REMOVE;
		return observed && rest > late;
	}
	if (!observed) {
		*out = FIREWALL_ALLOW_ADD;
		return true;
	}
	late = observed->has_timeout ? rest - wanted_rest : 1;
	if (late + m->cut_ms > 0)
		*out = FIREWALL_ALLOW_SHORTEN;
	else if (late < -TOLERANCE_MS - m->early_ms)
		*out = FIREWALL_ALLOW_EXTEND;
	else if (!streq(wanted->comment, observed->comment))
		*out = FIREWALL_ALLOW_COMMENT;
	else
		return false;
	return true;
}

struct changes_draft {
	struct firewall_changes changes;
	const struct diff_moment *moment;
	struct diff_span late;
};

static struct firewall_change *draft_add(struct changes_draft *d, enum firewall_change_kind kind)
{
	struct firewall_changes *c = &d->changes;
	struct firewall_change *to = ARRAY_MORE(c->items, c->n);

	if (to)
		*to = (struct firewall_change){.kind = kind, .comment = ""};
	return to;
}

static int draft_name(struct changes_draft *d, struct firewall_change *c, const struct endpoint *e,
	const struct source *s, const char *comment)
{
	c->endpoint = *e;
	c->source = *s;
	c->comment = pool_bytes(&d->changes.texts, comment, strnlen(comment, ALLOW_COMMENT_MAX));
	return c->comment ? 0 : -ENOMEM;
}

static void draft_right(
	struct changes_draft *d, const struct allow *w, const struct observed_allow *o)
{
	int64_t rest = observed_rest(o, d->moment);

	/* It has ended: what comes next is nothing. */
	if (rest <= 0)
		return;
	/* An end that is refused now is near enough one day: such a list is compared each time. */
	if (rest_ms(w->until, d->moment->now_ms) == INT64_MAX) {
		d->late.earliest_ms = INT64_MIN / 2;
		return;
	}
	int64_t late = rest - (w->until * 1000 - d->moment->now_ms);
	if (late < d->late.earliest_ms)
		d->late.earliest_ms = late;
	if (late > d->late.latest_ms)
		d->late.latest_ms = late;
}

static int visit_allow(const void *wanted, const void *observed, void *context)
{
	const struct allow *w = wanted;
	const struct observed_allow *o = observed;
	struct changes_draft *d = context;
	enum firewall_change_kind kind;
	struct firewall_change *c;
	int rc = 0;

	if (!diff_allow(&kind, w, o, d->moment)) {
		if (w && o)
			draft_right(d, w, o);
		return 0;
	}
	c = draft_add(d, kind);
	if (!c)
		return -ENOMEM;
	if (w)
		rc = draft_name(d, c, &w->endpoint, &w->source, w->comment);
	else if (o)
		rc = draft_name(d, c, &o->endpoint, &o->source, o->comment);
	if (w && kind != FIREWALL_ALLOW_REMOVE)
		c->until = w->until;
	if (o && o->has_timeout)
		c->observed_until = (d->moment->now_ms + observed_rest(o, d->moment)) / 1000;
	return rc;
}

static int visit_trusted(const void *wanted, const void *observed, void *context)
{
	const struct trusted *w = wanted;
	const struct observed_trusted *o = observed;
	struct firewall_change *c;

	if ((!w && !o) || (w && o && streq(w->comment, o->comment)))
		return 0;
	c = draft_add(context, w ? FIREWALL_TRUSTED_ADD : FIREWALL_TRUSTED_REMOVE);
	if (!c)
		return -ENOMEM;
	return w ? draft_name(context, c, &w->endpoint, &w->source, w->comment)
		 : draft_name(context, c, &o->endpoint, &o->source, o->comment);
}

static int visit_guard(const void *wanted, const void *observed, void *context)
{
	const struct guard *g = wanted ? wanted : observed;
	struct firewall_change *c;

	if (!g || (wanted && observed))
		return 0;
	c = draft_add(context, wanted ? FIREWALL_GUARD_ADD : FIREWALL_GUARD_REMOVE);
	if (!c)
		return -ENOMEM;
	c->endpoint = g->endpoint;
	return 0;
}

/* The table first, then removals, then additions. Guards are removed last, because an endpoint without a guard is open
 * to everybody. */
static int change_rank(enum firewall_change_kind k)
{
	if (k == FIREWALL_TABLE)
		return 0;
	if (k == FIREWALL_GUARD_REMOVE)
		return 3;
	return firewall_change_opens(k) ? 2 : 1;
}

int firewall_change_compare(const void *a, const void *b)
{
	const struct firewall_change *x = a, *y = b;
	int order = change_rank(x->kind) - change_rank(y->kind);

	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	return order ? order
		     : allow_key_compare(&x->endpoint, &x->source, &y->endpoint, &y->source);
}

/* Changes of one kind are in order already, so sort by counting the kinds, without comparing. */
static int changes_sort(struct firewall_changes *c)
{
	size_t next[FIREWALL_CHANGE_KINDS] = {0}, counts[FIREWALL_CHANGE_KINDS] = {0}, at = 0;
	struct firewall_change *sorted;

	for (size_t i = 0; i < c->n; i++)
		counts[c->items[i].kind]++;
	for (int rank = 0; rank <= 3; rank++)
		for (size_t kind = 0; kind < FIREWALL_CHANGE_KINDS; kind++)
			if (change_rank((enum firewall_change_kind)kind) == rank) {
				next[kind] = at;
				at += counts[kind];
				if (counts[kind] == c->n)
					return 0;
			}
	sorted = calloc(c->n + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		sorted[next[c->items[i].kind]++] = c->items[i];
	free(c->items);
	c->items = sorted;
	return 0;
}

int diff_at(struct firewall_changes *out, struct diff_span *late, const struct allowlist *wanted,
	const struct firewall_state *observed, const struct diff_moment *m)
{
	struct changes_draft d = {.moment = m, .late = {0, -TOLERANCE_MS}};
	bool rebuild = !observed->present || !observed->intact ||
		       places_differ(wanted->guards, wanted->n_guards, observed->guards,
			       observed->n_guards);
	int rc = 0;

	if (rebuild && !draft_add(&d, FIREWALL_TABLE))
		rc = -ENOMEM;
	if (rc == 0)
		rc = walk_guards(wanted, observed, visit_guard, &d);
	if (rc == 0)
		rc = walk_trusted(wanted, observed, visit_trusted, &d);
	if (rc == 0)
		rc = walk_allows(wanted, observed, visit_allow, &d);
	if (rc == 0)
		rc = changes_sort(&d.changes);
	if (rc < 0) {
		firewall_changes_free(&d.changes);
		return rc;
	}
	*out = d.changes;
	*late = d.late;
	return 0;
}

static int allow_compare(const void *key, const void *item)
{
	const struct firewall_change *c = key;
	const struct allow *a = item;

	return allow_key_compare(&c->endpoint, &c->source, &a->endpoint, &a->source);
}

static int observed_compare_key(const void *key, const void *item)
{
	const struct firewall_change *c = key;
	const struct observed_allow *o = item;

	return allow_key_compare(&c->endpoint, &c->source, &o->endpoint, &o->source);
}

static const void *item_find(const struct firewall_change *c, const void *items, size_t n,
	size_t size, int (*compare)(const void *key, const void *item))
{
	return n ? bsearch(c, items, n, size, compare) : NULL;
}

int diff_made(struct firewall_changes *out, struct diff_span *late, const struct allowlist *wanted,
	const struct firewall_state *observed, const struct diff_moment *m,
	const struct firewall_changes *made)
{
	struct changes_draft d = {.moment = m, .late = *late};
	int rc = 0;

	for (size_t i = 0; i < made->n && rc == 0; i++) {
		const struct firewall_change *c = &made->items[i];

		rc = visit_allow(item_find(c, wanted->allows, wanted->n_allows,
					 sizeof(*wanted->allows), allow_compare),
			item_find(c, observed->allows, observed->n_allows,
				sizeof(*observed->allows), observed_compare_key),
			&d);
	}
	if (rc < 0) {
		firewall_changes_free(&d.changes);
		return rc;
	}
	if (d.changes.n)
		qsort(d.changes.items, d.changes.n, sizeof(*d.changes.items),
			firewall_change_compare);
	*out = d.changes;
	*late = d.late;
	return 0;
}
