/* Observed access in `curfew status`, and its JSON. */
#ifndef COMMANDS_STATUS_VIEW_H
#define COMMANDS_STATUS_VIEW_H

#include "commands/command.h"

struct status_view {
	struct records records;
	const struct firewall_state *network; /* NULL: not read */
	bool network_unread; /* though it filters here, and this user may read it */
	const struct context *context;
	struct journal_entries handovers;
	bool archived; /* an archive may have older handovers */
	bool held;     /* no access is granted: records are missing or cannot be read */
};
/* Whether an allowlist entry allows one of the user's addresses to reach the grant's server. */
bool status_is_admitted(const struct firewall_state *s, const struct grant *g);
/* The next server, of the client if there is one, that the packet filter was seen not to guard. Begin with *from 0. */
const struct server *status_unguarded(const struct status_view *seen, const struct program *p,
	const struct client *only, size_t *from);
/* What shuts the user out until it is taken back; NULL: nothing. */
const struct override *status_revocation(const struct context *c, const struct grant *g);
const struct record *status_record(const struct records *k, const struct grant *g);
/* False: unknown, which must never be shown as none. */
bool status_is_seen(const struct record *r);
bool status_is_residual(const struct record *r);
struct json_t *status_json(
	const struct grants *g, const struct status_view *seen, const char *client, instant_t now);

#endif
