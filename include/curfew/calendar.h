/* Local dates and times of a client's zone to instants, and back. */
#ifndef CURFEW_CALENDAR_H
#define CURFEW_CALENDAR_H

#include "curfew/base.h"

#define INSTANT_TEXT_MAX 32

/* A wall-clock reading; hour < 0 says that the text had no time of day. */
struct local_time {
	int year, month, day;
	int hour, minute, second;
};

enum local_fit {
	LOCAL_ONCE = 0,
	LOCAL_SKIPPED = 1, /* a forward change skips it: read with the offset before the change */
	LOCAL_TWICE = 2,   /* a backward change repeats it: the first of the two is taken */
};

/* "2026-11-23", "2026-11-23T09:00", "2026-11-23T09:00:30" (a blank may stand for the T). 0, -EINVAL, or
 * -ERANGE for a date that no calendar has (2026-02-30). */
int local_parse(struct local_time *out, const char *text);
/* Moves by calendar days, keeping the time of day. */
struct local_time local_add_days(struct local_time t, int days);
/* The instant of a local time in an IANA zone; both readings follow RFC 5545, 3.3.5.
 * Returns enum local_fit, or -EINVAL for an unknown zone. Hour < 0 counts as 00:00:00. */
int local_to_instant(instant_t *out, const struct local_time *t, const char *zone);
int instant_to_local(struct local_time *out, instant_t t, const char *zone);
bool zone_exists(const char *zone);

/* RFC 3339 in UTC: "2026-11-23T15:00:00Z". */
const char *instant_format(char buf[INSTANT_TEXT_MAX], instant_t t);
/* The same instant in the zone, for people: "Mon 2026-11-23 09:00 CST". */
const char *instant_format_local(char *buf, size_t size, instant_t t, const char *zone);
/* RFC 3339 with Z or an offset, "@" seconds, "now", or a local date/time in the zone. */
int instant_parse(instant_t *out, const char *text, const char *zone, instant_t now);

#endif
