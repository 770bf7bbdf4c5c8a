/* When the server saw something in use, and how large it is. */
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

/* A table is used when it is read or written; an index when something is found through it, because it is written
 * whenever its table is. */
static void index_seen(struct inventory *v, const struct inventory_use *u)
{
	struct inventory_item *table =
		inventory_find(v, u->server, u->database, SPACE_OBJECT, u->id, 0);

	seen(table, u, u->last > u->written ? u->last : u->written);
	/* 0 is the table itself, without an index to find its rows by. */
	if (u->index)
		seen(inventory_find(v, u->server, u->database, SPACE_OTHER, u->index, u->id), u,
			u->last);
}

void inventory_use(struct inventory *v)
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
