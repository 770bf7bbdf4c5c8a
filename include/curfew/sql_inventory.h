/* `curfew inventory`: what databases hold and what the server has seen in use, read by one worker for each server.
 * Reads catalog views and statistics alone, never a user's table. */
#ifndef CURFEW_SQL_INVENTORY_H
#define CURFEW_SQL_INVENTORY_H

#include "curfew/visit.h"

struct sql_inventory {
	const char *const *databases;
	size_t n_databases;
	struct sql_visit visit; /* program, server and now; sql_visit_prepare() sets the password */
};
/* worker_job.prepare and .run; the context is a struct sql_inventory. Reports RECORD_ITEM, RECORD_USE and
 * RECORD_REFERENCE for what was read, and a RECORD_COVERAGE for each part of each database and of the server, read or
 * not: a database counts only with the one whose part is "whole" and which was seen. */
int sql_inventory_prepare(void *context);
int sql_inventory_run(struct worker *w, void *context);

#endif
