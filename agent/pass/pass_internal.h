/* Used only by pass/: what the steps of a pass share. */
#ifndef CURFEW_PASS_INTERNAL_H
#define CURFEW_PASS_INTERNAL_H

#include "curfew/pass.h"
#include "curfew/state_copy.h"
#include "curfew/visit.h"

struct told_plan { /* a change that a worker announced, until its outcome */
	uint64_t number;
	int64_t id;  /* id in the journal, until the outcome is recorded */
	char *login; /* of a login to be created, for the login inventory */
};

struct kept_item { /* an item of a baseline, until its database is complete */
	char *database;
	struct baseline_item item;
};

/* A user of a database, who was there before access started. */
struct old_user {
	char *database, *sid; /* "0x..." */
};

/* Databases that end the session, in one pass: each takes a visit to be found. */
#define MAX_ENDERS 64
/* Sessions' logins and databases on one server; more are no server's, and would cost the service its memory. */
#define MAX_ENTRIES 1024

struct server_work {
	const struct server *server;
	struct sql_visit sql;
	const char *read[4]; /* what its worker may read */
	uint16_t connect[2];
	struct sandbox_paths paths;
	struct told_plan *plans;
	size_t n_plans;
	const char **baselines; /* databases whose baseline is read; NULL-terminated */
	struct kept_item *items;
	size_t n_items;
	struct old_user *
		old_users; /* an audit: users that each baseline has; databases come before the server */
	size_t n_old_users;
	struct addition_refused *refused; /* the same */
	struct remembered *remembered;	  /* sql.wanted borrows it */
	struct closings due;		  /* from the journal; sql.closings borrows the strings */
	struct sql_closing *closings;	  /* sql.closings */
	struct sql_former *formers;	  /* sql.formers */
	const char **forgotten;		  /* sql.forgotten borrows it, and it the pass's strings */
	struct sql_ender enders[MAX_ENDERS]; /* sql.enders */
	int64_t again_until;		     /* by the monotonic clock; 0: no visit was lost yet */
	struct observed_entry *entries;	     /* sql.entries */
	bool entries_lost;		     /* not all of them are there */
	struct claim *claims; /* sql.claims, once a login is to be made; the pass's before */
	char **made;	      /* those logins, whose names it borrows */
	size_t n_made;
	size_t failed;	    /* failed changes, until the server is seen to match anyway */
	bool told, reached; /* a record about the server arrived; the server answered */
	bool unended;	    /* it did not show its sessions, or one could not be ended */
};

struct grant_work { /* parallel to the grants */
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
	bool secondary;		       /* a secondary replica, which cannot be read */
	char *shown; /* what a verification found beyond the level, or could not tell; or NULL */
	bool proof_told; /* its worker has looked for it by a proof of its own, whatever came of it */
	bool to_save;
	const struct verified *verified; /* the last one, of this pass or before; NULL: none */
	struct verified *noted;		 /* owned: that of this pass */
};

/* The last record of a grant's access. */
struct last_access { /* recorded in the journal */
	enum level level;
	char *client, *sources, *network, *outcome, *person;
	instant_t until;
	char *unseen; /* sources that the packet filter cut, whose sessions were not read since; or NULL */
	struct source *left; /* of both, what the file has no more; read when asked for */
	size_t n_left;
	bool told_allowed; /* by a record of this pass, and not confirmed yet */
	instant_t at;	   /* of that record, with its id */
	int64_t id;
};

/* Access that the journal shows and the configuration no longer has. */
struct left_access {
	char *client, *login, *server,
		*database;	/* client: NULL if the journal has only a verified level */
	bool on_record;		/* the journal shows it as ended */
	char *person, *network; /* as last recorded; or NULL */
	/* The configuration has this access, under another client: the client's file was renamed. NULL: no more. */
	const struct grant *moved_to;
};

struct former {				       /* the strings are the journal data's */
	const char *server, *login, *database; /* database NULL: the login itself */
	char *client;			       /* or NULL: unknown */
	/* Owned: the names, if a session has shown the access and no record has it yet. */
	char *found_login, *found_database;
	int database_id; /* of found_database */
	struct sid sid;
	enum level level; /* last known */
	enum level held;  /* as the server reported it */
	bool told, gone, saved;
	bool secondary; /* its login is gone, and its database is a secondary replica that cannot be read */
	enum state state;
	char detail[256];
};

/* Removals from the packet filter that are made and not recorded yet. */
struct network_closed {
	bool waits;
	int result;
	struct firewall_changes planned, done;
};

struct pass {
	struct pass_options o;
	struct grants grants;
	struct grant_work *works;
	const struct grant *
		*index; /* the grants by server, login and database, letter case aside */
	/* Borrowed from `state_copy`. All are empty if the journal was never read. */
	struct state_copy *state_copy;
	struct identities identities;
	struct verified_level_list levels; /* that may still be in effect */
	struct verified_list verified;
	struct kept_guards guards;
	struct baseline_places baselines; /* read when first asked for */
	bool baselines_read;
	struct claims claims;  /* of the identities; each worker has a copy of its own */
	struct overrides kept; /* from the journal; only its passed times are used */
	struct overrides
		overrides; /* a copy of the caller's revocations; those times are borrowed */
	/* How many at the end of each list were added under a new name and are not recorded yet. */
	size_t n_inherited, n_passed;
	struct passed *passed; /* overrides.passed where it has any of these, or NULL */
	struct former *formers;
	size_t n_formers;
	struct forgotten_databases forgotten; /* read when first asked for */
	bool forgotten_read;
	bool memory_failed;
	bool records_lost;	    /* now, or once and accepted */
	bool first_start;	    /* the journal never had a record */
	char hold[RECORD_TEXT_MAX]; /* why no access is granted; "": granted as scheduled */
	bool unfiltered;	    /* for want of a packet filter alone: no record is missing */
	struct last_access
		*lasts; /* last recorded access, parallel to the grants; NULL until it is read */
	struct left_access
		*lefts; /* recorded access without a grant, or without one of that client */
	size_t n_lefts, n_moved; /* n_moved: those that moved and are not on record */
	struct network_closed closed;
	struct firewall_change *removed; /* entries that this pass took out of the packet filter */
	size_t n_removed;
	bool network_unknown;	   /* what the packet filter has now is as it was */
	bool openings_unconfirmed; /* not all were asked for, or the firewall process left out some */
	bool expiry_seen;	   /* pass_record_expired() has looked */
	struct server_work *servers;
	struct worker_job *jobs;
	size_t n_servers;
	struct pass_result result;
	int64_t zero_ms;	     /* monotonic time at which the second `now` began */
	bool in_journal;	     /* a journal batch is open */
	struct journal_entry *batch; /* copies of entries about changes that were made */
	size_t n_batch;
	int journal_error;
};

void pass_tell(struct pass *p, const struct record *r);
/* Opens a journal batch unless one is open. 0, or its first error. */
int pass_journal_begin(struct pass *p);
/* Access is granted by a time only once that time is saved; if it cannot be, the pass grants nothing. 0 or negative errno. */
int pass_time_save(struct pass *p);
int pass_journal_commit(struct pass *p);
/* Rolls back the open batch, because the pass is abandoned. */
void pass_journal_drop(struct pass *p);
/* Writes into that batch. An entry that cannot be written, or is lost with its batch, goes to the pass's `unrecorded`.
 * 0 or the error. */
int pass_journal_write(struct pass *p, const struct journal_entry *e);
instant_t pass_written_at(const struct pass *p);
/* An entry with the time at which it is written, actor, and configuration. */
struct journal_entry pass_entry(const struct pass *p, enum journal_kind kind);
/* A record of access: names and phase are the grant's, and the level is left to the caller. */
struct journal_entry pass_access_entry(const struct pass *p, const struct grant *g);
int pass_index_build(struct pass *p);
/* Names in any case, as a server returns them. NULL: not configured. */
const struct grant *pass_grant(
	const struct pass *p, const char *server, const char *login, const char *database);
/* The same for each of the verifications, in their order: *at is 0 at first. */
const struct grant *pass_grant_next(size_t *at, const struct pass *p, const struct verified *v);
/* Only edited files take this access, at this level: the configuration in force gives it. `database` NULL: the login. */
bool pass_is_in_force(const struct pass *p, const char *server, const char *login,
	const char *database, enum level level);
/* Whether any grant of the server is for this login. */
bool pass_login_is_named(const struct pass *p, const char *server, const char *login);
/* Those of one login on one server, of which there may be none: pointers in a row. */
const struct grant *const *pass_grants_of(
	size_t *n, const struct pass *p, const char *server, const char *login);
/* Of the login inventory: those of one login may differ in case. NULL: it does not have the login. */
const struct identity *pass_identity(const struct pass *p, const char *server, const char *login);
/* Those of one server, which are in a row. */
const struct verified_level *pass_verified_levels_of(
	size_t *n, const struct pass *p, const char *server);
const struct verified *pass_verified_of(size_t *n, const struct pass *p, const char *server);
size_t pass_grant_number(const struct pass *p, const struct grant *g);
/* Changes that a worker announces: recorded before it may continue, and their outcomes. */
struct journal_entry pass_record_entry(
	const struct pass *p, const struct record *r, enum journal_kind kind);
void pass_plan_take(struct pass *p, struct server_work *w, const struct record *r);
/* The worker asks whether everything that it announced is recorded. 0: it may continue. */
int pass_intent_take(struct pass *p, struct server_work *w, const struct record *r);
void pass_outcome_take(struct pass *p, struct server_work *w, const struct record *r);
/* Keeps what the server has refused to give. */
void pass_refused_note(struct pass *p, const struct record *r);
/* What it has refused not long ago: sql.wanted borrows it. 0 or -ENOMEM. */
int pass_refused_build(struct pass *p, struct server_work *w);
void pass_refused_free(struct server_work *w);
/* Databases of the server that keep no end from being verified any more: sql.forgotten. 0 or -ENOMEM. */
int pass_forgotten_ask(struct pass *p, struct server_work *w);
/* Closes intents for which the worker reported no outcome. */
void pass_unfinished_take(struct pass *p, struct server_work *w, const struct record *end);
/* Baselines: which are read, and their items. */
int pass_baselines_ask(struct pass *p, struct server_work *w);
/* They are read again when next asked for. */
void pass_baselines_forget(struct pass *p);
/* Under which server the baseline of a database is stored. */
const char *pass_baseline_server(
	const struct pass *p, const struct server_work *w, const char *database);
/* Reports items that are new, changed, or gone since the baseline. Sorts the items. 0 or -ENOMEM. */
int baseline_compare(struct pass *p, struct server_work *w, const char *database,
	struct baseline_item *items, size_t n);
int pass_baseline_take(struct pass *p, struct server_work *w, const struct record *r);
void pass_baselines_free(struct server_work *w);
/* pass_lasts.c: reads `lasts` and `lefts` once. -ENODEV without a journal. */
int pass_lasts_read(struct pass *p);
void pass_lasts_free(struct pass *p);
/* pass_moved.c: the journal shows the grant's access under the client's former name, or under it too. */
bool pass_has_moved(const struct pass *p, const struct grant *g);
/* Ends that, in the batch, and at the time, of the record `next` that goes on from there. */
int pass_moved_save(struct pass *p, const struct grant *g, const struct journal_entry *next);
/* Records observed access where it changed; each grant once. Before the packet filter is asked: not what it is to close. */
int pass_record_access(struct pass *p);
/* After it was asked: the rest. `failed`: what it was to close it may still let in, what it was to open it may not. */
int pass_record_filtered(struct pass *p, bool failed);
/* Records, each once, what is gone of what left the files, and what was found. */
int pass_formers_save(struct pass *p);
/* Access that left the configuration is verified as removed: records its end, which no grant does any more. database
 * NULL: the login, with recorded access in databases without other journal data. */
int pass_record_gone(struct pass *p, const char *server, const char *login, const char *database);
/* Records once, with its end time, network access that the packet filter allowed until then and no longer allows.
 * Removals wait neither for this reading nor for its records. */
int pass_record_expired(struct pass *p);
/* The packet filter lets this source in to the grant's server, for so many seconds or more. */
bool pass_is_let_in(const struct firewall_state *s, const struct grant *g,
	const struct source *source, int64_t seconds);
/* It lets in all of the grant's sources, until they end. */
bool pass_is_opened(const struct pass *p, const struct firewall_state *s, const struct grant *g);
/* Notes entries that were removed by this pass, and not by the kernel's deadline. 0 or -ENOMEM. */
int pass_removed_note(struct pass *p, const struct firewall_changes *done);
/* Records a verification that it is removed; database NULL: the login. `seen` is what the server showed; NULL or "": that
 * the row is not there. */
int pass_prove_gone(struct pass *p, const char *server, const char *login, const char *database,
	const char *seen);
/* Sources in the last recorded access of the grant that the client's file no longer has. Valid until pass_free(). */
int pass_sources_left(struct source **out, size_t *n, struct pass *p, const struct grant *g);
/* The grant's record is that of the last reading: what it forgets is not looked for any more. */
bool pass_sources_unseen(struct pass *p, const struct grant *g);
/* Of an access record: the sources whose sessions were not read since the packet filter cut them. */
#define UNSEEN "its sessions were not read since: "
/* Names the sources that left whose sessions are not seen to have ended. */
void pass_sources_tell(struct pass *p); /* pass_sources.c */

/* ---- journal data ---- */

/* 0 or -ENOMEM. Other journal errors set p->hold. */
int pass_state_read(struct pass *p);
void pass_state_free(struct pass *p);
/* As it is after this pass: a login that it has made must be known when the journal cannot be read any more. */
void pass_state_keep(struct pass *p);
/* Nothing is opened, and why; the first reason stays. */
void pass_hold(struct pass *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Stores the last verifications with their grants. */
void pass_verified_begin(struct pass *p);
void pass_verified_note(struct pass *p, const struct grant *g, const struct verified *v);
/* As of now, in place of the last one; false without memory. */
bool pass_verified_keep(struct pass *p, const struct grant *g, const struct verified *v);
int pass_verified_save(struct pass *p);
int pass_passed_save(struct pass *p);
void pass_reopenings_tell(struct pass *p);
/* Applies revocations and passed ends to users and clients under a new name; changes the grants. 0 or -ENOMEM. */
int pass_renamed_hold(struct pass *p);
int pass_renamed_save(struct pass *p);
void pass_renamed_tell(struct pass *p);
bool pass_revoked_names_somebody(const struct program *program, const struct override *o);
/* Notes about revocations that name nobody now, while a newer login has access to the same databases. */
void pass_revoked_tell(struct pass *p);
bool pass_guard_is_kept(const struct pass *p, const struct kept_guard *k);
/* Adds guards that stay although the configuration no longer has them. */
int pass_guards_keep(struct allowlist *wanted, const struct pass *p);
void pass_guards_tell(struct pass *p);
/* Names databases without a baseline to which access was given before one was taken: none is taken any more. 0
 * or -ENOMEM. */
int pass_baselines_tell(struct pass *p);
int pass_guards_save(struct pass *p);

/* ---- removals that come first ---- */

bool pass_are_replicas(const struct pass *p, const char *a, const char *b);
/* Journal data of one server, sorted, one row for each database. The caller frees only the array. A grant of which it has
 * nothing has what another replica had last: after a failover its database is the primary here. */
int pass_remembered(struct remembered **out, size_t *n, const struct pass *p, const char *server);
int pass_closings_build(struct pass *p, struct server_work *w);
void pass_closings_free(struct server_work *w);

/* ---- former access ---- */

int pass_formers_build(struct pass *p);
int pass_former_add(struct pass *p, const char *server, const char *login, const char *database,
	enum level level);
void pass_formers_free(struct pass *p);
/* A client that no record names may be any. client NULL: all. */
bool pass_former_may_be_of(const struct former *m, const char *client);
int pass_formers_ask(struct pass *p, struct server_work *w);
/* The login was granted access to a database that left the configuration, and it is not verified as removed: block it.
 * */
bool pass_is_former(
	const struct pass *p, const char *server, const char *login, const char *database);
bool pass_former_is_left(const struct pass *p, const struct grant *g);
/* False: the record is about a grant. */
bool pass_former_take(struct pass *p, const struct record *r);
/* Access that no record has, and that a session has shown in a database that cannot be read: it counts as former. 0 or
 * -ENOMEM. */
int pass_found_take(struct pass *p, const struct server_work *w, const struct record *r);
int pass_found_save(struct pass *p);
void pass_login_take(struct pass *p, const struct record *r);
void pass_former_login_gone(struct pass *p, const char *server, const char *login);
void pass_formers_tell(struct pass *p);

/* ---- replicas ---- */

/* The SID with which each login of a server that is or has a replica is created, the same for all of them: of the login
 * inventory, else chosen now. It stays empty while one is being made whose SID nobody knows. */
void pass_sids_choose(struct pass *p, struct server_work *w);
/* On a secondary replica nothing can be read of an ended grant: true if another replica has verified that nothing of it is
 * left, after the last time that one of them gave it something. */
bool pass_replica_proves(const char **where, const struct pass *p, const struct record *r);
/* Nothing of an ended grant is in its database, which was read: that is so as of now, also where it was so before. */
void pass_replica_seen(struct pass *p, const struct grant *g);
int pass_formers_spread(struct pass *p);
/* Former access on secondary replicas is gone when it is on their primary. */
void pass_replicas_settle(struct pass *p);
void pass_replicas_yield(struct pass *p); /* A secondary takes over what its primary verified. */

/* pass_list.c */
int pass_list_build(struct allowlist *out, struct pass *p, admission_fn admission);
/* Of all that it would be built of: equal numbers, equal lists, until this process ends. Never 0. */
uint64_t pass_list_number(struct pass *p, admission_fn admission);

/* Decision by what SQL shows of the grant's login, now, or by the last verification if it was not asked. */
enum admission pass_admission(const struct grant *g, void *pass);
/* Applies what SQL has shown so far, without waiting for servers that have not answered yet. */
void pass_network_step(struct pass *p);

/* host_check.c: a RECORD_CHECK for each thing that PREFLIGHT asks of this host. */
void pass_host_check(struct pass *p);

/* Intents and outcomes of changes of the packet filter. ids[i] is the record of the intent of planned change i, 0: none.
 * 0 or negative errno; the outcomes are a part of the batch. */
int pass_intents_journal(struct pass *p, const struct firewall_changes *c, int64_t *ids);
void pass_outcomes_journal(struct pass *p, const struct firewall_changes *planned, int64_t *ids,
	const struct firewall_changes *done, int rc);

#endif
