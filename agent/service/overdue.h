/* Access that should have ended or become less, and is not verified gone. */
#ifndef SERVICE_OVERDUE_H
#define SERVICE_OVERDUE_H

#include "curfew/journal.h"
#include "curfew/schedule.h"

struct overdue {
	size_t n;    /* grants */
	int64_t age; /* seconds, of the oldest; 0 without one */
};

/* By what each server last verified, so that a server that never answers again counts as well. Left as it is when the
 * journal cannot be read. */
void overdue_count(struct overdue *out, struct journal *j, const struct program *p,
	const struct overrides *overrides, instant_t now);

#endif
