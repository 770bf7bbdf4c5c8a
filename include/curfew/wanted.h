/* Scheduled access on one SQL server. Pure. */
#ifndef CURFEW_WANTED_H
#define CURFEW_WANTED_H

#include "curfew/record.h"
#include "curfew/schedule.h"

struct wanted_user {
	const struct grant *grant; /* its level is not none */
};
struct wanted_login {
	const char *login; /* borrowed from the program */
	const char *client;
	struct wanted_user *users; /* one for each database; at least one */
	size_t n_users;
	instant_t narrowed; /* latest reduction of any of its grants on this server, or 0 */
	struct sid
		sid; /* with which it is created, the same on all replicas; size 0: not known yet */
};
/* What the server did not give when it was asked last, and why. */
struct addition_refused {
	char *login, *database, *why;
};

struct wanted_server {
	const struct server *server;
	struct wanted_login *logins; /* sorted by name, ignoring case */
	size_t n_logins;
	const struct grant *
		*grants; /* every grant of the configuration on this server, at any level */
	size_t n_grants;
	const char **named; /* logins of those grants, each once, sorted, ignoring case */
	size_t n_named;
	/* Why no access is granted on this server now; NULL: granted as scheduled. Removals continue. */
	const char *hold;
	/* The journal is empty, and no operator has accepted that. A marked login on the server then means that records
	 * are missing, and no access is granted. */
	bool first_start;
	/* The journal's data about this server, sorted by login and database, ignoring case; borrowed. */
	const struct remembered *remembered;
	size_t n_remembered;
	const struct addition_refused *refused; /* not long ago; borrowed */
	size_t n_refused;
	bool records_lost; /* now or once: without a row, nobody knows what was given */
	bool looked_at; /* nothing is changed: what a trigger keeps Curfew from changing is listed all the same */
	bool replicated; /* is a replica or has some: logins are created with the SID that is chosen for them */
};
int wanted_build(struct wanted_server *out, const struct server *s, const struct grants *g);
void wanted_free(struct wanted_server *w);
/* Whether any grant of the configuration on this server, at any level, is for this login. */
bool wanted_names(const struct wanted_server *w, const char *login);
/* "live: read-only from ... until ...". For the journal and for people. */
void grant_reason(char *buf, size_t size, const struct grant *g);
const struct wanted_login *wanted_find(const struct wanted_server *w, const char *login);

#endif
