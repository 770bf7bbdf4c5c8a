/* Positions and texts for all forms of the timeline. */
#ifndef REPORT_TIMELINE_H
#define REPORT_TIMELINE_H

#include "curfew/report.h"

/* The position of a time in a picture of this width, 0 to width. */
double timeline_place(const struct timeline *t, instant_t at, double width);
/* The first day of the nth month after the start of the picture, in the client's zone; false after its end. */
bool timeline_month(instant_t *at, struct local_time *local, const struct timeline *t, int nth);
enum level timeline_level(const struct timeline *t, size_t database, instant_t at);
bool timeline_is_revoked(const struct timeline *t); /* the whole client, now */
/* "Aug" */
const char *month_name(int month);
bool timeline_shows_now(const struct timeline *t);
/* Whether a bar has the level `write`, which few clients use. */
bool timeline_shows_write(const struct timeline *t);
/* "in 3 days 4 hours", "12 days ago" */
const char *distance_words(char buf[WORDS_MAX], instant_t at, instant_t now);
/* "testing; next: go-live in 3 days, Mon 2026-11-23 09:00 CST" */
const char *timeline_words(char buf[2 * WORDS_MAX], const struct timeline *t);

#endif
