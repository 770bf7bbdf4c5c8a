/* What should hold at an instant: pure, contacts nothing. */
#ifndef CURFEW_SCHEDULE_H
#define CURFEW_SCHEDULE_H

#include "curfew/program.h"

enum phase {
	PHASE_PENDING,
	PHASE_TESTING,
	PHASE_LIVE,
	PHASE_ENDED,
	PHASE_LAPSED,
	PHASE_REVOKED
};
const char *phase_name(enum phase p);

/* Access taken away by an operator until it is reinstated. */
struct override {
	char *client;
	char *login; /* NULL: every user of the client */
	instant_t at;
	char *reason;
};
struct overrides {
	struct override *items;
	size_t n;
};
void overrides_free(struct overrides *o);

/* One user on one database at one instant. Points into the program. */
struct grant {
	const struct client *client;
	const struct user *user;
	const struct server *server;
	const struct database *database;
	enum phase phase;
	enum level level, next_level;
	instant_t from; /* when this level began (half open); 0: it has been none from the first */
	instant_t
		until; /* when it ends, never 0; at level none with nothing to come: when access ends or ended */
	instant_t end; /* when the last level of this grant that is not none ends */
};
struct grants {
	struct grant *items; /* sorted by client, login, server, database */
	size_t n;
};

/* Every user × database of every client, whatever its level. 0 or -ENOMEM. */
int schedule_at(
	struct grants *out, const struct program *p, const struct overrides *o, instant_t now);
void grants_free(struct grants *g);

/* The earliest instant after `now` at which some grant changes; false when nothing will ever change. */
bool schedule_next(instant_t *out, const struct grants *g, instant_t now);

enum phase client_phase(const struct client *c, instant_t now);

#endif
