/* Sorted orders of the items: by type and name for people, by the server's number and by name for references. */
#include "inventory/inventory_internal.h"

#include <errno.h>
#include <strings.h>

/* Equal texts are usually stored once, so compare the pointers first. */
static int text_compare(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

static int number_compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static enum inventory_space space_of(const struct inventory_item *i)
{
	static const char *const others[] = {"index", "job", LINKED_SERVER};

	if (streq(i->type, "type"))
		return SPACE_TYPE;
	if (streq(i->type, "assembly"))
		return SPACE_ASSEMBLY;
	if (streq(i->type, "column"))
		return SPACE_COLUMN;
	for (size_t k = 0; k < ARRAY_SIZE(others); k++)
		if (streq(i->type, others[k]))
			return SPACE_OTHER;
	return SPACE_OBJECT;
}

struct id_key {
	const char *server, *database;
	enum inventory_space space;
	uint64_t id, owner;
};

static struct id_key key_of(const struct inventory_item *i)
{
	enum inventory_space space = space_of(i);

	return (struct id_key){i->server, i->database, space, i->id,
		space == SPACE_OTHER || space == SPACE_COLUMN ? i->parent : 0};
}

static int key_compare(const struct id_key *a, const struct id_key *b)
{
	int order = text_compare(a->server, b->server);

	if (!order)
		order = text_compare(a->database, b->database);
	if (!order)
		order = (a->space > b->space) - (a->space < b->space);
	if (!order)
		order = number_compare(a->id, b->id);
	return order ? order : number_compare(a->owner, b->owner);
}

static int id_order(const void *a, const void *b)
{
	struct id_key x = key_of(a), y = key_of(b);

	return key_compare(&x, &y);
}

static int name_order(const void *a, const void *b)
{
	const struct inventory_item *x = a, *y = b;
	int order = text_compare(x->server, y->server);

	if (!order)
		order = text_compare(x->database, y->database);
	if (!order)
		order = text_compare(x->type, y->type);
	if (!order)
		order = strcmp(x->full, y->full);
	if (!order)
		order = number_compare(x->id, y->id);
	return order ? order : number_compare(x->parent, y->parent);
}

static int by_id_order(const void *a, const void *b, void *items)
{
	const struct inventory_item *all = items;

	return id_order(&all[*(const size_t *)a], &all[*(const size_t *)b]);
}

static int by_name_order(const void *a, const void *b, void *items)
{
	const struct inventory_item *all = items;
	const struct inventory_item *x = &all[*(const size_t *)a], *y = &all[*(const size_t *)b];
	int order = text_compare(x->server, y->server);

	return order ? order : strcasecmp(x->name, y->name);
}

/* Requires items sorted by id. */
static const struct inventory_item *parent_find(
	const struct inventory *v, const struct inventory_item *i)
{
	struct inventory_item key = {
		.server = i->server, .database = i->database, .type = "table", .id = i->parent};

	return i->parent ? bsearch(&key, v->items, v->n, sizeof(key), id_order) : NULL;
}

static int full_set(struct inventory *v, struct inventory_item *i)
{
	const struct inventory_item *on =
		streq(i->type, "column") || streq(i->type, "index") ? parent_find(v, i) : NULL;
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	if (on)
		fprintf(text.to, "%s.%s.", on->schema, on->name);
	else if (*i->schema)
		fprintf(text.to, "%s.", i->schema);
	fputs(i->name, text.to);
	_cleanup_free_ char *full = text_end(&text);
	i->full = full ? inventory_text(v, full) : NULL;
	return i->full ? 0 : -ENOMEM;
}

/* A part that was read again may be reported twice. */
static void twice_drop(struct inventory *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!kept || name_order(&v->items[kept - 1], &v->items[i]))
			v->items[kept++] = v->items[i];
	v->n = kept;
}

int inventory_sort(struct inventory *v)
{
	int rc = 0;

	v->by_id = calloc(v->n + 1, sizeof(*v->by_id));
	v->by_name = calloc(v->n + 1, sizeof(*v->by_name));
	if (!v->by_id || !v->by_name)
		return -ENOMEM;
	if (!v->n)
		return 0;
	qsort(v->items, v->n, sizeof(*v->items), id_order);
	for (size_t i = 0; i < v->n && !rc; i++)
		rc = full_set(v, &v->items[i]);
	if (rc)
		return rc;
	qsort(v->items, v->n, sizeof(*v->items), name_order);
	twice_drop(v);
	for (size_t i = 0; i < v->n; i++) {
		v->by_id[i] = i;
		if (space_of(&v->items[i]) == SPACE_OBJECT)
			v->by_name[v->n_by_name++] = i;
	}
	qsort_r(v->by_id, v->n, sizeof(*v->by_id), by_id_order, v->items);
	qsort_r(v->by_name, v->n_by_name, sizeof(*v->by_name), by_name_order, v->items);
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i].parent)
			v->items[i].on = inventory_find(v, v->items[i].server, v->items[i].database,
				SPACE_OBJECT, v->items[i].parent, 0);
	return 0;
}

struct inventory_item *inventory_find(const struct inventory *v, const char *server,
	const char *database, enum inventory_space space, uint64_t id, uint64_t owner)
{
	const struct id_key wanted = {server, database, space, id, owner};
	size_t low = 0, high = v->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct inventory_item *i = &v->items[v->by_id[middle]];
		struct id_key key = key_of(i);
		int order = key_compare(&wanted, &key);
		if (!order)
			return i;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The first item that is not before it. */
static size_t place_find(const struct inventory *v, const struct inventory_item *wanted)
{
	return array_first(v->items, v->n, sizeof(*v->items), wanted, name_order);
}

struct inventory_item *inventory_called(const struct inventory *v, const char *server,
	const char *database, const char *type, const char *full)
{
	const struct inventory_item wanted = {
		.server = server, .database = database, .type = type, .full = full};
	size_t at = place_find(v, &wanted);
	struct inventory_item *i = &v->items[at];

	return at < v->n && streq(i->server, server) && streq(i->database, database) &&
			       streq(i->type, type) && streq(i->full, full)
		       ? i
		       : NULL;
}

struct inventory_item *inventory_linked_server(
	const struct inventory *v, const char *server, const char *name)
{
	const struct inventory_item first = {
		.server = server, .database = "", .type = LINKED_SERVER, .full = ""};

	for (size_t at = place_find(v, &first); at < v->n; at++) {
		struct inventory_item *i = &v->items[at];
		if (!streq(i->server, server) || *i->database || !streq(i->type, LINKED_SERVER))
			break;
		if (!strcasecmp(i->name, name))
			return i;
	}
	return NULL;
}

int inventory_named_each(const struct inventory *v, const char *server, const char *database,
	const char *schema, const char *name, inventory_fn each, void *context)
{
	size_t low = 0, high = v->n_by_name;
	int rc = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct inventory_item *i = &v->items[v->by_name[middle]];
		int order = text_compare(i->server, server);
		if ((order ? order : strcasecmp(i->name, name)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < v->n_by_name && !rc; low++) {
		const struct inventory_item *i = &v->items[v->by_name[low]];
		if (text_compare(i->server, server) || strcasecmp(i->name, name) != 0)
			break;
		if ((!*database || !strcasecmp(i->database, database)) &&
			(!*schema || !*i->schema || !strcasecmp(i->schema, schema)))
			rc = each(context, v->by_name[low]);
	}
	return rc;
}
