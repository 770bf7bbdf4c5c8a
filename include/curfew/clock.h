/* The one clock, and its ratchet: the highest instant seen is on disk, so time never runs backwards. */
#ifndef CURFEW_CLOCK_H
#define CURFEW_CLOCK_H

#include "curfew/base.h"

struct clock {
	char path[4096];   /* state file; "" keeps nothing */
	bool fixed;	   /* --at: the clock stands still (practice or reading only) */
	instant_t at;	   /* when fixed */
	instant_t highest; /* as on disk */
	int64_t anchor; /* seconds of the clock that nobody sets (CLOCK_BOOTTIME) when `highest` was put down */
};

enum { CLOCK_RAN_BACK = 1 };

/* A clock that was set back by up to this is waited for; beyond it, time goes on at the pace of the clock that
 * nobody sets, or every deadline would move with the error. */
#define CLOCK_WAIT_MAX 60 /* seconds */

/* Reads the ratchet; a file that cannot be read or parsed is an error, a missing one is not. */
int clock_open(struct clock *c, const char *state_directory);
void clock_fix(struct clock *c, instant_t at);
/* The present instant, never before the highest seen. CLOCK_RAN_BACK (and *behind, seconds, may be NULL) when the
 * machine's clock is more than a second behind where it must be by now. */
int clock_now(instant_t *out, instant_t *behind, const struct clock *c);
/* Puts `now` on disk (atomic, synced) when it is higher. Call before acting upon it. Practice time never is. */
int clock_advance(struct clock *c, instant_t now);
/* An operator's correction of a clock that was wrongly far ahead: the one way back, on record and with a reason.
 * -ERANGE: before the machine's own clock, where time would run backwards, or ahead of all that was seen, where access
 * would end that has not ended; each by more than CLOCK_WAIT_MAX. */
int clock_reset(struct clock *c, instant_t to);
int clock_reset_check(const struct clock *c, instant_t to);

#endif
