/* Classifies objects by comparing them with the product's lists. */
#include "inventory/inventory_internal.h"

const char *inventory_class_name(enum inventory_class c)
{
	static const char *const names[INVENTORY_CLASSES] = {[CLASS_PRODUCT] = "product",
		[CLASS_CHANGED] = "changed",
		[CLASS_CLIENT] = "client",
		[CLASS_UNKNOWN] = "unknown"};

	return (size_t)c < ARRAY_SIZE(names) ? names[c] : "unknown";
}

/* Types with a definition. Without its hash nobody can tell whether it was changed. */
static bool has_definition(const struct inventory_item *i)
{
	static const char *const types[] = {
		"view", "procedure", "function", "trigger", "ddl-trigger", "aggregate"};

	for (size_t k = 0; k < ARRAY_SIZE(types); k++)
		if (streq(i->type, types[k]))
			return !inventory_has_fact(i->facts, "clr");
	return false;
}

static void item_classify(struct inventory_item *i, const struct vendor *vendor)
{
	size_t n;
	const struct vendor_item *found = vendor_find(&n, vendor, i->type, i->full);

	i->class = n ? CLASS_CHANGED : CLASS_CLIENT;
	for (size_t k = 0; k < n; k++) {
		i->version = vendor->lists[found[k].list].version;
		if (!streq(found[k].hash, i->hash))
			continue;
		/* Both are encrypted: equal names say nothing about their content. */
		i->class = *i->hash || !has_definition(i) ? CLASS_PRODUCT : CLASS_UNKNOWN;
		return;
	}
	/* One is readable and the other is not, so they cannot be compared. */
	if (n && !*i->hash && has_definition(i))
		i->class = CLASS_UNKNOWN;
}

void inventory_classify(struct inventory *v, const struct vendor *vendor)
{
	for (size_t i = 0; i < v->n; i++) {
		struct inventory_item *t = &v->items[i];
		/* Jobs and linked servers belong to the whole server, so no list of one database covers them. */
		if (!vendor || !vendor->n_lists || !*t->database)
			t->class = CLASS_UNKNOWN;
		else if (t->writable)
			item_classify(t, vendor);
		else
			t->class = CLASS_CLIENT;
	}
}

bool inventory_is_custom(const struct inventory_item *i)
{
	bool part = streq(i->type, "column") || streq(i->type, "index");

	if (i->class == CLASS_PRODUCT || i->elsewhere)
		return false;
	/* Columns and indexes of a listed table go with that table. In a changed table of the product they are the
	 * change. */
	return !part || !i->on || i->on->class == CLASS_PRODUCT || i->on->class == CLASS_CHANGED;
}
