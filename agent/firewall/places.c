/* Which server's chain an endpoint leads to. All endpoints of a server share its sets, so that an address is one element
 * for all of them. Pure. */
#include <string.h>

#include "firewall/netlink.h"

static bool guards_share(const struct guard *a, const struct guard *b)
{
	if (!a->server || !b->server)
		return !a->server && !b->server && guard_compare(a, b) == 0;
	return streq(a->server, b->server);
}

static size_t guards_merge(
	struct guard *out, const struct guard *a, size_t n_a, const struct guard *b, size_t n_b)
{
	size_t n = 0, i = 0, k = 0;

	while (i < n_a || k < n_b) {
		int order = i == n_a ? 1 : k == n_b ? -1 : guard_compare(&a[i], &b[k]);

		out[n++] = order <= 0 ? a[i] : b[k];
		i += order <= 0;
		k += order >= 0;
	}
	return n;
}

int places_make(struct places *out, struct firewall *f, const struct guard *a, size_t n_a,
	const struct guard *b, size_t n_b)
{
	struct places l = {0};
	char name[NFT_NAME_MAX];
	int rc = 0;

	l.guards = calloc(n_a + n_b + 1, sizeof(*l.guards));
	l.items = calloc(n_a + n_b + 1, sizeof(*l.items));
	if (!l.guards || !l.items) {
		places_free(&l);
		return -ENOMEM;
	}
	l.n = guards_merge(l.guards, a, n_a, b, n_b);
	for (size_t i = 0; i < l.n && rc == 0; i++) {
		struct endpoint_place *p = &l.items[i];

		*p = (struct endpoint_place){.guard = &l.guards[i], .first = true, .endpoints = 1};
		rc = names_number(&p->server, &f->groups, chain_name(name, p->guard));
		for (size_t k = 0; k < i; k++) {
			struct endpoint_place *other = &l.items[k];

			if (other->server != p->server ||
				other->guard->endpoint.family != p->guard->endpoint.family)
				continue;
			p->first = false;
			p->endpoints = ++other->endpoints;
		}
	}
	if (rc < 0) {
		places_free(&l);
		return rc;
	}
	*out = l;
	return 0;
}

void places_free(struct places *l)
{
	free(l->guards);
	free(l->items);
	*l = (struct places){0};
}

const struct endpoint_place *places_find(struct places *l, const struct endpoint *e)
{
	if (l->last < l->n && endpoint_compare(&l->guards[l->last].endpoint, e) == 0)
		return &l->items[l->last];
	const struct guard *found = guard_find(l->guards, l->n, e);
	if (!found)
		return NULL;
	l->last = (size_t)(found - l->guards);
	return &l->items[l->last];
}

static int allow_compare(const void *key, const void *item)
{
	const struct allow *k = key, *a = item;
	int order = endpoint_compare(&k->endpoint, &a->endpoint);

	return order ? order : source_compare(&k->source, &a->source);
}

static const struct allow *allow_find(
	const struct allowlist *w, const struct endpoint *e, const struct source *s)
{
	const struct allow key = {.endpoint = *e, .source = *s};

	return w->n_allows ? bsearch(&key, w->allows, w->n_allows, sizeof(key), allow_compare)
			   : NULL;
}

/* The earliest end that a source has at the endpoints of a server; 0: one of them does not let it in. */
static instant_t shared_until(const struct places *l, const struct endpoint_place *p,
	const struct allowlist *w, const struct source *s)
{
	instant_t until = INT64_MAX;

	for (size_t i = 0; i < l->n; i++) {
		const struct allow *a;

		if (l->items[i].server != p->server ||
			l->guards[i].endpoint.family != p->guard->endpoint.family)
			continue;
		a = allow_find(w, &l->guards[i].endpoint, s);
		if (!a)
			return 0;
		until = a->until < until ? a->until : until;
	}
	return until;
}

bool places_agree(struct places *l, const struct allowlist *wanted)
{
	bool shared = false;

	for (size_t i = 0; i < l->n; i++)
		shared |= l->items[i].endpoints > 1;
	for (size_t i = 0; i < wanted->n_allows && shared; i++) {
		const struct allow *a = &wanted->allows[i];
		const struct endpoint_place *p = places_find(l, &a->endpoint);

		if (p && p->endpoints > 1 && shared_until(l, p, wanted, &a->source) != a->until)
			return false;
	}
	return true;
}

int places_make_agree(struct allowlist *out, struct places *l, const struct allowlist *wanted)
{
	struct allowlist w = *wanted;

	w.n_allows = 0;
	w.allows = calloc(wanted->n_allows + 1, sizeof(*w.allows));
	if (!w.allows)
		return -ENOMEM;
	for (size_t i = 0; i < wanted->n_allows; i++) {
		struct allow a = wanted->allows[i];
		const struct endpoint_place *p = places_find(l, &a.endpoint);

		if (p && p->endpoints > 1)
			a.until = shared_until(l, p, wanted, &a.source);
		if (a.until)
			w.allows[w.n_allows++] = a;
	}
	*out = w;
	return 0;
}

static bool any_shares(const struct guard *list, size_t n, const struct guard *with)
{
	for (size_t i = 0; i < n; i++)
		if (guards_share(&list[i], with))
			return true;
	return false;
}

bool places_differ(const struct guard *wanted, size_t n_wanted, const struct guard *observed,
	size_t n_observed)
{
	for (size_t i = 0; i < n_wanted; i++) {
		const struct guard *o = guard_find(observed, n_observed, &wanted[i].endpoint);

		if (o ? !guards_share(o, &wanted[i]) : any_shares(observed, n_observed, &wanted[i]))
			return true;
	}
	for (size_t i = 0; i < n_observed; i++)
		if (!guard_find(wanted, n_wanted, &observed[i].endpoint) &&
			any_shares(wanted, n_wanted, &observed[i]))
			return true;
	return false;
}
