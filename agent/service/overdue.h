/* Counts access that should have ended or been reduced, and is not verified as ended. */
#ifndef SERVICE_OVERDUE_H
#define SERVICE_OVERDUE_H

#include "curfew/journal.h"
#include "curfew/schedule.h"

struct overdue {
	size_t n;    /* number of grants */
	int64_t age; /* of the oldest, in seconds; 0 if none */
};

/* Uses each server's last verification, so that a server that never answers again counts too. Leaves `out` unchanged
 * if the journal cannot be read. */
void overdue_count(struct overdue *out, struct journal *j, const struct program *p,
	const struct overrides *overrides, instant_t now);

#endif
