/* Completes an inventory: parents, use, class, risks, color, and the order of dropping. */
#include "inventory/inventory_internal.h"

static bool was_read(const struct inventory *v, const struct inventory_item *i)
{
	if (!*i->database) {
		const struct inventory_coverage *c =
			inventory_coverage_of(v, i->server, "", "whole");
		return c && c->seen == ANSWER_YES;
	}
	for (size_t k = 0; k < v->n_databases; k++)
		if (streq(v->databases[k].server, i->server) &&
			streq(v->databases[k].database, i->database))
			return v->databases[k].read;
	return false;
}

/* An incomplete list would look like a complete one. */
static void unread_drop(struct inventory *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++)
		if (was_read(v, &v->items[i]))
			v->items[kept++] = v->items[i];
	v->n = kept;
}

int inventory_finish(struct inventory *v, const struct vendor *vendor)
{
	unread_drop(v);
	int rc = inventory_sort(v);

	if (rc)
		return rc;
	inventory_dependents_sort(v);
	inventory_parts_name(v, vendor);
	inventory_use_join(v);
	inventory_recall(v);
	rc = inventory_link(v);
	if (rc)
		return rc;
	inventory_places(v);
	inventory_classify(v, vendor);
	inventory_risks(v);
	rc = inventory_colors(v);
	return rc ? rc : inventory_order(v);
}
