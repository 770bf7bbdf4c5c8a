/* Writes a script that drops objects round by round, for review by the client's own people. Curfew itself drops nothing. */
#include "inventory/inventory_internal.h"

#include <errno.h>

#include "curfew/sql.h"

/* A name must not end the comment's line. */
static void comment_write(FILE *to, const char *text)
{
	for (; *text; text++)
		putc((unsigned char)*text < ' ' ? ' ' : *text, to);
}

struct dropping {
	const struct inventory *v;
	size_t *items;
	size_t n;
	bool *ready;
	struct dependents dependents;
	const struct inventory_item *last; /* for which something was written */
};

static int round_order(const void *a, const void *b, void *items)
{
	const struct inventory_item *all = items;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (all[x].round != all[y].round)
		return all[x].round < all[y].round ? -1 : 1;
	if (all[x].cycle != all[y].cycle)
		return all[x].cycle < all[y].cycle ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int edge_order(const void *edge, const void *to)
{
	const struct inventory_edge *e = edge;
	const size_t *item = to;

	return (e->to > *item) - (e->to < *item);
}

/* Returns an object that refers to this one and stays, or NULL; `together`: without those of the same cycle that go too.
 * Edges are sorted by what they refer to. */
static const struct inventory_item *keeper_of(const struct dropping *d, size_t item, bool together)
{
	const struct inventory *v = d->v;
	size_t low = array_first(v->edges, v->n_edges, sizeof(*v->edges), &item, edge_order);

	for (; low < v->n_edges && v->edges[low].to == item; low++) {
		const struct inventory_item *from = &v->items[v->edges[low].from];
		bool same = together && from->cycle && from->cycle == v->items[item].cycle &&
			    inventory_is_to_go(from);
		if (from->on != &v->items[item] && !same && !d->ready[v->edges[low].from])
			return from;
	}
	return NULL;
}

static void heading_write(FILE *to, const struct inventory_item *i)
{
	fprintf(to, "-- %s ", i->type);
	comment_write(to, i->full);
	fputs(": ", to);
	comment_write(to, i->decision ? "decided to drop" : i->reason);
	if (i->cycle)
		fprintf(to, "; cycle %zu: these objects refer to each other", i->cycle);
	fputs("\n", to);
}

static bool is_unread(const struct dropping *d, const struct inventory_item *i)
{
	return i->cycle && streq(i->type, "table") &&
	       inventory_dependents_unread(d->v, i->server, i->database);
}

/* Writes why SQL Server would refuse to drop it. False: it would not. */
static bool stays_write(FILE *to, struct dropping *d, const struct inventory_item *i)
{
	struct text text;

	if (is_unread(d, i)) {
		fputs("-- not yet: the constraints of tables were not read\n", to);
		return true;
	}
	if (!streq(i->type, "column") || !text_begin(&text))
		return false;
	bool stays = inventory_dependents_stay(text.to, &d->dependents, i);
	_cleanup_free_ char *why = text_end(&text);
	if (stays)
		fprintf(to, "-- not yet: %s\n", why ? why : "");
	return stays;
}

static void item_write(FILE *to, struct dropping *d, size_t item)
{
	const struct inventory_item *i = &d->v->items[item];
	const struct inventory_item *keeper = d->ready[item] ? NULL : keeper_of(d, item, false);

	heading_write(to, i);
	if (stays_write(to, d, i))
		return;
	if (keeper) {
		fprintf(to, "-- not yet: %s ", keeper->type);
		comment_write(to, keeper->full);
		fputs(" refers to it, and stays\n", to);
		return;
	}
	if (streq(i->type, "index") && inventory_dependent_gone(&d->dependents, i)) {
		fputs("-- dropped above, with a column\n", to);
		return;
	}
	if (streq(i->type, "column"))
		inventory_dependents_write(to, &d->dependents, i);
	if (!inventory_drop_write(to, i))
		fputs("-- no statement can write this name or type; a DBA must review it\n", to);
}

static void place_write(FILE *to, struct dropping *d, const struct inventory_item *i)
{
	const struct inventory_item *last = d->last;

	if (!last || last->round != i->round)
		fprintf(to, "\n-- Round %zu\n", i->round);
	if (!last || last->database != i->database || last->server != i->server) {
		fputs("USE ", to);
		sql_write_name(to, i->database);
		fputs(";\n", to);
	}
	d->last = i;
}

/* Objects that refer to each other go together or not at all. A foreign key keeps a table, and a check the function that
 * it calls, in whatever order they are dropped, so the constraints of all these tables go first. */
static void group_write(FILE *to, struct dropping *d, size_t first, size_t end)
{
	const struct inventory_item *all = d->v->items;
	bool ready = true;

	for (size_t k = first; k < end && ready; k++)
		ready = !keeper_of(d, d->items[k], true) && !is_unread(d, &all[d->items[k]]);
	for (size_t k = first; k < end; k++)
		d->ready[d->items[k]] = ready;
	for (size_t k = first; k < end && ready; k++) {
		const struct inventory_item *i = &all[d->items[k]];
		if (!i->cycle || !streq(i->type, "table"))
			continue;
		place_write(to, d, i);
		inventory_dependents_write(to, &d->dependents, i);
	}
	for (size_t k = first; k < end; k++) {
		place_write(to, d, &all[d->items[k]]);
		item_write(to, d, d->items[k]);
	}
}

static void items_write(FILE *to, struct dropping *d)
{
	for (size_t first = 0, end; first < d->n; first = end) {
		const struct inventory_item *i = &d->v->items[d->items[first]];
		for (end = first + 1; end < d->n && i->cycle; end++)
			if (d->v->items[d->items[end]].cycle != i->cycle)
				break;
		group_write(to, d, first, end);
	}
}

int inventory_drop_script(FILE *to, const struct inventory *v)
{
	_cleanup_free_ size_t *items = calloc(v->n + 1, sizeof(*items));
	_cleanup_free_ bool *ready = calloc(v->n + 1, sizeof(*ready));
	_cleanup_free_ bool *gone = calloc(v->n_dependents + 1, sizeof(*gone));
	struct dropping d = {.v = v, .items = items, .ready = ready, .dependents = {v, gone}};

	if (!items || !ready || !gone)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++)
		if (inventory_is_to_go(&v->items[i]))
			items[d.n++] = i;
	if (d.n)
		qsort_r(items, d.n, sizeof(*items), round_order, v->items);
	fputs("-- For review, then to be run by the client's own people, round by round. Curfew itself drops nothing.\n"
	      "-- Listed is what was decided to be dropped, and what is red without a decision. Red means: not seen in use for\n"
	      "-- long enough, and nothing that the server knows of refers to it. Applications and dynamic SQL are not seen: ask\n"
	      "-- who owns each before it goes.\n",
		to);
	items_write(to, &d);
	return ferror(to) ? -EIO : 0;
}
