/* What the service knows of each server: whether it answers, when it is tried again, when a pass over it was last
 * complete. Time comes from the caller, so that tests set it. */
#ifndef SERVICE_HEALTH_H
#define SERVICE_HEALTH_H

#include "curfew/program.h"
#include "curfew/record.h"

/* A server that fails is tried again after 5 s, then twice as long each time, up to 5 min, a quarter more or less: the
 * agents of many gateways must not come back at one instant. */
#define RETRY_FIRST 5
#define RETRY_MOST  300

struct health;

struct server_health {
	char *name;
	unsigned failures; /* in a row */
	int64_t retry;	   /* monotonic milliseconds; 0: no retry is due */
	bool reachable, has_complete_pass;
	bool quiet; /* within a maintenance window: its failures are no alarm */
	bool told;  /* its failures were logged, so its return is too */
	instant_t complete_pass;
	instant_t silent_since; /* of the first pass that had no answer from it; 0: it answers */
	uint64_t round_trips;	/* of the last complete pass */
};

/* `monotonic` returns milliseconds of a clock that nobody sets. 0 or -ENOMEM. */
int health_new(struct health **out, int64_t (*monotonic)(void));
void health_free(struct health *h);
/* Keeps exactly the configuration's servers; what was known of one that stays is kept. 0 or -ENOMEM. */
int health_set(struct health *h, const struct program *p);

size_t health_count(const struct health *h);
const struct server_health *health_at(const struct health *h, size_t i);
const struct server_health *health_find(const struct health *h, const char *name); /* or NULL */

/* Whether a pass for these reasons visits server `i`. */
bool health_is_due(const struct health *h, size_t i, unsigned reasons);
/* The earliest retry of any server, or INT64_MAX. */
int64_t health_next_retry(const struct health *h);

/* A worker reported `state` of its server. `began`: the worker had started, as far as the caller can tell. */
void health_answered(
	struct health *h, const char *name, enum state state, int code, bool began, instant_t now);
/* A worker has ended. `code`: 0 or negative errno, `detail` says why. `whole`: it was about all clients. */
void health_ended(struct health *h, const char *name, int code, const char *detail, bool whole,
	uint64_t round_trips, instant_t now);
/* Whether the server is in a maintenance window, to be said before health_ended(). One that still fails after the
 * window is told then. */
void health_quiet(struct health *h, const char *name, bool quiet);
/* A silent server has answered a reading: what waits for it is due now. */
void health_came_back(struct health *h, const char *name);
/* The clock was wrong and is right now: no instant kept here may lie ahead of `now`. */
void health_correct(struct health *h, instant_t now);

/* Milliseconds until the next try after so many failures in a row; `chance` spreads it. */
int64_t health_retry_delay(unsigned failures, uint16_t chance);

#endif
