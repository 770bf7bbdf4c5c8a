/* What the records of a clock that was ahead are worth once an operator has corrected it. */
#ifndef CURFEW_CLOCK_RESETS_H
#define CURFEW_CLOCK_RESETS_H

#include "curfew/journal.h"

/* The event of a correction. Its detail begins with the new latest time seen, in seconds, where its own time is
 * another: the service's clock was still ahead when it was written. */
#define CLOCK_RESET	   "clock-reset"
#define CLOCK_RESET_DETAIL "latest time seen "

struct clock_reset {
	int64_t id;
	instant_t to;
};
struct clock_resets {
	struct clock_reset *items;
	size_t n;
};
/* Adds the correction that an event is, if it is one; one that failed takes back the last. In the order of their
 * numbers. 0 or -ENOMEM. */
int clock_resets_take(struct clock_resets *out, const struct journal_entry *event);
/* From events in the order of their numbers; one that failed is none. The caller frees items. 0 or -ENOMEM. */
int clock_resets_find(struct clock_resets *out, const struct journal_entries *events);
/* The latest time that the record can be of: its own, or that to which the clock was set back behind it. */
instant_t clock_resets_latest(const struct clock_resets *r, const struct journal_entry *e);
/* The record stands before a correction and bears a later time than that: no time is known of it. When that time comes, it
 * would otherwise become a fact. */
bool clock_resets_refute(const struct clock_resets *r, const struct journal_entry *e);
/* Frees, and leaves out, the entries that are refuted. */
void clock_resets_drop(struct journal_entries *all, const struct clock_resets *r);

#endif
