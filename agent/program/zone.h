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

/* Both set the process's TZ and put it back: not for threads. 0 or more, or -EINVAL for an unknown zone. */
int zone_offset(struct zone_offset *out, instant_t at, const char *zone);

/* A reading of the wall lies within 26 hours of the instant that it names: no offset, and no change of
 * one, is larger. Hourly samples find every offset that was in force in between. */
#define ZONE_REACH    (26 * 3600)
#define ZONE_SAMPLE   3600
#define ZONE_READINGS (2 * ZONE_REACH / ZONE_SAMPLE + 1)

/* What a reading of the wall could mean: one for each offset in force around it. It does mean it where
 * the offset that it was read with is the one that is in force there. */
struct zone_reading {
	instant_t at;
	int64_t offset; /* read with */
	int64_t there;	/* in force at that instant */
};
/* How many; `wall` is the reading in seconds as if the clock showed UTC. */
int zone_readings(struct zone_reading out[ZONE_READINGS], int64_t wall, const char *zone);

/* A number for the zone's file as it is: which one, how long, of when; 0 when there is none. */
uint64_t zone_identity(const char *zone);

/* The zone that is spelt most like this one, or NULL; for messages. The caller frees it. */
char *zone_nearest(const char *zone);

#endif
