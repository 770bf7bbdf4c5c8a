/* The content of time zone files. Only this module changes the C library's zone. */
#ifndef PROGRAM_ZONE_H
#define PROGRAM_ZONE_H

#include "curfew/base.h"

/* Room for an abbreviation such as "CST" or "+0545". */
#define ZONE_ABBREVIATION_MAX 16

struct zone_offset {
	int64_t seconds; /* local minus UTC */
	char abbreviation[ZONE_ABBREVIATION_MAX];
};

/* Both change the process's TZ temporarily, so do not use them in threads. 0 or more, or -EINVAL for an unknown zone. */
int zone_offset(struct zone_offset *out, instant_t at, const char *zone);

/* A local time is within 26 hours of the UTC time that it means: no offset, and no change of one, is larger. Hourly
 * samples find every offset in between. */
#define ZONE_REACH    (26 * 3600)
#define ZONE_SAMPLE   3600
#define ZONE_READINGS (2 * ZONE_REACH / ZONE_SAMPLE + 1)

/* One possible meaning of a local time, for each offset in use around it. It is valid if the offset that it assumes
 * is the one in use at the resulting time. */
struct zone_reading {
	instant_t at;
	int64_t offset; /* assumed */
	int64_t there;	/* in use at that time */
};
/* Returns the number of possible meanings; `wall` is the local time in seconds, as if it were UTC. */
int zone_readings(struct zone_reading out[ZONE_READINGS], int64_t wall, const char *zone);

/* Identifies the current version of the zone's file, by inode, size, and time; 0 if there is none. */
uint64_t zone_identity(const char *zone);

/* The zone with the most similar spelling, or NULL. The caller frees it. */
char *zone_nearest(const char *zone);

#endif
