/* What should hold at an instant: pure, contacts nothing. */
#ifndef CURFEW_SCHEDULE_H
#define CURFEW_SCHEDULE_H

#include "curfew/program.h"

enum phase { PHASE_PENDING, PHASE_TESTING, PHASE_LIVE, PHASE_ENDED, PHASE_LAPSED, PHASE_REVOKED };
const char *phase_name(enum phase p);

/* Access taken away by an operator until it is reinstated: in force from the moment it is in a list, whatever its time. */
struct override {
	char *client;
	char *login;  /* NULL: every user of the client */
	instant_t at; /* when it was made, by a clock that may since have been corrected */
	char *reason;
};
/* An instant at which a client's access narrowed or ended, or is due to after its go-live, and by whose word. */
enum passed_what { PASSED_GO_LIVE, PASSED_STAGING_END, PASSED_END, PASSED_WHATS };
const char *passed_what_name(enum passed_what w); /* "go-live", "staging-end", "end" */
struct passed {
	char *client;
	enum passed_what what;
	instant_t instant;
	char *ticket;	    /* of the client's file at that time */
	instant_t approved; /* and its approved_on */
	/* The staging database whose end it is, which has it in any other role too; NULL: it is the client's. */
	char *server, *database;
};
/* What is kept and takes precedence over the files: revocations, and instants that have passed. */
struct overrides {
	struct override *items;
	size_t n;
	struct passed *passed;
	size_t n_passed, n_sorted; /* the first ones are sorted by client, letter case aside */
};
/* Copies the texts. 0 or -ENOMEM: nothing was added. */
int overrides_add(struct overrides *o, const char *client, const char *login, instant_t at,
	const char *reason);
void overrides_remove(struct overrides *o, const char *client, const char *login);
/* Leaves out what was revoked after a past time that is shown. */
void overrides_as_of(struct overrides *o, instant_t then);
void overrides_free(struct overrides *o);
/* Whether two revocations are the same one. Logins are unique, so a user's is the login's, whatever name its client has by
 * now. That of a whole client has no login. */
bool override_is_same(
	const char *client, const char *login, const char *other_client, const char *other_login);
/* Whether a revocation blocks this user of this client. */
bool override_blocks(const struct override *o, const char *client, const char *login);

/* A date of the files that would give again what ended. Go-live and the final end take a new ticket and an approval
 * not older than the day on which they passed; the end of staging a new ticket. */
struct reopening {
	const struct client *client;
	enum passed_what what;
	instant_t passed, wanted; /* wanted 0: the files have no such date any more */
	bool approved;		  /* false: what ended stays ended */
};
#define REOPENINGS_MAX PASSED_WHATS
/* Those of one client at `now`; the number of them. */
size_t client_reopenings(struct reopening out[REOPENINGS_MAX], const struct program *p,
	const struct client *c, const struct overrides *o, instant_t now);
/* What is to be remembered of the client at `now`, for passed_put(): names and ticket are borrowed. The number. */
size_t client_passed(struct passed out[PASSED_WHATS], const struct client *c,
	const struct overrides *o, instant_t now);
/* The same of one of its databases. False: nothing. */
bool database_passed(struct passed *out, const struct program *p, const struct client *c,
	const struct database *d, const struct overrides *o, instant_t now);
bool passed_is_same(const struct passed *a, const struct passed *b); /* of the same thing */
/* Sorts them all. Those that are added later are found too. */
void passed_sort(struct overrides *o);
/* Those of one client: for (i = passed_first(o, name); i < o->n_passed; i = passed_next(o, name, i)). */
size_t passed_first(const struct overrides *o, const char *client);
size_t passed_next(const struct overrides *o, const char *client, size_t i);
/* What is recorded of the same thing; NULL: nothing. */
const struct passed *passed_find(const struct overrides *o, const struct passed *key);

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

/* Every user × database of every client, whatever its level. What passed and may not be reopened stays as it ended,
 * whatever date the files have now. 0 or -ENOMEM. */
int schedule_at(
	struct grants *out, const struct program *p, const struct overrides *o, instant_t now);
void grants_free(struct grants *g);
/* The grant's user has this source, and its server this endpoint: an allowlist entry of both lets the user in. */
bool grant_is_behind(
	const struct grant *g, const struct source *source, const struct endpoint *endpoint);

/* The earliest instant after `now` at which some grant changes; false when nothing will ever change. */
bool schedule_next(instant_t *out, const struct grants *g, instant_t now);

/* By the dates that hold: the files', but for what has passed and may not be reopened. `o` may be NULL. */
enum phase client_phase(const struct client *c, const struct overrides *o, instant_t now);
instant_t client_end(const struct client *c, const struct overrides *o, instant_t now);

#endif
