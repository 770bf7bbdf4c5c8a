/* Inside the observation: its questions and its answers. Not for other modules. */
#ifndef CURFEW_SQL_CATALOG_H
#define CURFEW_SQL_CATALOG_H

#include "curfew/sql.h"

struct part {
	const char *name;
	const char *text;
	bool needed; /* without it nothing can be said of the server or database */
};
extern const struct part server_parts[], database_parts[]; /* end with a NULL name */

/* A sql_row_fn: puts one row where it belongs in a struct observed_server.
 * 0, -ENOMEM, or -EBADMSG for a row that is not as asked. */
int catalog_row(void *observed, const struct sql_value *values, int n);

#endif
