/* What a database has, in the order of names: whoever may alter it can make any number of users, members, permissions,
 * and owned things, and nothing is compared with each of them. */
#include <stdlib.h>
#include <string.h>

#include "access/difference.h"

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static int names_order(const struct name_place *x, const struct name_place *y)
{
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->second, y->second);
}

/* Of one name in the order in which they were read. */
static int place_compare(const void *a, const void *b)
{
	const struct name_place *x = a, *y = b;
	int c = names_order(x, y);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int key_compare(const void *item, const void *key)
{
	return names_order(item, key);
}

size_t name_first(const struct name_index *x, const char *name, const char *second)
{
	const struct name_place key = {text_of(name), text_of(second), 0};

	return array_first(x->items, x->n, sizeof(key), &key, key_compare);
}

bool name_is_at(const struct name_index *x, size_t i, const char *name, const char *second)
{
	return i < x->n && streq(x->items[i].name, text_of(name)) &&
	       streq(x->items[i].second, text_of(second));
}

static bool index_new(struct name_index *x, size_t n)
{
	x->items = calloc(n + 1, sizeof(*x->items));
	return x->items;
}

static void index_add(struct name_index *x, const char *name, const char *second)
{
	x->items[x->n] = (struct name_place){text_of(name), text_of(second), x->n};
	x->n++;
}

static void index_sort(struct name_index *x)
{
	array_sort(x->items, x->n, sizeof(*x->items), place_compare);
}

void database_index_free(struct database_index *x)
{
	free(x->users.items);
	free(x->members.items);
	free(x->grantees.items);
	free(x->grantors.items);
	free(x->schemas.items);
	free(x->securables.items);
	free(x->owners.items);
	*x = (struct database_index){0};
}

/* In an index that is empty. */
bool database_index_build(struct database_index *x, const struct observed_database *d)
{
	if (!index_new(&x->users, d->n_users) || !index_new(&x->members, d->n_members) ||
		!index_new(&x->grantees, d->n_permissions) ||
		!index_new(&x->grantors, d->n_permissions) ||
		!index_new(&x->schemas, d->n_permissions) ||
		!index_new(&x->securables, d->n_permissions) ||
		!index_new(&x->owners, d->n_owned)) {
		database_index_free(x);
		return false;
	}
	for (size_t i = 0; i < d->n_users; i++)
		index_add(&x->users, d->users[i].name, NULL);
	for (size_t i = 0; i < d->n_members; i++)
		index_add(&x->members, d->members[i].member, NULL);
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		index_add(&x->grantees, p->grantee, NULL);
		index_add(&x->grantors, p->grantor, NULL);
		index_add(&x->schemas, p->schema, NULL);
		index_add(&x->securables, p->schema, p->object);
	}
	for (size_t i = 0; i < d->n_owned; i++)
		index_add(&x->owners, d->owned[i].owner, NULL);
	index_sort(&x->users);
	index_sort(&x->members);
	index_sort(&x->grantees);
	index_sort(&x->grantors);
	index_sort(&x->schemas);
	index_sort(&x->securables);
	index_sort(&x->owners);
	return true;
}

const struct database_index *builder_index(struct builder *b, const struct observed_database *d)
{
	struct database_index *x = &b->indexes[d - b->o->databases];

	if (x->users.items || database_index_build(x, d))
		return x;
	b->no_memory = true;
	return NULL;
}
