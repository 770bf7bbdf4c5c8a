/* Used only by visit/: the steps of a visit, and what it reports. */
#ifndef CURFEW_VISIT_VISIT_H
#define CURFEW_VISIT_VISIT_H

#include "curfew/visit.h"
#include "proof/visit_run.h"

/* Reports the server: reachable or not, version, round trips, parts that cannot be read. */
void tell_server(const struct visit_run *run, enum state state, const char *detail);
void tell_obstacles(const struct visit_run *run);
void tell_grants(const struct visit_run *run);
/* Always looked for, whatever else is reported. */
void tell_formers(const struct visit_run *run);
void tell_logins(const struct visit_run *run);
void tell_sessions(const struct visit_run *run);
/* Passwords that the server will stop to accept while access is scheduled. */
void tell_passwords(const struct visit_run *run);
/* The steps of a visit. Each returns 0, or an error that ends the visit. */
int visit_observe(struct visit_run *run, struct sql_error *error);
/* The server alone once more; its databases are as they were read last. All of it, if they are not the same ones. */
int visit_look(struct visit_run *run, struct sql_error *error);
/* The difference anew, of what was read last. */
int visit_compare(struct visit_run *run);
/* Closes managed logins that keep the catalog of a database, where they may only read, from being read. */
int holders_close(bool *closed, struct visit_run *run, struct sql_error *error);
/* Ends sessions of managed logins that keep the server's catalog from being read. */
int server_holders_end(struct visit_run *run);
/* Adds to the text of `error` who does. Negative: the session is lost. */
int server_holder_name(struct visit_run *run, struct sql_error *error);
/* What was read ahead is no longer how it is. */
void visit_ahead_forget(struct visit_run *run);
int visit_apply(struct visit_run *run, struct sql_error *error);
int visit_handover(struct visit_run *run, struct sql_error *error);
/* At once or, with `wait`, within some seconds. -EBUSY: another agent holds it. If the server has no application locks,
 * that is reported. */
int lock_take(struct visit_run *run, struct sql_error *error, bool wait);
/* Takes it without waiting, in front of an observation: `locked` tells. */
struct sql_head lock_head(struct visit_run *run);
/* One round: the changes of the difference. Negative: the session is lost. */
int round_run(struct visit_run *run, struct sql_error *error);
/* Several changes that are sent in one batch. */
struct change_batch {
	const struct change **changes;
	size_t n; /* after sending: those that were sent */
	bool *done;
	bool last; /* of its round: the server is read ahead in the same batch */
	int number; /* of the error that the server returned for the first change that is not done, or 0 */
	char words[RECORD_TEXT_MAX];
};
/* 0, SQL_SERVER_ERROR or negative errno for the batch as a whole. */
int changes_send(struct change_batch *b, struct visit_run *run, struct sql_error *error);
/* One change as it is sent: behind the guard of its database, or of the server. 0, -ENOTSUP or -ENOMEM. */
int change_write(
	FILE *to, const struct visit_run *run, const struct change *c, const char *password);
bool work_is_left(const struct visit_run *run);
void outcome_tell(const struct visit_run *run, struct record *r, int rc,
	const struct sql_error *error, bool moot);

/* Verifies each login that the difference would enable, and removes those changes that are not verified. Then verifies
 * all others that need it, and disables logins with excess access. 0, or negative errno if the session was lost. */
int verify_before_enabling(struct visit_run *run, struct sql_error *error);
int verify_the_rest(struct visit_run *run, struct sql_error *error);
/* Every database of the login that was read was verified in this visit. */
bool login_is_verified(const struct visit_run *run, const char *login);
/* Adds the verdict to a grant's record: it counts for more than the observed roles. */
void verdict_apply(struct record *r, const struct visit_run *run, const struct grant *g);

/* Nothing could be read. */

#endif
