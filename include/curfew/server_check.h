/* What an operator lets Curfew try on a server before trusting it: every question that is ever asked, each by itself. */
#ifndef CURFEW_SERVER_CHECK_H
#define CURFEW_SERVER_CHECK_H

#include "curfew/sql.h"

/* Logins that `check-server --life` makes begin so. */
#define CHECK_LOGIN_PREFIX "curfew_check_"

struct server_check {
	const char *shown; /* the server's name as the report has it */
	bool anonymous;	   /* the report holds no name, and no sentence of the server's */
	char *const *databases;
	size_t n_databases;
	struct sql_visit visit; /* program, server; its password by sql_visit_prepare() */
};
/* worker_job.prepare and .run; context is a struct server_check. Tells a RECORD_CHECK for everything that was tried;
 * RECORD_END's code is 0 when the server was reached. */
int server_check_prepare(void *context);
int server_check_run(struct worker *w, void *context);

/* ---- the life of a throw-away login: what the visits of a pass do not show ---- */

struct server_probe { /* somebody who connects */
	const struct server_check *check;
	const char *line; /* the check's name: "life.login" */
	const char *login, *database;
	char *password; /* the caller wipes it */
	int refused;	/* the server's error that is to come, or 0: it is let in */
	bool hold;	/* stays, until the server ends it: a line "life.kill" */
};
/* worker_job.run; context is a struct server_probe. */
int server_probe_run(struct worker *w, void *context);

struct server_sweep { /* the agent, who takes away all that a life may have left, and looks whether it is gone */
	struct server_check check;
	const char *login, *database;
	const char *roles[LEVELS]; /* that the life made; NULL: none */
};
int server_sweep_prepare(void *context);
int server_sweep_run(struct worker *w, void *context);

/* "database 2" or its name. */
const char *server_check_database(
	char buf[MAX_NAME_BYTES + 1], const struct server_check *c, size_t i);

#endif
