/* The pass of the next scheduled change, begun some seconds ahead: workers of servers where something ends connect and
 * wait for the service's word, so that at the instant the first thing that a server hears is what ends. Nothing is
 * changed, reported, or recorded before. Any other pass ends the wait, as do a reload and a stop; the instant then has
 * a pass as without it. */
#include <string.h>
#include "service/internal.h"

/* Milliseconds: enough to spread the connections (LANE_SPREAD), and for the last of them to be ready or given up. */
#define EARLY_LEAD 10000
/* Later it is not worth the trouble: nothing would be ready in time. */
#define EARLY_LEAST 1000

static bool is_waiting(const struct service *s)
{
	return lane_is_busy(s->early.lane);
}

/* Waits for no process that locks the journal. */
static int revision_take(struct journal_revision *out, struct journal *j)
{
	int patience = journal_patience(j, 0);
	int rc = journal_revision_read(out, j);

	journal_patience(j, patience);
	return rc;
}

/* Bounded, so that the interval's pass runs even if the timer of the instant never fires. */
int64_t early_patience(const struct service *s)
{
	return is_waiting(s) ? 2 * EARLY_LEAD : 0;
}

void early_drop(struct service *s)
{
	lane_drop(s->early.lane);
}

/* Once for each instant, and again after each pass that ended a wait. */
static bool may_begin_ahead(const struct service *s)
{
	return s->has_next && s->journal && !s->clock_alarm && !is_waiting(s) &&
	       s->early.tried != s->next && !s->reload_wanted && passes_are_idle(s);
}

int64_t early_next(const struct service *s)
{
	return may_begin_ahead(s) ? monotonic_ms() + transition_left(s) - EARLY_LEAD : INT64_MAX;
}

void early_tick(struct service *s)
{
	struct early *e = &s->early;
	int64_t left = may_begin_ahead(s) ? transition_left(s) : INT64_MAX;

	if (left > EARLY_LEAD)
		return;
	e->tried = s->next;
	if (left < EARLY_LEAST || revision_take(&e->revision, s->journal) < 0)
		return;
	const struct pass_options o = passes_options(s, s->next);
	/* If it cannot begin, the instant's own pass says why. */
	lane_begin_early(e->lane, &o);
}

static bool journal_is_unchanged(const struct service *s)
{
	struct journal_revision now;

	return s->journal && revision_take(&now, s->journal) == 0 &&
	       journal_revision_equal(&now, &s->early.revision);
}

/* For other reasons than the change itself more may have changed than the time. */
static bool only_time_is_the_reason(unsigned reasons)
{
	const unsigned along = REASON_TRANSITION | REASON_INTERVAL | REASON_RETRY;

	return reasons & REASON_TRANSITION && !(reasons & ~along);
}

bool early_take(struct service *s)
{
	struct early *e = &s->early;
	instant_t now = service_now(s);

	e->tried = 0;
	if (!is_waiting(s) || !only_time_is_the_reason(s->passes.reasons) ||
		!lane_holds_at(e->lane, now) || !journal_is_unchanged(s))
		return false;
	struct lane *waiting = e->lane;
	e->lane = s->passes.lane;
	s->passes.lane = waiting;
	return lane_release(waiting, now) == 0;
}
