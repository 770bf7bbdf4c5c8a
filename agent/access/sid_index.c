/* SIDs in order. Whoever may alter a database can make any number of users in it, and none of them is compared with each
 * login of the server, nor with each that the inventory has. */
#include <string.h>

#include "access/difference.h"

static int sids_compare(const struct sid *x, const struct sid *y)
{
	int c = (x->size > y->size) - (x->size < y->size);

	return c ? c : memcmp(x->bytes, y->bytes, x->size);
}

/* Of one SID in the order in which they were read. */
static int place_compare(const void *a, const void *b)
{
	const struct sid_place *x = a, *y = b;
	int c = sids_compare(x->sid, y->sid);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int key_compare(const void *item, const void *key)
{
	const struct sid_place *x = item;

	return sids_compare(x->sid, key);
}

bool sid_index_new(struct sid_index *x, size_t n)
{
	x->items = calloc(n + 1, sizeof(*x->items));
	return x->items;
}

void sid_index_add(struct sid_index *x, const struct sid *sid, size_t at)
{
	if (sid->size)
		x->items[x->n++] = (struct sid_place){sid, at};
}

void sid_index_sort(struct sid_index *x)
{
	array_sort(x->items, x->n, sizeof(*x->items), place_compare);
}

bool sid_find(size_t *at, const struct sid_index *x, const struct sid *sid)
{
	size_t i = array_first(x->items, x->n, sizeof(*x->items), sid, key_compare);

	if (i == x->n || !sid_equal(x->items[i].sid, sid))
		return false;
	*at = x->items[i].at;
	return true;
}

bool sid_is_in(const struct sid_index *x, const struct sid *sid)
{
	size_t at;

	return sid_find(&at, x, sid);
}

/* ---- of a difference ---- */

bool builder_sids_build(struct builder *b)
{
	if (!sid_index_new(&b->logins, b->o->n_logins) || !sid_index_new(&b->claimed, b->c->n) ||
		!(b->users = calloc(b->o->n_databases + 1, sizeof(*b->users))))
		return false;
	for (size_t i = 0; i < b->o->n_logins; i++)
		sid_index_add(&b->logins, &b->o->logins[i].sid, i);
	for (size_t i = 0; i < b->c->n; i++)
		sid_index_add(&b->claimed, &b->c->items[i].sid, i);
	sid_index_sort(&b->logins);
	sid_index_sort(&b->claimed);
	return true;
}

void builder_sids_free(struct builder *b)
{
	for (size_t i = 0; b->users && i < b->o->n_databases; i++)
		free(b->users[i].items);
	free(b->users);
	free(b->logins.items);
	free(b->claimed.items);
}

static bool users_build(struct sid_index *x, const struct observed_database *d)
{
	if (!sid_index_new(x, d->n_users))
		return false;
	for (size_t i = 0; i < d->n_users; i++)
		if (d->users[i].type != 'R')
			sid_index_add(x, &d->users[i].sid, i);
	sid_index_sort(x);
	return true;
}

const struct observed_user *builder_user_of(
	struct builder *b, const struct observed_database *d, const struct observed_login *l)
{
	struct sid_index *x = &b->users[d - b->o->databases];
	size_t at;

	if (!x->items && !users_build(x, d)) {
		b->no_memory = true;
		return NULL;
	}
	return l && sid_find(&at, x, &l->sid) ? &d->users[at] : NULL;
}
