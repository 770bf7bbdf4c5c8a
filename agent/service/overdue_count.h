/* Counts access that should have ended or been reduced, and is not verified as ended. */
#ifndef SERVICE_OVERDUE_COUNT_H
#define SERVICE_OVERDUE_COUNT_H

#include "curfew/schedule.h"
#include "curfew/state_copy.h"

#define OVERDUE_FIRST_SIZE (2 * MAX_NAME_BYTES + 8)

struct overdue {
	size_t n;			/* number of grants */
	int64_t age;			/* of the oldest, in seconds; 0 if none */
	char first[OVERDUE_FIRST_SIZE]; /* "LOGIN on SERVER"; "" if none */
	bool unknown; /* the journal cannot be read: the rest is as it was last known */
};

/* Uses each server's last verification, so that a server that never answers again counts too. Leaves `out` as it
 * was, but unknown, if the journal cannot be read (NULL). */
void overdue_count(struct overdue *out, const struct state_copy *journal,
	const struct grants *grants, instant_t now);

#endif
