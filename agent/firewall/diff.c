/* Compares scheduled with observed: both sorted by endpoint and source, one walk, typed changes. Pure. */
#include <string.h>

#include "firewall/netlink.h"

void firewall_changes_free(struct firewall_changes *c)
{
	free(c->items);
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

bool diff_allow(enum firewall_change_kind *out, const struct allow *wanted,
	const struct observed_allow *observed, int64_t now_ms, int64_t cut_ms, int64_t early_ms)
{
	int64_t wanted_rest = wanted ? rest_ms(wanted->until, now_ms) : 0, late;

	/* Refused: the entry is not added, and an existing one is removed or expires. */
	if (wanted_rest == INT64_MAX) {
		*out = FIREWALL_ALLOW_REMOVE;
		return observed && !observed->has_timeout;
	}
	/* An entry that ends within the tolerance is neither added nor shortened, but must not outlive its end. */
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
	else if (late < -TOLERANCE_MS - early_ms)
		*out = FIREWALL_ALLOW_EXTEND;
	else if (!streq(wanted->comment, observed->comment))
		*out = FIREWALL_ALLOW_COMMENT;
	else
		return false;
	return true;
}

struct changes_draft {
	struct firewall_changes changes;
	int64_t now_ms, cut_ms, early_ms;
};

static struct firewall_change *draft_add(struct changes_draft *d, enum firewall_change_kind kind)
{
	struct firewall_changes *c = &d->changes;
	struct firewall_change *items = array_grown(c->items, c->n, sizeof(*items));

	if (!items)
		return NULL;
	c->items = items;
	c->items[c->n] = (struct firewall_change){.kind = kind};
	return &c->items[c->n++];
}

static void change_set_name(struct firewall_change *c, const struct endpoint *e,
	const struct source *s, const char *comment)
{
	c->endpoint = *e;
	c->source = *s;
	snprintf(c->comment, sizeof(c->comment), "%.*s", ALLOW_COMMENT_MAX, comment);
}

static int visit_allow(const void *wanted, const void *observed, void *context)
{
	const struct allow *w = wanted;
	const struct observed_allow *o = observed;
	struct changes_draft *d = context;
	enum firewall_change_kind kind;
	struct firewall_change *c;

	if (!diff_allow(&kind, w, o, d->now_ms, d->cut_ms, d->early_ms))
		return 0;
	c = draft_add(d, kind);
	if (!c)
		return -ENOMEM;
	if (w)
		change_set_name(c, &w->endpoint, &w->source, w->comment);
	else if (o)
		change_set_name(c, &o->endpoint, &o->source, o->comment);
	if (w && kind != FIREWALL_ALLOW_REMOVE)
		c->until = w->until;
	if (o && o->has_timeout)
		c->observed_until = (d->now_ms + (int64_t)o->remaining_ms) / 1000;
	return 0;
}

static int visit_trusted(const void *wanted, const void *observed, void *context)
{
	const struct trusted *w = wanted, *o = observed, *t = w ? w : o;
	struct firewall_change *c;

	if (!t || (w && o && streq(w->comment, o->comment)))
		return 0;
	c = draft_add(context, w ? FIREWALL_TRUSTED_ADD : FIREWALL_TRUSTED_REMOVE);
	if (!c)
		return -ENOMEM;
	change_set_name(c, &t->endpoint, &t->source, t->comment);
	return 0;
}

static int visit_guard(const void *wanted, const void *observed, void *context)
{
	const struct endpoint *e = wanted ? wanted : observed;
	struct firewall_change *c;

	if (!e || (wanted && observed))
		return 0;
	c = draft_add(context, wanted ? FIREWALL_GUARD_ADD : FIREWALL_GUARD_REMOVE);
	if (!c)
		return -ENOMEM;
	c->endpoint = *e;
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

int diff_at(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, int64_t now_ms, int64_t cut_ms, int64_t early_ms)
{
	struct changes_draft d = {.now_ms = now_ms, .cut_ms = cut_ms, .early_ms = early_ms};
	int rc = 0;

	if ((!observed->present || !observed->intact) && !draft_add(&d, FIREWALL_TABLE))
		rc = -ENOMEM;
	if (rc == 0)
		rc = walk_guards(wanted, observed, visit_guard, &d);
	if (rc == 0)
		rc = walk_trusted(wanted, observed, visit_trusted, &d);
	if (rc == 0)
		rc = walk_allows(wanted, observed, visit_allow, &d);
	if (rc < 0) {
		firewall_changes_free(&d.changes);
		return rc;
	}
	if (d.changes.n)
		qsort(d.changes.items, d.changes.n, sizeof(*d.changes.items),
			firewall_change_compare);
	*out = d.changes;
	return 0;
}

int firewall_diff(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, instant_t now)
{
	return diff_at(out, wanted, observed, now * 1000, 0, 0);
}
