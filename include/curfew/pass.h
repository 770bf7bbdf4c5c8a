/* One round over everything: what should hold, what does, close, open, read back, put on record.
 *
 * Closing order: network first, SQL after. Opening order: SQL first, network last. So a pass has three steps: the
 * network's closings at once, then a worker for each SQL server, then the network as SQL has proved it. */
#ifndef CURFEW_PASS_H
#define CURFEW_PASS_H

#include "curfew/allowlist.h"
#include "curfew/firewall_port.h"
#include "curfew/journal.h"
#include "curfew/sql.h"
#include "curfew/worker.h"

enum pass_mode { PASS_PLAN, PASS_APPLY, PASS_STATUS, PASS_HANDOVER, PASS_AUDIT };

/* Milliseconds for another process that has the journal locked: what closes is recorded later then. */
#define CLOSING_PATIENCE 500

/* A person waits for what PLAN and STATUS say: no server gets longer for it, in seconds. */
#define PASS_READING_DEADLINE 20

/* What was last read of the journal's memory; the caller's. */
struct recall;
void recall_free(struct recall *r);

struct pass_options {
	enum pass_mode mode;
	const struct program *program;
	const struct overrides *overrides;
	struct journal *journal; /* NULL: none yet (PLAN and STATUS before the first apply) */
	/* Kept from pass to pass: where the journal cannot be read, what it said last still closes. May be NULL. */
	struct recall **last;
	const struct firewall_port *network; /* NULL: this host filters nothing */
	instant_t now;
	const char *
		client; /* this client's SQL access alone; NULL: all. The network is always looked at whole. */
	const char *const *
		servers; /* NULL-terminated names of servers to visit; NULL: all that the grants name */
	const char *actor, *reason; /* for the journal */
	const char *handover_login, *handover_password;
	/* Set by the caller while the pass is under way: the schedule is another now than it knows, and the network is
	 * left alone. May be NULL. */
	const bool *stale;
	/* Gets what was done and could not be recorded, to be recorded later: entries with their instants. May be NULL. */
	void (*unrecorded)(void *context, const struct journal_entry *e);
	record_fn sink; /* what a person or a report should see; its result is ignored */
	void *context;
};

/* In the place of the server's name in records about the packet filter. */
#define PASS_NETWORK JOURNAL_NETWORK

struct pass_result {
	size_t planned; /* changes that would be, or were to be, made */
	size_t done, failed;
	size_t servers, unreachable;
	size_t overdue; /* grants past their end or narrowing and not proved closed */
	size_t drift;	/* grants not as wanted after all was tried */
	size_t waiting, unverified, unread, excess;
	size_t findings;     /* above low */
	size_t not_verified; /* verifications that could not be had, or that show excess */
	size_t round_trips;  /* the most of any server */
	bool held;	     /* nothing is opened: records are missing, or cannot be read */
	bool network_failed;
	bool journal_failed; /* closings go on all the same; nothing is opened that cannot be recorded */
};

struct pass;
/* Schedule, wanted sets, ledger. 0, -ENOMEM, or what the journal said. Borrows all that `o` points to. */
int pass_new(struct pass **out, const struct pass_options *o);
void pass_free(struct pass *p);

/* Step 1: the network's closings (APPLY); nothing else is waited for. 0 or negative errno, told to the sink too. */
int pass_close_network(struct pass *p);
/* Step 2: the SQL servers; pass_record() is the workers' sink, `p` its context. */
const struct worker_job *pass_jobs(const struct pass *p, size_t *n);
int pass_record(void *pass, const struct record *r);
/* Step 3: the network as it should be now (APPLY), or what it would need (PLAN); last records, the journal's commit. */
int pass_finish(struct pass_result *out, struct pass *p);

/* Whether a batch of the journal is open: while it is, no other process can write. */
bool pass_is_writing(const struct pass *p);
/* Commits that batch; a failure shows in the pass's result. */
void pass_settle(struct pass *p);

/* An operator has corrected the clock that the pass went by: what it puts on record from here on bears this instant. */
void pass_now_correct(struct pass *p, instant_t now);

/* All steps, waiting for the workers. */
int pass_run(struct pass_result *out, const struct pass_options *o);

/* The grants of now, for reports; valid until pass_free(). */
const struct grants *pass_grants(const struct pass *p);

#endif
