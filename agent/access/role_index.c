/* What stands in a database on its schemas and on itself, in order: whoever may make schemas may make thousands, and each
 * of them is looked up for each permission of each level. */
#include <stdlib.h>
#include <string.h>

#include "access/difference.h"

static const char *schema_of(const struct permission *p)
{
	return p->class == CLASS_SCHEMA ? p->schema : "";
}

/* The grantor does not matter. */
static int permission_compare(const void *a, const void *b)
{
	const struct permission *x = *(const struct permission *const *)a;
	const struct permission *y = *(const struct permission *const *)b;
	int c = x->class != y->class   ? (x->class > y->class) - (x->class < y->class)
		: x->state != y->state ? (x->state > y->state) - (x->state < y->state)
				       : strcmp(schema_of(x), schema_of(y));

	if (!c)
		c = names_compare(x->grantee, y->grantee);
	return c ? c : names_compare(x->name, y->name);
}

static int owned_compare(const void *a, const void *b)
{
	const struct observed_owned *x = *(const struct observed_owned *const *)a;
	const struct observed_owned *y = *(const struct observed_owned *const *)b;
	int c = strcmp(x->name, y->name);

	return c ? c : names_compare(x->owner, y->owner);
}

bool role_index_build(struct role_index *x, const struct observed_database *d)
{
	*x = (struct role_index){
		.permissions = calloc(d->n_permissions + 1, sizeof(*x->permissions)),
		.schemas = calloc(d->n_owned + 1, sizeof(*x->schemas))};
	if (!x->permissions || !x->schemas) {
		role_index_free(x);
		return false;
	}
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		if (p->class == CLASS_DATABASE || (p->class == CLASS_SCHEMA && p->schema))
			x->permissions[x->n_permissions++] = p;
	}
	for (size_t i = 0; i < d->n_owned; i++)
		if (streq(d->owned[i].kind, "SCHEMA"))
			x->schemas[x->n_schemas++] = &d->owned[i];
	array_sort(x->permissions, x->n_permissions, sizeof(*x->permissions), permission_compare);
	array_sort(x->schemas, x->n_schemas, sizeof(*x->schemas), owned_compare);
	return true;
}

void role_index_free(struct role_index *x)
{
	free(x->permissions);
	free(x->schemas);
	*x = (struct role_index){0};
}

bool permission_stands(const struct role_index *x, const char *role, const char *schema,
	const char *name, char state)
{
	const struct permission wanted = {.class = schema ? CLASS_SCHEMA : CLASS_DATABASE,
		.state = state,
		.name = (char *)name,
		.schema = (char *)schema,
		.grantee = (char *)role};
	const struct permission *key = &wanted;

	return x->n_permissions && bsearch(&key, x->permissions, x->n_permissions,
					   sizeof(*x->permissions), permission_compare);
}

bool role_owns(const struct role_index *x, const char *role, const char *schema)
{
	const struct observed_owned wanted = {.name = (char *)schema, .owner = (char *)role};
	const struct observed_owned *key = &wanted;

	return x->n_schemas &&
	       bsearch(&key, x->schemas, x->n_schemas, sizeof(*x->schemas), owned_compare);
}
