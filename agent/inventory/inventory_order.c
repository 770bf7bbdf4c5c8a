/* The order in which objects can be dropped without breaking a reference: first those that nothing refers to, then
 * those that only the first referred to, and so on. Objects in a cycle can only be dropped together. Uses Tarjan's
 * strongly connected components, without recursion, because a chain of references can be as long as the list. */
#include "inventory/inventory_internal.h"

#include <errno.h>

struct visit_place {
	size_t item, edge; /* the next edge to follow */
};

struct ordering {
	struct inventory *v;
	size_t *first; /* offset in `out` of each item's first edge, with one more at the end */
	size_t *out;   /* indexes of edges by `from` */
	size_t *index, *low, *stack, *component;
	bool *on_stack;
	struct visit_place *path;
	size_t n_index, n_stack, n_path, n_components;
};

static void ordering_free(struct ordering *o)
{
	free(o->first);
	free(o->out);
	free(o->index);
	free(o->low);
	free(o->stack);
	free(o->component);
	free(o->on_stack);
	free(o->path);
}

static int ordering_begin(struct ordering *o, struct inventory *v)
{
	size_t n = v->n + 2;

	*o = (struct ordering){.v = v,
		.first = calloc(n, sizeof(*o->first)),
		.out = calloc(v->n_edges + 1, sizeof(*o->out)),
		.index = calloc(n, sizeof(*o->index)),
		.low = calloc(n, sizeof(*o->low)),
		.stack = calloc(n, sizeof(*o->stack)),
		.component = calloc(n, sizeof(*o->component)),
		.on_stack = calloc(n, sizeof(*o->on_stack)),
		.path = calloc(n, sizeof(*o->path))};
	if (!o->first || !o->out || !o->index || !o->low || !o->stack || !o->component ||
		!o->on_stack || !o->path)
		return -ENOMEM;
	for (size_t i = 0; i < v->n_edges; i++)
		o->first[v->edges[i].from + 1]++;
	for (size_t i = 0; i < v->n; i++)
		o->first[i + 1] += o->first[i];
	/* `index` temporarily holds each item's next free place in `out`. */
	for (size_t i = 0; i < v->n_edges; i++) {
		size_t from = v->edges[i].from;
		o->out[o->first[from] + o->index[from]++] = i;
	}
	memset(o->index, 0, n * sizeof(*o->index));
	return 0;
}

static void item_enter(struct ordering *o, size_t item)
{
	o->index[item] = o->low[item] = ++o->n_index;
	o->stack[o->n_stack++] = item;
	o->on_stack[item] = true;
	o->path[o->n_path++] = (struct visit_place){item, o->first[item]};
}

static void component_end(struct ordering *o, size_t item)
{
	size_t member;

	o->n_components++;
	do {
		member = o->stack[--o->n_stack];
		o->on_stack[member] = false;
		o->component[member] = o->n_components;
	} while (member != item);
}

/* Numbers components so that an object that is referred to comes before those that refer to it. */
static void components_find(struct ordering *o, size_t root)
{
	item_enter(o, root);
	while (o->n_path) {
		struct visit_place *p = &o->path[o->n_path - 1];
		size_t item = p->item;
		if (p->edge < o->first[item + 1]) {
			size_t to = o->v->edges[o->out[p->edge++]].to;
			if (!o->index[to])
				item_enter(o, to);
			else if (o->on_stack[to] && o->index[to] < o->low[item])
				o->low[item] = o->index[to];
			continue;
		}
		o->n_path--;
		if (o->n_path && o->low[item] < o->low[o->path[o->n_path - 1].item])
			o->low[o->path[o->n_path - 1].item] = o->low[item];
		if (o->low[item] == o->index[item])
			component_end(o, item);
	}
}

static void cycles_number(struct ordering *o, size_t *sizes, size_t *numbers)
{
	struct inventory *v = o->v;

	for (size_t i = 0; i < v->n; i++)
		sizes[o->component[i]]++;
	for (size_t i = 0; i < v->n; i++) {
		size_t c = o->component[i];
		if (sizes[c] < 2)
			continue;
		if (!numbers[c])
			numbers[c] = ++v->cycles;
		v->items[i].cycle = numbers[c];
	}
}

/* An object that refers has the greater number. From the greatest down, each component's round is known before it is
 * needed. A part of an object is dropped with it and does not keep it. */
static void rounds_set(struct ordering *o, size_t *rounds, bool *kept, size_t *order)
{
	struct inventory *v = o->v;

	for (size_t i = 0; i < v->n; i++) {
		size_t c = o->component[i];
		rounds[c] = rounds[c] ? rounds[c] : 1;
		/* An object of the product that was changed is restored, not dropped. */
		kept[c] = kept[c] || !inventory_is_custom(&v->items[i]) ||
			  v->items[i].class == CLASS_CHANGED;
	}
	for (size_t at = 0; at < v->n; at++) {
		size_t i = order[at], c = o->component[i];
		for (size_t e = o->first[i]; e < o->first[i + 1]; e++) {
			size_t to = v->edges[o->out[e]].to, d = o->component[to];
			if (d == c || v->items[i].on == &v->items[to])
				continue;
			if (rounds[d] <= rounds[c])
				rounds[d] = rounds[c] + 1;
			kept[d] = kept[d] || kept[c];
		}
	}
	for (size_t i = 0; i < v->n; i++)
		v->items[i].round = kept[o->component[i]] ? 0 : rounds[o->component[i]];
}

static int component_order(const void *a, const void *b, void *component)
{
	const size_t *c = component;
	size_t x = c[*(const size_t *)a], y = c[*(const size_t *)b];

	return (x < y) - (x > y);
}

int inventory_order(struct inventory *v)
{
	struct ordering o;
	int rc = ordering_begin(&o, v);
	_cleanup_free_ size_t *rounds = calloc(v->n + 2, sizeof(*rounds));
	_cleanup_free_ size_t *sizes = calloc(v->n + 2, sizeof(*sizes));
	_cleanup_free_ size_t *numbers = calloc(v->n + 2, sizeof(*numbers));
	_cleanup_free_ size_t *order = calloc(v->n + 2, sizeof(*order));
	_cleanup_free_ bool *kept = calloc(v->n + 2, sizeof(*kept));

	if (!rounds || !sizes || !numbers || !order || !kept)
		rc = -ENOMEM;
	for (size_t i = 0; i < v->n && !rc; i++) {
		order[i] = i;
		if (!o.index[i])
			components_find(&o, i);
	}
	if (!rc && v->n) {
		qsort_r(order, v->n, sizeof(*order), component_order, o.component);
		cycles_number(&o, sizes, numbers);
		rounds_set(&o, rounds, kept, order);
	}
	ordering_free(&o);
	return rc;
}
