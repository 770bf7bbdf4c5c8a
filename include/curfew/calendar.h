/* Converts local times of a client's zone to UTC and back. */
#ifndef CURFEW_CALENDAR_H
#define CURFEW_CALENDAR_H

#include "curfew/base.h"

#define INSTANT_TEXT_MAX 32

/* A local time; hour < 0: the text had no time of day. */
struct local_time {
	int year, month, day;
	int hour, minute, second;
};

enum local_fit {
	LOCAL_ONCE = 0,
	LOCAL_SKIPPED = 1, /* the clocks skip this time: the offset before the change is used */
	LOCAL_TWICE = 2,   /* this time occurs twice: the first is used */
};

/* "2026-11-23", "2026-11-23T09:00", "2026-11-23T09:00:30" (a space may replace the T). 0, -EINVAL, or -ERANGE for a
 * date that does not exist (2026-02-30). */
int local_parse(struct local_time *out, const char *text);
/* Adds calendar days; keeps the time of day. */
struct local_time local_add_days(struct local_time t, int days);
/* Converts to UTC. Skipped and repeated times follow RFC 5545, 3.3.5. Returns enum local_fit, or -EINVAL for an
 * unknown zone. Hour < 0 means 00:00:00. */
int local_to_instant(instant_t *out, const struct local_time *t, const char *zone);
int instant_to_local(struct local_time *out, instant_t t, const char *zone);
bool zone_exists(const char *zone);

/* RFC 3339 in UTC: "2026-11-23T15:00:00Z". */
const char *instant_format(char buf[INSTANT_TEXT_MAX], instant_t t);
/* In the zone, for people: "Mon 2026-11-23 09:00 CST". */
const char *instant_format_local(char *buf, size_t size, instant_t t, const char *zone);
/* RFC 3339 with Z or an offset, "@" seconds, "now", or a local date/time in the zone. */
int instant_parse(instant_t *out, const char *text, const char *zone, instant_t now);

#endif
