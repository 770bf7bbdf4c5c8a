/* A pass: compare scheduled and observed access everywhere, remove, grant, verify, record. Removal order: network
 * first, then SQL. Granting order: SQL first, network last. So a pass has three steps: network removals at once, then
 * one worker for each SQL server, then the network as SQL has verified it. */
#ifndef CURFEW_PASS_H
#define CURFEW_PASS_H

#include "curfew/allowlist.h"
#include "curfew/clock.h"
#include "curfew/firewall_port.h"
#include "curfew/journal.h"
#include "curfew/sql.h"
#include "curfew/worker.h"

enum pass_mode { PASS_PLAN, PASS_APPLY, PASS_STATUS, PASS_HANDOVER, PASS_AUDIT, PASS_PREFLIGHT };

/* Milliseconds to wait for a process that locks the journal. Then removals continue, and are recorded later. */
#define CLOSING_PATIENCE 500

/* Seconds for each server in PLAN and STATUS, because a person waits for the answer. */
#define PASS_READING_DEADLINE 20

/* The journal's tables as they were last read, owned by the caller. */
struct state_copy;

/* What servers refused to give, owned by the caller. */
struct refusals;
void refusals_free(struct refusals *r);

struct pass_options {
	enum pass_mode mode;
	const struct program *program;
	const struct overrides *overrides;
	/* For a PLAN of edited files, or of a later time: the grants that are in force. What only the plan ends is not
	 * overdue. NULL: those of `program` at `now`. */
	const struct grants *in_force;
	struct journal *journal; /* NULL: none yet (PLAN and STATUS before the first apply) */
	/* Kept from pass to pass: while the journal cannot be read, access is removed by this copy. May be NULL. */
	struct state_copy **last;
	/* Kept from pass to pass: what a server refused is not asked for again at the price of a session. May be NULL. */
	struct refusals **refusals;
	bool insists;			     /* an operator asks: it is tried all the same */
	const struct firewall_port *network; /* NULL: this host filters nothing */
	instant_t now;			     /* decides what should hold */
	/* Tells when each record is written: a server may answer long after `now`. NULL: `now` stands for it (--at). */
	struct clock *clock;
	const char *
		client; /* SQL access of this client only; NULL: all. The network is always compared completely. */
	const char *const *
		servers; /* NULL-terminated names of servers to visit; NULL: all servers with grants */
	const char *actor, *reason; /* for the journal */
	const char *hold;	    /* why this pass grants no access; NULL: it may */
	bool unfiltered; /* this host is to filter and cannot: nothing is granted. `network` is NULL */
	const char *handover_login, *handover_password;
	/* The caller sets this if the schedule changes during the pass; then the network is left alone. May be NULL. */
	const bool *stale;
	/* Receives entries for changes that were made and could not be recorded, to record them later. May be NULL. */
	void (*unrecorded)(void *context, const struct journal_entry *e);
	record_fn sink; /* receives reports; its result is ignored */
	void *context;
};

/* Stands for the server's name in records about the packet filter. */
#define PASS_NETWORK JOURNAL_NETWORK
/* The same in checks of this host, of PREFLIGHT. */
#define PASS_HOST "(this host)"

struct pass_result {
	size_t planned; /* changes to make, or that would be made */
	size_t done, failed;
	size_t refuted; /* verifications that show more access than is scheduled */
	size_t servers, unreachable;
	size_t overdue; /* access that should have ended or been reduced, not confirmed */
	size_t drift;	/* grants that do not match after everything was tried */
	size_t waiting, unverified, unread, excess;
	size_t findings;     /* findings above severity low */
	size_t not_verified; /* verifications that failed or show excess access */
	size_t round_trips;  /* highest number of any server */
	size_t overrides_saved; /* revocations and passed times that were written: the caller's overrides lack them */
	bool held; /* no access was granted: records are missing or cannot be read, or else `unfiltered` */
	bool unfiltered; /* for want of this host's packet filter alone */
	bool network_failed;
	bool time_failed; /* the latest time seen could not be saved: the same */
	bool journal_failed; /* the journal could not be written: access was removed, but none was granted */
};
/* Something was not done, or not as scheduled; unreachable servers are counted apart. */
static inline bool pass_is_incomplete(const struct pass_result *r)
{
	return r->failed || r->refuted || r->network_failed || r->journal_failed || r->time_failed;
}

struct pass;
/* Builds schedule, scheduled access, and inventory. 0, -ENOMEM, or the journal's error. Borrows all that `o` points to.
 * */
int pass_new(struct pass **out, const struct pass_options *o);
void pass_free(struct pass *p);

/* Step 1: network removals (APPLY). Waits for nothing else; launch the workers before it, so that they do not wait for
 * it. 0 or negative errno, which is also reported. */
int pass_close_network(struct pass *p);
/* Records what step 1 removed. Call it when the workers have been started, because a disk must not keep SQL access
 * open; the other steps call it too. */
void pass_record_network(struct pass *p);
/* Step 2: the SQL servers. pass_record() is the sink of the workers, and `p` is its context. */
const struct worker_job *pass_jobs(const struct pass *p, size_t *n);
int pass_record(void *pass, const struct record *r);
/* Step 3: the network as it should be now (APPLY), or the changes for that (PLAN); last records; the journal's commit.
 * */
int pass_finish(struct pass_result *out, struct pass *p);

/* A journal batch is open, so no other process can write to the journal. */
bool pass_is_writing(const struct pass *p);
/* Commits that batch. A failure shows in the pass's result. */
void pass_settle(struct pass *p);

/* It grants nothing: records are missing or could not be read. */
bool pass_is_held(const struct pass *p);

/* Whether the schedule of `now` is the one that the pass was built with. */
bool pass_holds_at(const struct pass *p, instant_t now);
/* The pass records this time from here on: an operator corrected the clock, or the instant of a pass that was built ahead
 * has come. */
void pass_now_correct(struct pass *p, instant_t now);

/* All steps; waits for the workers. */
int pass_run(struct pass_result *out, const struct pass_options *o);

#endif
