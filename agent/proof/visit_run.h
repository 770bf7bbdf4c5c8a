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

/* Removals whose outcome the next reading tells, as records of their plans. */
struct doubts {
	struct record *items;
	size_t n;
};

struct visit_run {
	struct worker *worker;
	const struct sql_visit *visit;
	struct sql_session *session;
	char *password; /* of the agent login, until its session is known to work */
	bool is_early;	/* the session was opened before the instant, and has not answered since */
	struct observed_server observed;
	struct observed_server
		ahead; /* the server as it was read right behind a round's last changes */
	bool is_ahead;
	struct difference difference;
	bool lock_tried, locked;
	/* Who kept databases, or the server, from being read; then they were read again. */
	bool holders_closed, server_holders_ended;
	char lock_text[512]; /* what lock_head() points to */
	struct {
		bool any;
		char database[MAX_NAME_BYTES + 1]; /* "": several at once */
	} entered;				   /* where the session is */
	uint64_t numbers;			   /* of the plans reported so far */
	bool failed;				   /* the server refused a change */
	int64_t began; /* when the session was opened, by the monotonic clock */
	/* Of the last round: changes were left to another pass; some were made. */
	bool waits, changed;
	bool unrecorded; /* the journal cannot be written: only remove access */
	bool as_agent;	 /* the server does not know how databases are changed as their owner */
	struct doubts doubts;
	struct touched touched;
	bool additions_refused; /* the server refuses what logins would get in addition */
	struct unseen_user
		*unseen_users; /* users that the server would not make, because they are there */
	size_t n_unseen_users;
	struct sql_blocked blocked;
	struct observed_entry
		*entries; /* databases in which sessions of managed logins were seen */
	size_t n_entries;
	struct record *unread_entries; /* those of them in databases that cannot be read */
	size_t n_unread_entries;
	struct verdict *verdicts; /* parallel to visit->wanted.grants */
	bool waited_again; /* questions of a verification that met a lock were asked a second time */
	bool cannot_tell; /* the server does not know the syntax of a verification; others are not asked in this visit */
	struct claims
		claims; /* those of the pass and of logins that this run created; the array is owned */
	bool closing_only; /* removals come first; then baselines are read; then access is granted */
	char **held; /* parallel to visit->baselines: why it could not be read; NULL: it was, or was not needed */
};

/* What is sent from now on is sent to this database; NULL: to several. */
void entered_note(struct visit_run *run, const char *database);
/* The same, and each answer must come within a part of the time that the visit has. */
void entered_ask(struct visit_run *run, const char *database);
/* What came of it. Returns rc; a session that was lost stays there. */
int entered_leave(struct visit_run *run, int rc);
/* NULL: it may be asked. */
const struct sql_ender *entered_ender(const struct visit_run *run, const char *database);
/* The session was lost in a database: the visit is to be run again. */
bool entered_goes_again(const struct visit_run *run, int rc);

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
