/* Inside a pass on one server: the run and what it tells. Not for other modules. */
#ifndef CURFEW_SQL_VISIT_H
#define CURFEW_SQL_VISIT_H

#include "curfew/sql.h"

/* Logins that this pass took something from: proved without being asked. */
struct touched {
	char **logins;
	size_t n;
};

/* What the server said in this visit of a grant. */
struct verdict {
	bool asked;
	enum verification result;
	char fingerprint[FINGERPRINT_MAX]; /* of what it was said of */
	char *evidence;
};

struct visit_run {
	struct worker *worker;
	const struct sql_visit *visit;
	struct sql_session *session;
	struct observed_server observed;
	struct difference difference;
	uint64_t numbers; /* of plans told */
	bool failed;	  /* some change was refused by the server */
	bool unrecorded;  /* the journal cannot be written: closings alone go on */
	struct touched touched;
	struct sql_blocked blocked;
	struct verdict *verdicts; /* beside visit->wanted.grants */
	bool cannot_tell; /* the server does not know the words of a proof: not asked again in this visit */
	struct claims claims; /* the pass's, and the logins made by this run; its array is owned */
};

bool pass_is_for(const struct sql_visit *p, const char *client);
/* A record with the server's name, and the client's, login's and database's where they are not NULL. */
void record_of(struct record *r, const struct sql_visit *p, enum record_kind kind,
	const char *client, const char *login, const char *database);
/* A server's clock may say anything: 0 for what no record carries. */
instant_t instant_within(instant_t t);
/* The change as a RECORD_PLAN; its number is the run's next. */
int change_record(struct record *r, struct visit_run *run, const struct change *c);

/* The server's own state: reachable or not, version, round trips, what it cannot tell. */
void tell_server(const struct visit_run *run, enum state state, const char *detail);
void tell_obstacles(const struct visit_run *run);
void tell_grants(const struct visit_run *run);
/* Looked for, whatever else is told. */
void tell_remnants(const struct visit_run *run);
void tell_logins(const struct visit_run *run);
void tell_sessions(const struct visit_run *run);
/* The steps of a visit. Each 0, or an error that ends it. */
int visit_observe(struct visit_run *run, struct sql_error *error);
int visit_apply(struct visit_run *run, struct sql_error *error);
int visit_handover(struct visit_run *run, struct sql_error *error);
/* -EBUSY: another agent holds it. A server that has no such locks is told. */
int lock_take(struct visit_run *run, struct sql_error *error);
bool work_is_left(const struct visit_run *run);
void outcome_tell(const struct visit_run *run, struct record *r, int rc,
	const struct sql_error *error, bool moot);

/* Where a grant's login is, as far as it was read. True: it has a user there. */
struct grant_place {
	const struct observed_login *login; /* of ours, or NULL */
	const struct observed_database *database;
	const struct observed_user *user;
};
bool grant_place(struct grant_place *out, const struct visit_run *run, const struct grant *g);

/* Asks of each login that the difference would enable, and takes out of it whoever is not verified. Then of all others
 * that need it; who holds more than scheduled is shut. 0, or negative errno when the session was lost. */
int verify_before_enabling(struct visit_run *run, struct sql_error *error);
int verify_the_rest(struct visit_run *run, struct sql_error *error);
/* Every database of it that was read was verified in this visit. */
bool login_is_verified(const struct visit_run *run, const char *login);
/* A grant that is told: what was verified of it counts for more than what its roles look like. */
void verdict_apply(struct record *r, const struct visit_run *run, const struct grant *g);

/* Nothing could be seen. */
void tell_unreachable(const struct visit_run *run, const char *detail);

#endif
