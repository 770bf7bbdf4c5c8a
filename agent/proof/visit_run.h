/* A visit while it runs: what it has read and verified so far, for its proofs and its steps. */
#ifndef CURFEW_PROOF_VISIT_RUN_H
#define CURFEW_PROOF_VISIT_RUN_H

#include "curfew/visit_task.h"

/* Logins that this pass reduced: verified even if nothing else asks for it. */
struct touched {
	char **logins;
	size_t n;
};

/* The server's answer about one grant in this visit. */
struct verdict {
	bool asked;
	enum verification result;
	char fingerprint[FINGERPRINT_MAX]; /* of the catalog at that time */
	char *evidence;
};

struct visit_run {
	struct worker *worker;
	const struct sql_visit *visit;
	struct sql_session *session;
	struct observed_server observed;
	struct observed_server
		ahead; /* the server as it was read right behind a round's last changes */
	bool is_ahead;
	struct difference difference;
	bool lock_tried, locked;
	/* Who kept databases, or the server, from being read; then they were read again. */
	bool holders_closed, server_holders_ended;
	char lock_text[512]; /* what lock_head() points to */
	uint64_t numbers;    /* of the plans reported so far */
	bool failed;	     /* the server refused a change */
	bool unrecorded;     /* the journal cannot be written: only remove access */
	struct touched touched;
	struct sql_blocked blocked;
	struct verdict *verdicts; /* parallel to visit->wanted.grants */
	bool cannot_tell; /* the server does not know the syntax of a verification; not asked again in this visit */
	struct claims
		claims; /* those of the pass and of logins that this run created; the array is owned */
	bool closing_only; /* removals come first; then baselines are read; then access is granted */
	char **held; /* parallel to visit->baselines: why it could not be read; NULL: it was, or was not needed */
};

bool pass_is_for(const struct sql_visit *p, const char *client);
/* The client of this login; NULL: it is not configured. */
const char *client_of_login(const struct visit_run *run, const char *login);
/* A new record with the server's name, and client, login, and database if not NULL. */
void record_of(struct record *r, const struct sql_visit *p, enum record_kind kind,
	const char *client, const char *login, const char *database);
/* The server's clock can return any value. 0 if it does not fit into a record. */
instant_t instant_within(instant_t t);
/* The change as a RECORD_PLAN with the next number of this run. */
int change_record(struct record *r, struct visit_run *run, const struct change *c);

/* The login and user of a grant, as far as they were read. True: the user exists. */
struct grant_place {
	const struct observed_login *login; /* managed, or NULL */
	const struct observed_database *database;
	const struct observed_user *user;
};
bool grant_place(struct grant_place *out, const struct visit_run *run, const struct grant *g);

#endif
