/* Retries of servers: whether each server answers, when it is tried again, and when its last complete pass was. The
 * caller passes the clock, so that tests can set it. */
#ifndef SERVICE_HEALTH_H
#define SERVICE_HEALTH_H

#include "curfew/program.h"
#include "curfew/record.h"

/* A server that fails is tried again after 5 s, then after twice as long each time, up to 5 min. Each delay varies by
 * a quarter, so that many gateways do not reconnect at the same second. */
#define RETRY_FIRST 5
#define RETRY_MOST  300

struct health;

struct server_health {
	char *name;
	unsigned failures; /* in a row */
	int64_t retry;	   /* monotonic milliseconds; 0: none */
	bool reachable, has_complete_pass;
	bool quiet; /* in a maintenance window: failures raise no alarm */
	bool told;  /* its failures were logged, so its recovery must be too */
	instant_t complete_pass;
	instant_t
		silent_since; /* start of the first pass without an answer; 0: the server answers */
	uint64_t round_trips; /* of the last complete pass */
};

/* `monotonic` returns milliseconds of a clock that cannot be set. 0 or -ENOMEM. */
int health_new(struct health **out, int64_t (*monotonic)(void));
void health_free(struct health *h);
/* Replaces the list of servers by that of the configuration; servers that stay keep their state. 0 or -ENOMEM. */
int health_set(struct health *h, const struct program *p);

size_t health_count(const struct health *h);
const struct server_health *health_at(const struct health *h, size_t i);
const struct server_health *health_find(
	const struct health *h, const char *name); /* NULL if unknown */

/* Whether a pass for these reasons visits server `i`. */
bool health_is_due(const struct health *h, size_t i, unsigned reasons);
/* The earliest retry of any server, in monotonic milliseconds, or INT64_MAX. */
int64_t health_next_retry(const struct health *h);

/* A worker reported `state` of its server. `began`: the worker had started, as far as the caller knows. */
void health_answered(
	struct health *h, const char *name, enum state state, int code, bool began, instant_t now);
/* A worker ended. `code`: 0 or negative errno, explained by `detail`. `whole`: the pass was about all clients. */
void health_ended(struct health *h, const char *name, int code, const char *detail, bool whole,
	uint64_t round_trips, instant_t now);
/* Sets whether the server is in a maintenance window; call before health_ended(). A server that still fails after the
 * window is logged then. */
void health_quiet(struct health *h, const char *name, bool quiet);
/* An unreachable server answered a query, so its retry is due now. */
void health_came_back(struct health *h, const char *name);
/* The clock was corrected: moves times that are later than `now` back to `now`. */
void health_correct(struct health *h, instant_t now);

/* Milliseconds until the next retry after this many failures in a row; `chance` varies it. */
int64_t health_retry_delay(unsigned failures, uint16_t chance);

#endif
