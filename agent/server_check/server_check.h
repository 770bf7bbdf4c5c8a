/* Used only by server_check/: the parts of the check of a server. */
#ifndef CURFEW_SQL_SERVER_CHECK_H
#define CURFEW_SQL_SERVER_CHECK_H

#include "curfew/server_check.h"

struct check_run {
	struct worker *worker;
	const struct server_check *check;
	struct sql_session *session;
	struct sql_error error;
	bool optional; /* queries to views that older versions lack */
	const char
		*database; /* the database that the lines are about, as shown; NULL: the server */
};

/* One line of the report. `fix` says what to do after a failure; may be NULL. */
void check_tell(const struct check_run *c, enum check_result result, const char *name,
	const char *fix, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The error text of the server or the library; only its number in an anonymous report. */
const char *check_said(char buf[RECORD_TEXT_MAX], const struct check_run *c);
/* "run `curfew bootstrap SERVER` again", which fixes most missing permissions. */
const char *check_bootstrap(char buf[RECORD_TEXT_MAX], const struct check_run *c, const char *why);

/* One query. 0, SQL_SERVER_ERROR, or negative errno if the session is lost. */
int check_ask(struct check_run *c, const char *batch, sql_row_fn each, void *context);
/* A query that Curfew uses, as a line with its time and rows. `some`: every server returns a row. Negative errno: the
 * session is lost. */
int check_read(struct check_run *c, const char *name, const char *batch, bool some);

/* Each reports its lines. Negative errno: the session is lost. */
int check_session_open(
	struct check_run *c);	      /* name, tcp, tls, encryption, login, settings, certificate */
int check_facts(struct check_run *c); /* version, collation, clock, rights, mark, lock, leftovers */
int check_ways(struct check_run *c);  /* port, contained group, replicas */
int check_reads(struct check_run *c); /* the parts of the catalog, the audit's questions */
int check_database(struct check_run *c, size_t i);
/* As whom Curfew changes a database: its owner, and USER_LOGIN. */
int check_owner(struct check_run *c, const char *database);
int check_user_login(struct check_run *c);
int check_user_of_login(struct check_run *c, const char *database);

#endif
