/* Jobs and linked servers belong to a server, on which several clients may have databases. A job belongs to the database
 * in which its steps run, or whose objects they name; a linked server to the one whose objects refer to it. */
#include "inventory/inventory_internal.h"

static int step_order(const void *a, const void *b)
{
	const struct inventory_item *x = a, *y = b;

	return (x->parent > y->parent) - (x->parent < y->parent);
}

static bool is_system(const char *database)
{
	static const char *const names[] = {"", "master", "msdb", "model", "tempdb"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names_equal(names[i], database))
			return true;
	return false;
}

static const struct inventory_database *read_here(
	const struct inventory *v, const char *server, const char *database)
{
	for (size_t i = 0; i < v->n_databases; i++)
		if (streq(v->databases[i].server, server) &&
			names_equal(v->databases[i].database, database))
			return &v->databases[i];
	return NULL;
}

/* The first step in a database decides. That of another client is kept too: it tells that the job is not this one's. */
static void steps_place(struct inventory *v)
{
	if (v->n_steps)
		qsort(v->steps, v->n_steps, sizeof(*v->steps), step_order);
	for (size_t i = 0; i < v->n_steps; i++) {
		const struct inventory_item *step = &v->steps[i];
		struct inventory_item *job =
			inventory_called(v, step->server, "", "job", step->name);
		if (!job || *job->place || is_system(step->schema))
			continue;
		const struct inventory_database *d = read_here(v, step->server, step->schema);
		job->place = d ? d->database : step->schema;
		job->elsewhere = !d;
	}
}

static void place_set(struct inventory_item *i, const struct inventory_item *beside)
{
	if (*i->database || !*beside->database || (*i->place && !i->elsewhere))
		return;
	i->place = beside->database;
	i->elsewhere = false;
}

void inventory_places(struct inventory *v)
{
	for (size_t i = 0; i < v->n; i++)
		v->items[i].place = v->items[i].database;
	steps_place(v);
	for (size_t i = 0; i < v->n_edges; i++) {
		struct inventory_item *from = &v->items[v->edges[i].from];
		struct inventory_item *to = &v->items[v->edges[i].to];
		place_set(from, to);
		place_set(to, from);
	}
}
