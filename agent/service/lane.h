/* One current pass: its workers, the time at which it is cut short, and its open batch of journal records. The
 * service has three lanes: for passes that change access, for the pass that is begun ahead of a change (early.c), and for
 * queries that only read. */
#ifndef SERVICE_LANE_H
#define SERVICE_LANE_H

#include "curfew/pass.h"
#include "service/dispatcher.h"

/* Milliseconds that a pass still has when something urgent arrives: enough for every server that is healthy. */
#define LANE_GRACE 3000
/* Milliseconds over which the connections before an instant are spread, because all logging in at once would take longer,
 * and the most between two of them. */
#define LANE_SPREAD 5000
#define LANE_APART  250
/* Milliseconds that a record waits for others to be committed with it. Meanwhile no other process can write to the
 * journal. */
#define LANE_SETTLE 1000

struct lane;

struct lane_options {
	struct dispatcher *dispatcher;
	int64_t (*monotonic)(void); /* milliseconds */
	/* Adjusts a job before it starts, and returns its rank: jobs of rank 0 start before those of rank 1, so that
	 * servers that hang do not take the workers of the others. */
	unsigned (*job)(void *context, struct worker_job *job);
	/* Called when the pass has ended and the lane is idle: 0 and the result, or negative errno. */
	void (*ended)(void *context, int error, const struct pass_result *result);
	void *context;
};

int lane_new(struct lane **out, const struct lane_options *o); /* 0 or -ENOMEM */
void lane_free(struct lane *l);

/* Starts the pass of `o`; the lane sets `stale`. A pass that changes access blocks the network at once, behind the
 * start of its workers. `o` is copied; the data it points to must stay until the pass has ended. Returns 0, or negative
 * errno: the lane is idle. */
int lane_begin(struct lane *l, const struct pass_options *o);
/* The same ahead of `o->now`, an instant to come: workers of servers where something ends then connect, and wait;
 * nothing is changed, reported, or recorded. Positive: it would end nothing anywhere, and the lane is idle. */
enum { LANE_NOTHING = 1 };
int lane_begin_early(struct lane *l, const struct pass_options *o);
/* Whether the schedule of `now` is the one that the pass was begun with, and nobody has outdated it. */
bool lane_holds_at(const struct lane *l, instant_t now);
/* The instant has come: from here on the pass is one like any other. Returns as lane_begin(). */
int lane_release(struct lane *l, instant_t now);
bool lane_is_busy(const struct lane *l);
/* The current pass; valid while the lane is busy. */
const struct pass_options *lane_pass(const struct lane *l);
/* Milliseconds since the server's worker started; -1: it is not running. */
int64_t lane_age(const struct lane *l, const char *server);

/* Ends the pass after the grace. */
void lane_hurry(struct lane *l);
/* Ends the pass now and cancels its running workers. */
void lane_cut(struct lane *l);
/* The schedule has changed since the pass started, so it must not grant anything any more. */
void lane_outdate(struct lane *l);
bool lane_is_stale(const struct lane *l);
/* The clock was corrected: ends the pass at once, and dates its remaining records `now`. */
void lane_correct(struct lane *l, instant_t now);
/* Commits what the pass has recorded so far. Later records are independent of it, and other processes can write. */
void lane_settle(struct lane *l);
/* Drops the pass without calling `ended`: the service stops. */
void lane_drop(struct lane *l);

/* When lane_tick() is due: monotonic milliseconds, or INT64_MAX. */
int64_t lane_next(const struct lane *l);
void lane_tick(struct lane *l);

#endif
