/* The rows of catalog answers by their ids: sorted, searched, and freed. */
#include <stdlib.h>

#include "catalog/catalog.h"

static void things_free(struct raw_things *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->items[i].name);
	free(t->items);
}

void raw_catalog_free(struct raw_catalog *r)
{
	for (size_t i = 0; i < r->n_principals; i++) {
		free(r->principals[i].name);
		free(r->principals[i].default_database);
	}
	for (size_t i = 0; i < r->n_permissions; i++)
		free(r->permissions[i].name);
	for (size_t i = 0; i < r->n_runners; i++) {
		free(r->runners[i].schema);
		free(r->runners[i].name);
	}
	free(r->runners);
	for (size_t i = 0; i < r->n_triggers; i++)
		free(r->triggers[i].name);
	things_free(&r->schemas);
	things_free(&r->objects);
	things_free(&r->types);
	things_free(&r->columns);
	for (size_t i = 0; i < RARER_KINDS; i++)
		things_free(&r->rarer[i]);
	free(r->principals);
	free(r->members);
	free(r->permissions);
	free(r->triggers);
	free(r->there);
	*r = (struct raw_catalog){0};
}

static int principal_compare(const void *a, const void *b)
{
	const struct raw_principal *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Columns are searched by their object too. */
static int thing_compare(const void *a, const void *b)
{
	const struct raw_thing *x = a, *y = b;
	int c = (x->id > y->id) - (x->id < y->id);

	return c ? c : (x->schema > y->schema) - (x->schema < y->schema);
}

static int thing_id_compare(const void *a, const void *b)
{
	const struct raw_thing *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void sorted(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n)
		qsort(items, n, size, compare);
}

void raw_catalog_sort(struct raw_catalog *r)
{
	sorted(r->principals, r->n_principals, sizeof(*r->principals), principal_compare);
	sorted(r->schemas.items, r->schemas.n, sizeof(struct raw_thing), thing_compare);
	sorted(r->objects.items, r->objects.n, sizeof(struct raw_thing), thing_compare);
	sorted(r->types.items, r->types.n, sizeof(struct raw_thing), thing_compare);
	sorted(r->columns.items, r->columns.n, sizeof(struct raw_thing), thing_compare);
	for (size_t i = 0; i < RARER_KINDS; i++)
		sorted(r->rarer[i].items, r->rarer[i].n, sizeof(struct raw_thing), thing_compare);
}

const struct raw_principal *raw_principal_by(const struct raw_catalog *r, int id)
{
	const struct raw_principal key = {.id = id};

	return r->n_principals ? bsearch(&key, r->principals, r->n_principals, sizeof(key),
					 principal_compare)
			       : NULL;
}

const struct raw_thing *raw_thing_by(const struct raw_things *t, int id)
{
	const struct raw_thing key = {.id = id};

	return t->n ? bsearch(&key, t->items, t->n, sizeof(key), thing_id_compare) : NULL;
}

const struct raw_thing *raw_column_by(const struct raw_things *t, int object, int id)
{
	const struct raw_thing key = {.id = id, .schema = object};

	return t->n ? bsearch(&key, t->items, t->n, sizeof(key), thing_compare) : NULL;
}
