/* The memory of a worker is limited, and what one database has must not take it from what others need: whoever may alter a
 * database can make a million permissions there, each with long names. Where memory runs out, the database that takes most
 * of it is unread, as one is whose answer is larger than any catalog. All others are read and compared without it. */
#include <stdlib.h>

#include "catalog/catalog.h"

/* Whoever controls it can have made all of that, and can give more meanwhile. */
int database_outgrow(struct observed_database *d)
{
	database_clear(d);
	d->read = false;
	d->barred = true;
	return database_unread_set(d,
		"its users, permissions, and what they own are more than the memory of a SQL worker holds");
}

bool database_largest_outgrow(struct observed_server *o, size_t least)
{
	struct observed_database *largest = NULL;

	for (size_t i = 0; i < o->n_databases; i++) {
		size_t weight = database_weight(&o->databases[i]);
		if (weight <= least)
			continue;
		largest = &o->databases[i];
		least = weight;
	}
	return largest && !database_outgrow(largest);
}

/* FreeTDS, a proof, and the changes of one round take a few MiB. */
#define ROOM ((size_t)64 << 20)

bool memory_is_left(void)
{
	/* Else the compiler may leave out both calls. */
	void *volatile room = malloc(ROOM);
	bool left = room;

	free(room);
	return left;
}
