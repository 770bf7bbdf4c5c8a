/* Inside the check of a server. Not for other modules. */
#ifndef CURFEW_SQL_SERVER_CHECK_H
#define CURFEW_SQL_SERVER_CHECK_H

#include "curfew/server_check.h"

struct check_run {
	struct worker *worker;
	const struct server_check *check;
	struct sql_session *session;
	struct sql_error error;
	const char *database; /* what the lines are of, as shown; NULL: the server */
};

/* One line of the report. `fix`: what to do, where it failed; may be NULL. */
void check_tell(const struct check_run *c, enum check_result result, const char *name,
	const char *fix, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What the server, or the library, said; its number alone in a report without names. */
const char *check_said(char buf[RECORD_TEXT_MAX], const struct check_run *c);
/* "run `curfew bootstrap SERVER` again": most of what is missing. */
const char *check_bootstrap(char buf[RECORD_TEXT_MAX], const struct check_run *c, const char *why);

/* A question by itself. 0, SQL_SERVER_ERROR, or negative errno when the session is lost. */
int check_ask(struct check_run *c, const char *batch, sql_row_fn each, void *context);
/* One that is ever sent, as a line with time and rows. `some`: every server has a row of it. Negative errno: the session
 * is lost. */
int check_read(struct check_run *c, const char *name, const char *batch, bool some);

/* Each tells its lines. Negative errno: the session is lost. */
int check_session_open(struct check_run *c); /* name, tcp, tls, encryption, login, settings */
int check_facts(struct check_run *c); /* version, collation, clock, rights, mark, lock, leftovers */
int check_reads(struct check_run *c); /* the parts of the catalog, the audit's questions */
int check_database(struct check_run *c, size_t i);

#endif
