/* Databases that end the session, and the order in which the others are asked meanwhile. A visit that was lost in one has
 * read all before it, so the next one begins behind it. Where a pass begins depends on its time: if it cannot come to all
 * of them, other databases are the last ones in another pass. */
#include <errno.h>

#include "catalog/catalog.h"
#include "visit/visit.h"

static size_t pass_first(const struct visit_run *run)
{
	/* By Knuth's multiplier for hashing, as passes may be apart by any multiple of anything. */
	uint64_t spread = (uint64_t)run->visit->now * 2654435761U >> 16;

	return run->observed.n_databases ? spread % run->observed.n_databases : 0;
}

size_t enders_first(const struct visit_run *run)
{
	const struct observed_server *o = &run->observed;
	const char *reached = run->visit->reached;

	for (size_t i = 0; reached && i < o->n_databases; i++) {
		const struct sql_ender *e = entered_ender(run, o->databases[i].name);
		if (e && streq(e->database, reached))
			return (i + 1) % o->n_databases;
	}
	return pass_first(run);
}

static int ender_mark(struct visit_run *run, struct observed_database *d)
{
	const struct sql_ender *e = entered_ender(run, d->name);

	return e ? database_unread_set(d, "asking it ends the session: %s", e->why) : 0;
}

static int unasked_mark(struct observed_database *d)
{
	return d->unread
		       ? 0
		       : database_unread_set(d,
				 "it was not asked in this pass, because too many databases of its server end the session, or "
				 "do not answer in time");
}

int enders_mark(struct visit_run *run)
{
	struct observed_server *o = &run->observed;
	int rc = 0;

	for (size_t i = 0; i < o->n_databases && !rc; i++)
		rc = ender_mark(run, &o->databases[i]);
	for (size_t i = enders_first(run); run->visit->no_further && i != pass_first(run) && !rc;
		i = (i + 1) % o->n_databases)
		rc = unasked_mark(&o->databases[i]);
	return rc;
}
