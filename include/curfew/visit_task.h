/* What a visit to one server is to do. */
#ifndef CURFEW_VISIT_TASK_H
#define CURFEW_VISIT_TASK_H

#include "curfew/catalog.h"

enum sql_visit_mode { SQL_PLAN, SQL_APPLY, SQL_STATUS, SQL_HANDOVER, SQL_AUDIT };

struct sql_visit {
	enum sql_visit_mode mode;
	const struct program *program;
	const struct server *server;
	struct wanted_server wanted;
	struct claims claims;
	instant_t now;
	/* SQL_APPLY: done first. A RECORD_OUTCOME without an intent reports each. */
	const struct sql_closing *closings;
	size_t n_closings;
	const struct sql_former *formers; /* on this server, in every mode */
	size_t n_formers;
	/* The last verifications on this server from the journal, sorted by login and database. A verification with an
	 * unchanged fingerprint is still valid; any other is repeated before its login is enabled. A
	 * RECORD_VERIFICATION reports each result, and the pass saves it. */
	const struct verified *verified;
	size_t n_verified;
	const char *only_client; /* report and change only this client; NULL: all */
	const char *const *
		baselines; /* SQL_APPLY, SQL_AUDIT: databases whose baseline is read; may be NULL */
	const char *handover_login; /* SQL_HANDOVER */
	const char *handover_password;
	char *password; /* of the agent login; set by sql_visit_prepare(), wiped by sql_visit_run() */
};

#endif
