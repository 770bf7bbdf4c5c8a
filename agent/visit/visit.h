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
/* Opens the session. In a round that is held ahead of its instant, for which it then waits. 0 or negative errno. */
int visit_connect(struct visit_run *run, struct sql_error *error);
/* The session is lost: once more, if it was opened ahead of the instant and may have died while it waited. */
int visit_connect_again(struct visit_run *run, struct sql_error *error);
/* The session has answered, and made what closes: from now on it is one like any other, and its worker keeps its place. A
 * server that logs in and then makes no change must not keep another's closings waiting. */
void visit_connected(struct visit_run *run);
/* The steps of a visit. Each returns 0, or an error that ends the visit. */
int visit_observe(struct visit_run *run, struct sql_error *error);
/* The server alone once more; its databases are as they were read last. All of it, if they are not the same ones. */
int visit_look(struct visit_run *run, struct sql_error *error);
/* Notes which database a session is in. 0 or -ENOMEM. */
int entry_note(struct visit_run *run, const struct observed_session *s);
/* Notes those that a visit before in the same pass has seen. 0 or -ENOMEM. */
int entries_recall(struct visit_run *run);
/* Reports all of them for the next one: it does not see a session that this one has ended. */
void entries_carry(const struct visit_run *run);
/* Notes those that were read. 0 or -ENOMEM. */
int entries_note(struct visit_run *run);
/* Keeps those of them that are in databases which the configuration does not name for their login, and that cannot be
 * read, as of the last reading: whatever fails behind it, they are reported. 0 or -ENOMEM. */
int entries_judge(struct visit_run *run);
/* Sessions in databases that the configuration does not name for their login, and that cannot be read. */
void tell_entries(const struct visit_run *run);
/* Adds databases in which access was verified, and that no row shows under any name. 0, or as sql_observe_hidden(). */
int hidden_observe(struct visit_run *run, struct sql_error *error);
/* Marks databases as unread whose name belonged to another one, which is there still and not settled. 0 or -ENOMEM. */
int moved_mark(struct visit_run *run);
/* What was verified in a database that is settled under another name does not count as access under the former one. */
void moved_settle(struct visit_run *run);
/* Marks databases as unread that end the session, or must not be asked for others' sake. 0 or -ENOMEM. */
int enders_mark(struct visit_run *run);
/* The number of the database that is asked first, where one is asked at a time. */
size_t enders_first(const struct visit_run *run);
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
/* Closes scheduled logins that are hidden from the agent login. 0, or as closings_run(). */
int unseen_shut(struct visit_run *run, struct sql_error *error);
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
	char token[37]; /* of its rows; "": no row has come */
};
/* 0, SQL_SERVER_ERROR or negative errno for the batch as a whole. */
int changes_send(struct change_batch *b, struct visit_run *run, struct sql_error *error);
/* After an error in a batch of changes: ends what it may have left open or set in the session. Notes whether the server
 * knows how a database is changed as its owner: if not, changes are to be written anew. Returns rc, or negative errno
 * if the session is lost. */
int changes_leave(struct visit_run *run, int rc);
/* Sends a batch again, a few times and not at once, while a lock is in its way. */
int statement_insist(struct visit_run *run, struct sql_error *error, const char *text);
/* One change as it is sent: behind the guard of its database, or of the server. 0, -ENOTSUP or -ENOMEM. */
int change_write(
	FILE *to, const struct visit_run *run, const struct change *c, const char *password);
/* Keeps the outcome of a removal that the server refused because its object is gone, or hidden from the agent, until
 * the next reading tells which. False: it is no such outcome, to be reported at once. */
bool doubt_keep(
	struct visit_run *run, const struct record *plan, int rc, const struct sql_error *error);
/* Reports those that were kept; `was_read`: the server was read since, and compared. */
void doubts_settle(struct visit_run *run, bool was_read);
bool work_is_left(const struct visit_run *run);
void outcome_tell(const struct visit_run *run, struct record *r, int rc,
	const struct sql_error *error, bool moot);

/* Verifies each login that the difference would enable, and removes those changes that are not verified. Then verifies
 * all others that need it, and disables logins with excess access. 0, or negative errno if the session was lost. */
int verify_before_enabling(struct visit_run *run, struct sql_error *error);
int verify_the_rest(struct visit_run *run, struct sql_error *error);
/* A plan: what the next pass would ask of access that is as scheduled, so that it is known who would be shut. */
int verify_ahead(struct visit_run *run, struct sql_error *error);
/* Every database of the login that was read was verified in this visit. */
bool login_is_verified(const struct visit_run *run, const char *login);
/* Adds the verdict to a grant's record: it counts for more than the observed roles. */
void verdict_apply(struct record *r, const struct visit_run *run, const struct grant *g);

/* Nothing could be read. */

#endif
