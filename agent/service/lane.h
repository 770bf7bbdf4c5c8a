/* One pass under way: its workers, the instant at which it is cut short, the journal's batch that it has open. The
 * service has two lanes: one for passes that change access, one for those that only read. */
#ifndef SERVICE_LANE_H
#define SERVICE_LANE_H

#include "curfew/pass.h"
#include "service/dispatcher.h"

/* What a pass still gets when something urgent came, in milliseconds: enough for every server that is well. */
#define LANE_GRACE 3000
/* An outcome waits this long for others to be written with it, in milliseconds: while it waits, no other process can
 * write to the journal. */
#define LANE_SETTLE 1000

struct lane;

struct lane_options {
	struct dispatcher *dispatcher;
	int64_t (*monotonic)(void); /* milliseconds */
	/* Adjusts a job before it starts. Its rank: jobs of rank 0 are started before those of rank 1, so that servers
	 * that hang cannot keep the others from a worker. */
	unsigned (*job)(void *context, struct worker_job *job);
	/* The pass has ended and the lane is free: 0 and its result, or negative errno. */
	void (*ended)(void *context, int error, const struct pass_result *result);
	void *context;
};

int lane_new(struct lane **out, const struct lane_options *o); /* 0 or -ENOMEM */
void lane_free(struct lane *l);

/* Makes the pass of `o`, whose `stale` the lane sets; closes the network at once when it changes things. `o` is
 * copied, what it points to is borrowed until the pass has ended. 0, or negative errno: the lane is free. */
int lane_begin(struct lane *l, const struct pass_options *o);
bool lane_is_busy(const struct lane *l);
/* What is under way; valid while the lane is busy. */
const struct pass_options *lane_pass(const struct lane *l);
/* For how many milliseconds the server's worker has been running; -1: it is not. */
int64_t lane_age(const struct lane *l, const char *server);

/* What is under way ends soon: after the grace. */
void lane_hurry(struct lane *l);
/* It ends now: what still runs is cut short. */
void lane_cut(struct lane *l);
bool lane_is_cut(const struct lane *l);
/* The schedule is another now than the pass knows: it opens nothing any more. */
void lane_outdate(struct lane *l);
bool lane_is_stale(const struct lane *l);
/* The clock was wrong and is right now: the pass ends at once, and the rest of it is recorded as of `now`. */
void lane_correct(struct lane *l, instant_t now);
/* What the pass has recorded so far is on disk from here on, whatever becomes of it; what is written to the journal
 * next stands by itself, and other processes can write too. */
void lane_settle(struct lane *l);
/* Ends it without a word to `ended`: the service stops. */
void lane_drop(struct lane *l);

/* When lane_tick() has something to do: monotonic milliseconds, or INT64_MAX. */
int64_t lane_next(const struct lane *l);
void lane_tick(struct lane *l);

#endif
