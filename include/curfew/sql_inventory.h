/* `curfew inventory`: reads the objects of databases and the server's evidence of their use, with one worker for each
 * server. Reads only catalog views and statistics, never a user's table. */
#ifndef CURFEW_SQL_INVENTORY_H
#define CURFEW_SQL_INVENTORY_H

#include "curfew/visit.h"

struct sql_inventory {
	const char *const *databases;
	size_t n_databases;
	struct sql_visit
		visit; /* set program, server, and now; sql_visit_prepare() sets the password */
	/* Takes the records inside the worker, instead of its channel; its error ends the reading. May be NULL. */
	record_fn sink;
	void *context;
};
/* worker_job.prepare and .run; the context is a struct sql_inventory. Reports RECORD_ITEM, RECORD_USE, and
 * RECORD_REFERENCE for what was read, and a RECORD_COVERAGE for each part of each database and of the server, read or
 * not. A database counts only if its part "whole" was seen. */
int sql_inventory_prepare(void *context);
int sql_inventory_run(struct worker *w, void *context);

#endif
