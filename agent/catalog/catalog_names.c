/* Configured databases: let the server compare the names. If it does not answer, compare them here. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/rows.h"

static void name_add(struct server_reading *r, const char *name)
{
	for (size_t k = 0; k < r->n_names; k++)
		if (streq(r->names[k], name))
			return;
	r->names[r->n_names++] = name;
}

int catalog_names_collect(struct server_reading *r, const struct wanted_server *w,
	const struct sql_former *formers, size_t n_formers)
{
	size_t room = w->n_grants + n_formers + 1;

	r->names = calloc(room, sizeof(*r->names));
	r->ids = calloc(room, sizeof(*r->ids));
	r->n_names = 0;
	if (!r->names || !r->ids)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_grants; i++)
		name_add(r, w->grants[i]->database->name);
	r->n_managed = r->n_names;
	for (size_t i = 0; i < n_formers; i++)
		name_add(r, formers[i].database);
	return 0;
}

static struct observed_database *database_by(struct observed_server *o, int id)
{
	for (size_t i = 0; id && i < o->n_databases; i++)
		if (o->databases[i].id == id)
			return &o->databases[i];
	return NULL;
}

/* A configured database for which the server returned no row. It may exist: entering it shows whether it does. */
static int database_unseen_add(struct server_reading *r, const char *name, int id, bool managed)
{
	struct observed_database *d = ARRAY_MORE(r->o->databases, r->o->n_databases);

	if (!d)
		return -ENOMEM;
	d->id = id;
	d->name = strdup(name);
	d->managed = managed;
	return d->name ? 0 : -ENOMEM;
}

int catalog_names_apply(struct server_reading *r)
{
	for (size_t i = 0; i < r->n_names; i++) {
		struct observed_database *d = r->ids[i] ? database_by(r->o, r->ids[i])
							: observed_find_database(r->o, r->names[i]);
		bool managed = i < r->n_managed;
		if (d)
			d->managed = d->managed || managed;
		else if (database_unseen_add(r, r->names[i], r->ids[i], managed))
			return -ENOMEM;
	}
	return 0;
}
