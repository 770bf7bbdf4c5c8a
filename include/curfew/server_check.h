/* `curfew check-server`: runs every query that Curfew uses, one by one, before an operator trusts it with a server. */
#ifndef CURFEW_SERVER_CHECK_H
#define CURFEW_SERVER_CHECK_H

#include "curfew/visit.h"

/* Prefix of the logins that `check-server --life` creates. */
#define CHECK_LOGIN_PREFIX "curfew_check_"

struct server_check {
	const char *shown; /* the server's name in the report */
	bool anonymous; /* the report contains no name and no text from outside, see server_check_shown() */
	char *const *databases;
	size_t n_databases;
	bool brief; /* what an audit asks as well is left to it, and so is the lock that a pass may hold */
	instant_t needed_until; /* the certificate must hold until then; 0: now */
	struct sql_visit visit; /* program and server; sql_visit_prepare() sets the password */
};
/* worker_job.prepare and .run; the context is a struct server_check. Reports a RECORD_CHECK for each thing tried.
 * RECORD_END's code is 0 if the server was reached. */
int server_check_prepare(void *context);
int server_check_run(struct worker *w, void *context);

/* Before access is reduced or ends: a brief check, then the reading of an audit, with the reports of both. worker_job.run;
 * the context is a struct sql_visit of SQL_AUDIT. */
int sql_preflight_run(struct worker *w, void *context);

/* ---- check-server --life: the parts that a pass does not have ---- */

struct server_probe { /* a user who connects */
	const struct server_check *check;
	const char *line; /* the check's name: "life.login" */
	const char *login, *database;
	char *password; /* wiped by the caller */
	int refused;	/* the expected server error, or 0: the login must succeed */
	bool hold; /* stay connected until the server ends the session, and report "life.kill" */
};
/* worker_job.run; the context is a struct server_probe. */
int server_probe_run(struct worker *w, void *context);

struct server_sweep { /* removes everything that the check created, and verifies that it is removed */
	struct server_check check;
	const char *login, *database;
	const char *roles[LEVELS]; /* roles that the check created; NULL: none */
};
int server_sweep_prepare(void *context);
int server_sweep_run(struct worker *w, void *context);

/* A name, or a text that can contain one, as the report shows it: an anonymous one has `instead`. Each such text goes
 * through this function. */
const char *server_check_shown(const struct server_check *c, const char *instead, const char *text);
/* "database 2", or its name. */
const char *server_check_database(
	char buf[MAX_NAME_BYTES + 1], const struct server_check *c, size_t i);

#endif
