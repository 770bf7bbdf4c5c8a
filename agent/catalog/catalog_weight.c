/* How much memory takes what was read of one database, about: by it the one that takes most is found. */
#include <string.h>

#include "catalog/catalog.h"

static size_t length(const char *text)
{
	return text ? strlen(text) : 0;
}

size_t database_weight(const struct observed_database *d)
{
	size_t n = d->n_users * sizeof(*d->users) + d->n_members * sizeof(*d->members) +
		   d->n_permissions * sizeof(*d->permissions) + d->n_owned * sizeof(*d->owned) +
		   d->n_schemas * sizeof(*d->schemas) + d->n_triggers * sizeof(*d->triggers) +
		   d->n_runners * sizeof(*d->runners);

	for (size_t i = 0; i < d->n_users; i++)
		n += length(d->users[i].name) + length(d->users[i].owner);
	for (size_t i = 0; i < d->n_members; i++)
		n += length(d->members[i].role) + length(d->members[i].member);
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		n += length(p->name) + length(p->schema) + length(p->object) + length(p->column) +
		     length(p->grantee) + length(p->grantor);
	}
	for (size_t i = 0; i < d->n_owned; i++)
		n += length(d->owned[i].kind) + length(d->owned[i].schema) +
		     length(d->owned[i].name) + length(d->owned[i].owner);
	return n;
}

size_t raw_weight(const struct raw_catalog *r)
{
	size_t things = r->schemas.n + r->objects.n + r->types.n + r->columns.n;

	for (size_t i = 0; i < RARER_KINDS; i++)
		things += r->rarer[i].n;
	return r->n_principals * sizeof(*r->principals) + r->n_members * sizeof(*r->members) +
	       r->n_permissions * sizeof(*r->permissions) + things * sizeof(struct raw_thing) +
	       r->n_triggers * sizeof(*r->triggers) + r->n_runners * sizeof(*r->runners);
}
