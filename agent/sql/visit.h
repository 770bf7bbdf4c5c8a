/* Inside a pass on one server: the run and what it tells. Not for other modules. */
#ifndef CURFEW_SQL_VISIT_H
#define CURFEW_SQL_VISIT_H

#include "curfew/sql.h"

/* Logins that this pass took something from: proved without being asked. */
struct touched {
	char **logins;
	size_t n;
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
/* Nothing could be seen. */
void tell_unreachable(const struct visit_run *run, const char *detail);

#endif
