/* Corrections of the clock in a query: refuted(id, at) says of a record whether one of them refutes it, and latest(id, at)
 * the latest time that it can be of. */
#ifndef JOURNAL_REFUTED_H
#define JOURNAL_REFUTED_H

#include "journal/database.h"

/* Until refuted_end() on the same journal. *any: there is a correction; without one the query needs no such condition.
 * Corrections are read once, and then only what came since. 0 or negative errno. */
/* Of two records, by the latest time that each can be of. */
#define IS_LATER(one, other)                                                                       \
	"(latest(" one ".id, " one ".at), " one ".id) > (latest(" other ".id, " other              \
	".at), " other ".id)"
int refuted_begin(bool *any, struct journal *j);
void refuted_end(struct journal *j);

#endif
