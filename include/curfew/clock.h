/* The clock that all modules use. The latest time seen is saved on disk, so that time never runs backward. */
#ifndef CURFEW_CLOCK_H
#define CURFEW_CLOCK_H

#include "curfew/base.h"

struct clock {
	char path[4096];   /* state file; "": nothing is saved */
	bool fixed;	   /* by tests alone: the clock does not advance */
	instant_t at;	   /* the time if fixed */
	instant_t highest; /* the latest time seen */
	instant_t saved;   /* the one on disk */
	int64_t anchor;	   /* CLOCK_BOOTTIME, in seconds, when `highest` was saved */
};

enum { CLOCK_RAN_BACK = 1 };

/* If the system clock steps back by at most this, wait. If more, continue from the latest time seen at the rate of
 * CLOCK_BOOTTIME. */
#define CLOCK_WAIT_MAX 60 /* seconds */

/* Reads the saved time. A missing file is no error; an unreadable or damaged one is. */
int clock_open(struct clock *c, const char *state_directory);
/* The current time, never before the latest time seen. CLOCK_RAN_BACK, with *behind in seconds (may be NULL), if the
 * system clock is more than a second behind the expected time. */
int clock_now(instant_t *out, instant_t *behind, const struct clock *c);
/* In memory alone: enough before access is removed, which must not wait for a disk. */
void clock_see(struct clock *c, instant_t now);
/* Saves the latest time seen (atomic, synced), if it is not. Call it before access is granted by a time, and grant nothing
 * if it fails: after a restart, a clock that was set back would grant again what ended. A fixed time is never saved. */
int clock_save(struct clock *c);
/* Both. */
int clock_advance(struct clock *c, instant_t now);
/* An operator corrects a latest time seen that was wrongly in the future. This is the only way back; it is recorded
 * with a reason. -ERANGE: before the system clock, so that time would run backward, or after the latest time seen, so
 * that access would end early; each by more than CLOCK_WAIT_MAX. */
int clock_reset(struct clock *c, instant_t to);
int clock_reset_check(const struct clock *c, instant_t to);

#endif
