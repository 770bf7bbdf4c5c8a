/* The wanted allowlist: which source may reach which endpoint until when. Pure. */
#ifndef CURFEW_ALLOWLIST_H
#define CURFEW_ALLOWLIST_H

#include "curfew/change.h"
#include "curfew/schedule.h"

struct allow {
	struct source source;
	struct endpoint endpoint;
	instant_t
		until; /* the latest of all who share it, each until the next narrowing on that server */
	char comment[ALLOW_COMMENT_MAX +
		     1]; /* "acme/acme.jane.doe", several joined by ", ", cut with "..." */
};
struct trusted {
	struct source source;
	struct endpoint endpoint;
	char comment[ALLOW_COMMENT_MAX + 1]; /* server's name */
};
struct allowlist {
	struct allow *allows; /* sorted by endpoint, source; no two alike */
	size_t n_allows;
	struct endpoint
		*guards; /* every endpoint of every server in the configuration, sorted, unique */
	size_t n_guards;
	struct trusted *trusted;
	size_t n_trusted;
};

typedef enum admission (*admission_fn)(const struct grant *g, void *context);

/* Each login's way in lasts until the next instant at which one of its grants on that server narrows, not until the
 * last of them ends: only a pass that has seen the narrowing done prolongs it. So with the agent dead, or the SQL
 * server out of its reach, nobody keeps over the network what the schedule has taken. `admission` NULL: all are
 * admitted. 0 or -ENOMEM. */
int allowlist_build(struct allowlist *out, const struct program *p, const struct grants *g,
	instant_t now, admission_fn admission, void *context);
void allowlist_free(struct allowlist *a);

/* What was guarded once, and by whose entry in the configuration. */
struct kept_guard {
	char *server;
	struct endpoint endpoint;
	struct source *trusted;
	size_t n_trusted;
};
struct kept_guards {
	struct kept_guard *items; /* sorted by server, endpoint */
	size_t n;
};
void kept_guards_free(struct kept_guards *k);
/* Guards beyond the configuration's, with those who were trusted there: an endpoint that left it is not open to
 * everybody while logins of ours may be on its server. Endpoints that the list has already are left as they are.
 * 0 or -ENOMEM. */
int allowlist_keep(struct allowlist *a, const struct kept_guard *const *kept, size_t n);

#endif
