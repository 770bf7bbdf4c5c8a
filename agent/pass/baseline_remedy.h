/* The remedy of what an audit found new or changed since a baseline. */
#ifndef CURFEW_BASELINE_REMEDY_H
#define CURFEW_BASELINE_REMEDY_H

#include "curfew/journal.h"
#include "curfew/sql.h"

/* The name under which the server's own baseline is kept. */
#define SERVER_BASELINE "master"

bool baseline_begins(const char *text, const char *with);
/* Of a name in brackets at the beginning of `text`, with them. */
size_t baseline_quoted_size(const char *text);
/* One batch, in the database or, for SERVER_BASELINE, on the server. */
void baseline_remedy_write(
	FILE *to, const char *database, const struct baseline_item *i, bool changed);

#endif
