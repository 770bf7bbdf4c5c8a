/* Inside a pass: what its steps share. Not for other modules. */
#ifndef CURFEW_PASS_INTERNAL_H
#define CURFEW_PASS_INTERNAL_H

#include "curfew/memory.h"
#include "curfew/pass.h"

struct told_plan { /* an announced change, until its outcome */
	uint64_t number;
	int64_t id;  /* the journal's, until its outcome is on record */
	char *login; /* of a login to be made: becomes an intent of the ledger */
};

struct kept_item { /* of a baseline, until its database is whole */
	char *database;
	struct baseline_item item;
};

struct server_work {
	const struct server *server;
	struct sql_visit sql;
	const char *read[4]; /* what its worker may read */
	uint16_t connect[2];
	struct sandbox_paths paths;
	struct told_plan *plans;
	size_t n_plans;
	const char **baselines; /* databases whose baseline is asked for; NULL-terminated */
	struct kept_item *items;
	size_t n_items;
	struct closings due;	      /* from memory; sql.closings borrows their texts */
	struct sql_closing *closings; /* sql.closings */
	struct sql_remnant *remnants; /* sql.remnants */
	size_t failed;	    /* changes, until the server is seen to be as wanted all the same */
	bool told, reached; /* something was said of the server; it answered */
};

struct grant_work { /* beside the grant of the same index */
	enum state state;
	enum level observed;
	bool told;		       /* its worker has spoken of it */
	bool answered;		       /* ... and its server has shown it */
	bool seen;		       /* ... and all else that it has to show */
	bool on_record;		       /* as seen */
	enum admission before;	       /* by what was known when the pass began */
	bool readable;		       /* its database was read, and all of what counts in it */
	enum admission told_admission; /* what its worker makes of it by roles alone */
	bool login_shut;	       /* its login is disabled, or not there */
	char *shown; /* what a verification found beyond the level, or could not tell; or NULL */
	bool has_verified, to_save;
	struct verified verified; /* the last one, of now or of before */
};

struct remnant {			       /* names are the memory's */
	const char *server, *login, *database; /* database NULL: the login itself */
	char *client;			       /* or NULL: unknown */
	struct sid sid;
	enum level level; /* last known */
	bool told, gone, saved;
	enum state state;
	char detail[256];
};

/* The tables of the journal that passes go by; shared. */
struct recall {
	unsigned users;
	struct identities identities;
	struct proved_list proved;
	struct verified_list verified; /* by server, login, database, letter case aside */
	struct kept_guards guards;
	struct overrides kept;
};
/* All of it, or an error. */
int recall_read(struct recall **out, struct journal *j);
struct recall *recall_share(struct recall *r);

struct pass {
	struct pass_options o;
	struct grants grants;
	struct grant_work *works;
	const struct grant *
		*index; /* the grants by server, login and database, letter case aside */
	/* Memory: of `recall`; the last that was read, or empty, where it could not be read. */
	struct recall *recall;
	struct identities identities;
	struct proved_list proved;
	struct verified_list verified;
	struct kept_guards guards;
	struct overrides kept;	    /* the journal's; its passed instants count */
	struct overrides overrides; /* the caller's revocations with those instants; borrowed */
	struct remnant *remnants;
	size_t n_remnants;
	bool memory_failed;
	bool first_start;	    /* nothing was ever on record */
	char hold[RECORD_TEXT_MAX]; /* why nothing is opened; "": all as scheduled */
	struct last_access *lasts;  /* on record, beside the grants; NULL until it was read */
	struct left_access *lefts;  /* on record, without a grant */
	size_t n_lefts;
	struct server_work *servers;
	struct worker_job *jobs;
	size_t n_servers;
	struct pass_result result;
	int64_t zero_ms;	     /* of the monotonic clock, when the second `now` began */
	bool in_journal;	     /* a batch is open */
	struct journal_entry *batch; /* copies of what it says was done */
	size_t n_batch;
	int journal_error;
};

void pass_tell(struct pass *p, const struct record *r);
/* Opens a batch of the journal when none is open; 0, or the first error that it had. */
int pass_journal_begin(struct pass *p);
int pass_journal_commit(struct pass *p);
/* The pass is given up: an open batch is undone. */
void pass_journal_drop(struct pass *p);
/* Into that batch. What cannot be written, or is lost with its batch, goes to the pass's `unrecorded`. 0 or the error. */
int pass_journal_write(struct pass *p, const struct journal_entry *e);
/* An entry with the pass's own instant, actor and configuration. */
struct journal_entry pass_entry(const struct pass *p, enum journal_kind kind);
int pass_index_build(struct pass *p);
/* By names in whatever letter case a server answers; NULL: not of the configuration. */
const struct grant *pass_grant(
	const struct pass *p, const char *server, const char *login, const char *database);
/* Some grant of the server is of that login. */
bool pass_login_is_named(const struct pass *p, const char *server, const char *login);
size_t pass_grant_number(const struct pass *p, const struct grant *g);
/* Changes that a worker announces: on record before it may go on, and what came of them after. */
struct journal_entry pass_record_entry(
	const struct pass *p, const struct record *r, enum journal_kind kind);
void pass_plan_take(struct pass *p, struct server_work *w, const struct record *r);
/* The worker's question: is everything that it announced on record? 0: it may go on. */
int pass_intent_take(struct pass *p, struct server_work *w, const struct record *r);
void pass_outcome_take(struct pass *p, struct server_work *w, const struct record *r);
/* Announced, and not said what came of it. */
void pass_unfinished_take(struct pass *p, struct server_work *w, const struct record *end);
/* Baselines: which are asked for, what comes in. */
int pass_baselines_ask(struct pass *p, struct server_work *w);
/* Tells what is new, changed or gone since the baseline. Puts the items in order. */
void baseline_compare(struct pass *p, struct server_work *w, const char *database,
	struct baseline_item *items, size_t n);
int pass_baseline_take(struct pass *p, struct server_work *w, const struct record *r);
void pass_baselines_free(struct server_work *w);
/* Puts the access that was found on record where it is another than before; each grant once. */
int pass_record_access(struct pass *p);
void pass_lasts_free(struct pass *p);
/* Verified gone: of what has left the configuration no grant tells any more that its access has ended. database NULL: the
 * login, with what is on record of it and not remembered of any database. */
int pass_record_gone(struct pass *p, const char *server, const char *login, const char *database);
/* The sources that the record of the grant's last access has and its file has not, when that was an access. Valid until
 * pass_free(). */
int pass_sources_left(struct source **out, size_t *n, struct pass *p, const struct grant *g);

/* ---- memory ---- */

/* 0 or -ENOMEM: trouble with the journal is told by p->hold. */
int pass_memory_read(struct pass *p);
void pass_memory_free(struct pass *p);
/* As it is after this pass: a login that it has made must be known when the journal cannot be read any more. */
void pass_memory_keep(struct pass *p);
/* Nothing is opened, and why; the first reason stays. */
void pass_hold(struct pass *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Places the last verifications beside their grants. */
void pass_verified_begin(struct pass *p);
void pass_verified_note(struct pass *p, const struct grant *g, const struct verified *v);
int pass_verified_save(struct pass *p);
int pass_passed_save(struct pass *p);
void pass_reopenings_tell(struct pass *p);
/* Guards that stay although the configuration does not have them. */
int pass_guards_keep(struct allowlist *wanted, const struct pass *p);
void pass_guards_tell(struct pass *p);
int pass_guards_save(struct pass *p);

/* ---- closings ---- */

/* What is remembered of a server, sorted, one row a database; the caller frees the array alone. */
int pass_remembered(struct remembered **out, size_t *n, const struct pass *p, const char *server);
int pass_closings_build(struct pass *p, struct server_work *w);
void pass_closings_free(struct server_work *w);

/* ---- remnants ---- */

int pass_remnants_build(struct pass *p);
void pass_remnants_free(struct pass *p);
int pass_remnants_ask(struct pass *p, struct server_work *w);
/* A database that the grant's login was given and that is not verified gone: nobody of it is let in. */
bool pass_is_remnant(
	const struct pass *p, const char *server, const char *login, const char *database);
bool pass_remnant_is_left(const struct pass *p, const struct grant *g);
/* False: the record is of none. */
bool pass_remnant_take(struct pass *p, const struct record *r);
void pass_remnant_login_gone(struct pass *p, const char *server, const char *login);
void pass_remnants_tell(struct pass *p);

/* What SQL shows of the grant's login, now or, where it was not asked, last. */
enum admission pass_admission(const struct grant *g, void *pass);
/* The network as SQL has shown it so far: nobody waits for the servers that have not answered yet. */
void pass_network_step(struct pass *p);

#endif
