/* Retries of servers: whether each server answers, when it is tried again, and when its last complete pass was. The
 * caller passes the clock, so that tests can set it. */
#ifndef SERVICE_RETRIES_H
#define SERVICE_RETRIES_H

#include "curfew/access.h"
#include "curfew/program.h"
#include "curfew/record.h"

/* A server that fails is tried again after 5 s, then after twice as long each time, up to 5 min. Each delay varies by
 * a quarter, so that many gateways do not reconnect at the same second. */
#define RETRY_FIRST 5
#define RETRY_MOST  300

struct retries;

struct server_retry {
	char *name;
	unsigned failures; /* in a row */
	int64_t retry;	   /* monotonic milliseconds; 0: none */
	bool reachable, has_complete_pass;
	bool waiting; /* the service ended a pass before the server's turn came */
	bool quiet;   /* in a maintenance window: failures raise no alarm */
	bool told;    /* its failures were logged, so its recovery must be too */
	instant_t complete_pass;
	instant_t
		silent_since; /* start of the first pass without an answer; 0: the server answers */
	uint64_t round_trips; /* of the last complete pass */
	/* Grants, as the last complete pass found them, and as the current pass does so far. What no pass could see is
	 * as it was. */
	size_t excess, unread, excess_now, unread_now;
};

/* `monotonic` returns milliseconds of a clock that cannot be set. 0 or -ENOMEM. */
int retries_new(struct retries **out, int64_t (*monotonic)(void));
void retries_free(struct retries *h);
/* Replaces the list of servers by that of the configuration; servers that stay keep their state. 0 or -ENOMEM. */
int retries_set(struct retries *h, const struct program *p);

size_t retries_count(const struct retries *h);
size_t retries_silent(const struct retries *h); /* servers that do not answer */
void retries_grants(size_t *excess, size_t *unread, const struct retries *h); /* of all servers */
const struct server_retry *retries_at(const struct retries *h, size_t i);
const struct server_retry *retries_find(
	const struct retries *h, const char *name); /* NULL if unknown */

/* Whether a pass for these reasons visits server `i`. One that may remove access leaves no server out: a server that
 * failed may answer now, and what failed may have been the reading alone. */
bool retries_is_due(const struct retries *h, size_t i, unsigned reasons);
/* The earliest retry of any server, in monotonic milliseconds, or INT64_MAX. */
int64_t retries_next(const struct retries *h);

/* At start, before any pass: what the last verifications found is so until a pass has looked. */
void retries_remember(struct retries *h, const struct verified_list *v);
/* A pass begins: its grants are counted anew. */
void retries_begin(struct retries *h);
/* A worker reported `state` of a grant on this server, before it ended. */
void retries_grant(struct retries *h, const char *name, enum state state);
/* A worker reported `state` of its server. `began`: the worker had started, as far as the caller knows. */
void retries_answered(
	struct retries *h, const char *name, enum state state, int code, bool began, instant_t now);
/* A worker ended. `code`: 0 or negative errno, explained by `detail`. `whole`: the pass was about all clients. */
void retries_ended(struct retries *h, const char *name, int code, const char *detail, bool whole,
	uint64_t round_trips, instant_t now);
/* Sets whether the server is in a maintenance window; call before retries_ended(). A server that still fails after the
 * window is logged then. */
void retries_quiet(struct retries *h, const char *name, bool quiet);
/* An unreachable server answered a query, so its retry is due now. */
void retries_came_back(struct retries *h, const char *name);
/* The clock was corrected: moves times that are later than `now` back to `now`. */
void retries_correct(struct retries *h, instant_t now);

/* Milliseconds until the next retry after this many failures in a row; `chance` varies it. */
int64_t retries_delay(unsigned failures, uint16_t chance);

#endif
