/* What the time zone files say: the only place where the C library's zone is touched. */
#ifndef PROGRAM_ZONE_H
#define PROGRAM_ZONE_H

#include "curfew/base.h"

/* Room for an abbreviation such as "CST" or "+0545". */
#define ZONE_ABBREVIATION_MAX 16

struct zone_offset {
	int64_t seconds; /* local minus UTC */
	char abbreviation[ZONE_ABBREVIATION_MAX];
};

/* The offsets in force at n instants; one switch of the zone serves them all, since each switch reads a
 * file. 0, or -EINVAL for an unknown zone. Sets the process's TZ and puts it back: not for threads. */
int zone_offsets(struct zone_offset *out, const instant_t *at, size_t n, const char *zone);

/* The zone that is spelt most like this one, or NULL; for messages. The caller frees it. */
char *zone_nearest(const char *zone);

#endif
