/* The scheduled allowlist: which source may reach which endpoint until when. Pure. */
#ifndef CURFEW_ALLOWLIST_H
#define CURFEW_ALLOWLIST_H

#include "curfew/change.h"
#include "curfew/pool.h"
#include "curfew/schedule.h"

struct allow {
	struct source source;
	struct endpoint endpoint;
	instant_t
		until; /* latest time of all its logins; each ends at its next reduction on that server */
	/* "acme/acme.jane.doe", several joined by ", ", cut with "..."; at most ALLOW_COMMENT_MAX bytes, not owned */
	const char *comment;
};
struct trusted {
	struct source source;
	struct endpoint endpoint;
	char comment[ALLOW_COMMENT_MAX + 1]; /* the server's name */
};
/* A guarded endpoint: only sources on the list of its server can reach it. */
struct guard {
	struct endpoint endpoint;
	const char *server; /* name, not owned; NULL: the endpoint has left the configuration */
};
struct allowlist {
	struct allow *allows; /* sorted by endpoint and source, unique */
	size_t n_allows;
	struct guard
		*guards; /* every endpoint of every server in the configuration, sorted, unique */
	size_t n_guards;
	struct trusted *trusted;
	size_t n_trusted;
	struct pool texts; /* of the comments */
	uint64_t number;   /* different lists never have the same; 0: it has none */
};

typedef enum admission (*admission_fn)(const struct grant *g, void *context);

/* An entry expires when any grant of the login on that server is next reduced. Only a pass that verified the reduction
 * extends it. So the kernel ends access even if the agent or the SQL server is down. `admission` NULL: allows all
 * grants. 0 or -ENOMEM. */
/* The list names servers by the program, which must live as long. */
int allowlist_build(struct allowlist *out, const struct program *p, const struct grants *g,
	instant_t now, admission_fn admission, void *context);
/* How many entries the schedule has: those of allowlist_build() without `admission`. 0 or -ENOMEM. */
int allowlist_count(size_t *out, const struct grants *g, instant_t now);
void allowlist_free(struct allowlist *a);
int guard_compare(const void *a, const void *b); /* by endpoint */
/* NULL: not guarded. */
const struct guard *guard_find(const struct guard *guards, size_t n, const struct endpoint *e);

/* It is one of a server of the configuration. */
bool endpoint_is_configured(const struct program *p, const struct endpoint *e);

/* An endpoint that was guarded before, and the server entry that named it. */
struct kept_guard {
	char *server;
	struct endpoint endpoint;
	struct source *trusted;
	size_t n_trusted;
	bool held; /* records of its server's logins were lost: only `curfew unguard` removes it */
};
struct kept_guards {
	struct kept_guard *items; /* of the journal: sorted by server and endpoint */
	size_t n;
};
void kept_guards_free(struct kept_guards *k);
/* Adds guarded endpoints, with their trusted sources, that left the configuration while managed logins may still exist
 * on their servers. Otherwise everybody could reach them. Endpoints that the list already has stay as they are. 0 or
 * -ENOMEM. */
int allowlist_keep(struct allowlist *a, const struct kept_guard *const *kept, size_t n);

#endif
