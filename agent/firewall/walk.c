/* Walks two sorted lists, scheduled and observed, in step. Every comparison in firewall/ uses it. Pure. */
#include "firewall/netlink.h"

int allow_key_compare(const struct endpoint *e1, const struct source *s1, const struct endpoint *e2,
	const struct source *s2)
{
	int rc = endpoint_compare(e1, e2);

	return rc ? rc : source_compare(s1, s2);
}

static int compare_allow(const void *wanted, const void *observed)
{
	const struct allow *w = wanted;
	const struct observed_allow *o = observed;

	return allow_key_compare(&w->endpoint, &w->source, &o->endpoint, &o->source);
}

static int compare_trusted(const void *wanted, const void *observed)
{
	const struct trusted *w = wanted;
	const struct observed_trusted *o = observed;

	return allow_key_compare(&w->endpoint, &w->source, &o->endpoint, &o->source);
}

struct side {
	const char *items;
	size_t n, size;
};

static int walk(const struct side *wanted, const struct side *observed,
	int (*compare)(const void *wanted, const void *observed), walk_fn visit, void *context)
{
	size_t i = 0, k = 0;

	while (i < wanted->n || k < observed->n) {
		const char *w = i < wanted->n ? wanted->items + i * wanted->size : NULL;
		const char *o = k < observed->n ? observed->items + k * observed->size : NULL;
		int order = w && o ? compare(w, o) : w ? -1 : 1, r;

		if (order > 0)
			w = NULL;
		else if (order < 0)
			o = NULL;
		r = visit(w, o, context);
		if (r < 0)
			return r;
		i += w != NULL;
		k += o != NULL;
	}
	return 0;
}

#define SIDE(list, count) (&(struct side){(const char *)(list), (count), sizeof(*(list))})

int walk_allows(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context)
{
	return walk(SIDE(w->allows, w->n_allows), SIDE(o->allows, o->n_allows), compare_allow,
		visit, context);
}

int walk_trusted(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context)
{
	return walk(SIDE(w->trusted, w->n_trusted), SIDE(o->trusted, o->n_trusted), compare_trusted,
		visit, context);
}

int walk_guards(
	const struct allowlist *w, const struct firewall_state *o, walk_fn visit, void *context)
{
	return walk(SIDE(w->guards, w->n_guards), SIDE(o->guards, o->n_guards), guard_compare,
		visit, context);
}
