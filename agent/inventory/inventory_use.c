/* When the server last saw an object in use, and the object's size. */
#include "inventory/inventory_internal.h"

static void seen(struct inventory_item *i, const struct inventory_use *u, instant_t at)
{
	if (!i)
		return;
	i->uses += u->count;
	if (at > i->last) {
		i->last = at;
		i->seen_by = u->source;
	}
}

/* Reading or writing uses a table. Only a search uses an index, because every write to its table also writes the
 * index. */
static void index_seen(struct inventory *v, const struct inventory_use *u)
{
	struct inventory_item *table =
		inventory_find(v, u->server, u->database, SPACE_OBJECT, u->id, 0);

	seen(table, u, u->last > u->written ? u->last : u->written);
	/* Index 0 is the heap, the table itself. */
	if (u->index)
		seen(inventory_find(v, u->server, u->database, SPACE_OTHER, u->index, u->id), u,
			u->last);
}

void inventory_use_join(struct inventory *v)
{
	for (size_t i = 0; i < v->n_uses; i++) {
		const struct inventory_use *u = &v->uses[i];
		struct inventory_item *item =
			inventory_find(v, u->server, u->database, SPACE_OBJECT, u->id, 0);
		if (streq(u->source, "index-usage")) {
			index_seen(v, u);
		} else if (streq(u->source, "size") && item) {
			item->rows = u->rows;
			item->bytes = u->bytes;
		} else {
			seen(item, u, u->last);
		}
	}
}
