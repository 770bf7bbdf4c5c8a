/* Walks two sorted lists, scheduled and observed, in step. Every comparison in firewall/ uses it. Pure. */
#include <string.h>

#include "firewall/netlink.h"

int allow_key_compare(const struct endpoint *e1, const struct source *s1, const struct endpoint *e2,
	const struct source *s2)
{
	/* Mostly both lists have the same entries. */
	if (!memcmp(e1, e2, sizeof(*e1)) && s1->family == s2->family && s1->prefix == s2->prefix &&
		!memcmp(s1->addr, s2->addr, sizeof(s1->addr)))
		return 0;
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
		int order = w && o ? compare(w, o) : w ? -1 : 1, rc;

		if (order > 0)
			w = NULL;
		else if (order < 0)
			o = NULL;
		rc = visit(w, o, context);
		if (rc < 0)
			return rc;
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
