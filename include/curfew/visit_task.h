/* What a visit to one server is to do. */
#ifndef CURFEW_VISIT_TASK_H
#define CURFEW_VISIT_TASK_H

#include "curfew/catalog.h"

enum sql_visit_mode { SQL_PLAN, SQL_APPLY, SQL_STATUS, SQL_HANDOVER, SQL_AUDIT };

/* A database in which the session was lost, by a visit before in the same pass. */
struct sql_ender {
	char *database, *why;
};

struct sql_visit {
	enum sql_visit_mode mode;
	const struct program *program;
	const struct server *server;
	struct wanted_server wanted;
	struct claims claims;
	instant_t now;
	unsigned seconds; /* that its worker has for all of it */
	/* SQL_APPLY: done first. A RECORD_OUTCOME without an intent reports each. */
	const struct sql_closing *closings;
	size_t n_closings;
	const struct sql_former *formers; /* on this server, in every mode */
	size_t n_formers;
	/* An operator decided that these keep no end from being verified although they cannot be read. */
	const char *const *forgotten;
	size_t n_forgotten;
	/* The last verifications on this server from the journal, sorted by login and database. A verification with an
	 * unchanged fingerprint is still valid; any other is repeated before its login is enabled. A
	 * RECORD_VERIFICATION reports each result, and the pass saves it. */
	const struct verified *verified;
	size_t n_verified;
	const char *only_client; /* report and change only this client; NULL: all */
	const char *const *
		baselines; /* SQL_APPLY, SQL_AUDIT: databases whose baseline is read; may be NULL */
	/* After a session was lost in some database: each is asked by itself, so that it shows which one it is, and
	 * those that are known are not asked at all. */
	bool apart;
	const struct sql_ender *enders;
	size_t n_enders;
	/* One of them, up to which the visit before has read all others; NULL: it has read all. This one begins behind
	 * it, where the next one is. With `no_further` it asks none that was not read then. */
	const char *reached;
	bool no_further;
	/* Where sessions were seen by a visit before in the same pass, which may have ended them. */
	const struct observed_entry *entries;
	size_t n_entries;
	const char *handover_login; /* SQL_HANDOVER */
	const char *handover_password;
	char *password; /* of the agent login; set by sql_visit_prepare(), wiped by sql_visit_run() */
};

#endif
