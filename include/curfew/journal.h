/* The tamper-evident journal in SQLite, with the login inventory and revocations. */
#ifndef CURFEW_JOURNAL_H
#define CURFEW_JOURNAL_H

#include "curfew/allowlist.h"

struct journal;

struct journal_options {
	const char *path; /* path of the file */
	bool read_only;
	const uint8_t *key; /* 32 bytes for the keyed hash, or NULL; copied */
};
/* 0, -ENOENT if opened read-only and missing, or another negative errno. Creates the file with mode 0640; the directory
 * must exist. A key can only be set when the journal is created: -ENOKEY if it has one and none was given (reading
 * works; only journal_verify() then returns -ENOKEY), -EKEYREJECTED if it has another key, or none. -EBADMSG: damaged,
 * or not a journal. -EPROTONOSUPPORT: created by a newer version. -EUCLEAN: a write was interrupted, and a reader
 * cannot recover it. */
int journal_open(struct journal **out, const struct journal_options *o);
/* Opens an archive to read, with the key that `of` was opened with. */
int journal_open_archive(struct journal **out, const struct journal *of, const char *path);
/* The open file is no longer at its path: it was deleted or replaced. */
bool journal_has_moved(const struct journal *j);
void journal_close(struct journal *j);
/* An archive, to which nothing is added. */
bool journal_is_closed(const struct journal *j);
/* Text for a result of this module: the problem and the fix. */
const char *journal_problem(int result);

enum journal_kind {
	JOURNAL_INTENT,	 /* before a change */
	JOURNAL_OUTCOME, /* after a change; `intent` is the id of its intent */
	JOURNAL_ACCESS, /* from now on this login has this level on this database from these sources, until */
	JOURNAL_PROOF, /* the server's report of effective permissions */
	JOURNAL_EVENT, /* handover, revoke, reinstate, reload, drift, clock, start, stop, access-extended */
	JOURNAL_STATE, /* digest of the state tables; returned only if asked for */
};
const char *journal_kind_name(enum journal_kind k);

/* Events: records were found to be missing, `before` since when; an operator accepts that. See lost_records.h. */
#define LOSS_NOTICED  "records-missing"
#define LOSS_ACCEPTED "accept-loss"

/* Events that an archive carries over of revocations that are in force no longer: they say when access was due, and decide
 * nothing. */
#define REVOKE_ARCHIVED	   "revoke-archived"
#define REINSTATE_ARCHIVED "reinstate-archived"

/* Stands for the server's name in records about the packet filter. Their detail is the element's comment. */
#define JOURNAL_NETWORK "(network)"

/* What an ACCESS record's `after` says of the network as that pass left it. Records of older versions say nothing. */
#define ACCESS_ALLOWED	  "allowed"
#define ACCESS_CLOSED	  "closed"
#define ACCESS_UNFILTERED "not filtered" /* this host filters no packets */
#define ACCESS_UNCONFIRMED                                                                         \
	"not confirmed" /* was to be allowed, and the packet filter did not confirm it */

/* Strings may be NULL and never contain a secret. Borrowed for writing; valid until the next row for reading. */
struct journal_entry {
	int64_t id;
	enum journal_kind kind;
	instant_t at;
	int64_t intent;	    /* OUTCOME: id of the intent */
	const char *actor;  /* "root (uid 0)", "service" */
	const char *reason; /* why, as text */
	const char *phase;  /* the client's phase by the schedule */
	const char *client, *login, *server, *database;
	const char *action;    /* name of the change, or of the event */
	const char *statement; /* T-SQL with masked passwords, or the set element */
	const char *before,
		*after; /* observed; ACCESS: person_text(), and the network, ACCESS_ALLOWED ... */
	const char *
		outcome; /* "done", "failed", "refused"; ACCESS and PROOF: as verification_name() */
	const char *detail;
	const char *level;	   /* ACCESS: what SQL holds: "full", "read-only", "none" */
	const char *sources;	   /* ACCESS: "203.0.113.7, 198.51.100.0/29"; "": none is allowed */
	instant_t until;	   /* ACCESS */
	const char *configuration; /* digest of the configuration */
};
/* Synced when it returns (synchronous=FULL). Sets *id (may be NULL). */
int journal_write(int64_t *id, struct journal *j, const struct journal_entry *e);
/* Copies the entry with its strings. 0 or -ENOMEM. */
int journal_entry_copy(struct journal_entry *out, const struct journal_entry *e);
void journal_entry_free(struct journal_entry *e);
/* Milliseconds to wait for another process that locks the journal; default 10 s. Returns what it was. */
int journal_patience(struct journal *j, int milliseconds);
#define JOURNAL_PATIENCE 10000
/* Several records in one commit. */
int journal_begin(struct journal *j);
/* Commits. After an error of any call within the batch, rolls back and returns that error. */
int journal_commit(struct journal *j);
void journal_rollback(struct journal *j);
/* Commits if `rc` is 0, else rolls back. Returns `rc`, or the error of the commit. */
int journal_end(struct journal *j, int rc);

struct journal_filter {
	/* NULL: all. Records about an element are found by the names in its comment, an outcome by its intent. */
	const char *client, *login;
	bool has_from, has_to;
	instant_t from, to; /* includes `from`, excludes `to` */
	int kind;	    /* enum journal_kind, or -1 */
	const char *action; /* NULL: all */
};
typedef int (*journal_fn)(void *context, const struct journal_entry *e);
int journal_read(struct journal *j, const struct journal_filter *f, journal_fn each, void *context);
/* Copies of entries. journal_entries_keep() is a journal_fn for them. */
struct journal_entries {
	struct journal_entry *items;
	size_t n;
};
int journal_entries_keep(void *entries, const struct journal_entry *e);
void journal_entries_free(struct journal_entries *e);

/* Anybody was given access there, by the records in this file, or may have been by those in an archive. */
int journal_access_was_given(
	bool *out, struct journal *j, const char *server, const char *database);
/* The client of a login in a database, by its last recorded access there, or else (or database NULL) anywhere on the server,
 * or else by its last record. *out NULL: none. */
int journal_client_of(
	char **out, struct journal *j, const char *server, const char *login, const char *database);
/* Whether any record has this name, in any letter case. */
enum journal_name { JOURNAL_CLIENT, JOURNAL_SERVER, JOURNAL_DATABASE };
int journal_has_name(bool *out, struct journal *j, enum journal_name what, const char *name);
/* Whether the journal has any access of a client of this name. */
int journal_has_client(bool *out, struct journal *j, const char *client);
/* Where the logins of a client of this name had access, by the records of access in this file, and no other client had the
 * same login there since. */
int journal_client_places(struct journal *j, const char *client,
	int (*each)(void *context, const char *server, const char *login, const char *database),
	void *context);
/* Whether the client's login ever had access there, by the records of access in this file. */
int journal_client_had_place(bool *out, struct journal *j, const char *client, const char *server,
	const char *login, const char *database);
/* The person of the login, by its last recorded access: person_text(). *out is NULL if there is no record. */
int journal_person_of(char **out, struct journal *j, const char *server, const char *login);

/* The last proof about that login in that database says the same, and nothing was changed for the login since. */
int journal_proof_is_repeated(bool *out, struct journal *j, const struct journal_entry *e);
/* Some proof on that server named the database, in this letter case, among those that could not be read. */
int journal_unread_was_told(bool *out, struct journal *j, const char *server, const char *database);

/* Intents without an outcome, because the process died in between. */
int journal_unfinished(struct journal *j, journal_fn each, void *context);

/* Who had which access at `at`, from JOURNAL_ACCESS records alone: the last record at or before `at` of each
 * client × login × server × database, those at level none left out; one whose `until` has come counts as none. What holds
 * more than is scheduled is never left out.
 * "Last" is by `at`, then by id. -ENODATA: the instant lies in an archive. */
int journal_access_at(
	struct journal *j, instant_t at, const char *client, journal_fn each, void *context);
/* Whether the file alone answers for `at`. For earlier times the records of its archive count as well. */
int journal_covers(bool *out, struct journal *j, instant_t at);
/* The same for JOURNAL_ACCESS records of several files. Sort them first, which frees all but the last of several records of
 * one place and time. The strings of `out` are those of `all`; the caller frees out->items. */
void access_entries_sort(struct journal_entries *all);
int access_entries_at(struct journal_entries *out, const struct journal_entries *all, instant_t at);

/* The same for everybody, including access past its `until`, because no record says that it has ended. An archive is not
 * asked: for times from the last archive on. */
int journal_access_last(struct journal *j, instant_t at, journal_fn each, void *context);

/* The times of the earliest and latest records; -ENOENT without records. Earlier access is unknown, unless there is an
 * archive. */
int journal_bounds(instant_t *first, instant_t *last, struct journal *j);

/* The chain: each record has hash(previous hash, all columns). */
#define JOURNAL_HASH_SIZE 32
int journal_head(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j);
/* The link before the first record: the head of an archive, or (id 0) the journal's own beginning. */
int journal_anchor(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j);
enum { JOURNAL_BROKEN = 1 };
/* JOURNAL_BROKEN: *first is the first record that does not match (0: none in particular), and `why` is the text. Checks
 * the chain, all definitions (views and triggers too), and the revocations. It cannot notice a file that was replaced
 * by an older copy or, without a key, rewritten completely. A head that was saved elsewhere shows that. Others can write
 * between its short transactions. */
int journal_verify(int64_t *first, char why[256], struct journal *j);
/* Moves records before `before` to a new journal file with the same key (-EEXIST: a file is never replaced). The chain
 * continues: the archive's head is the link before the first remaining record. Intents without an outcome stay, and no
 * intent is separated from its outcome. Access in effect at `before`, or past its end and not confirmed as ended, is
 * carried over with what says since when and until when, so that the live file answers for every time from then on; for
 * earlier times journal_access_at() returns -ENODATA, and the records of both files answer together. JOURNAL_NOTHING:
 * no record is that old, and nothing was changed. */
enum { JOURNAL_NOTHING = 2 };
int journal_archive(struct journal *j, instant_t before, const char *to_path);

/* Login inventory: the logins on each server that Curfew manages. State, not part of the chain. */
struct identity {
	const char *server, *login;
	const uint8_t *sid; /* NULL while only the intent exists */
	size_t sid_size;
	instant_t intended; /* SERVER's clock when the creation was intended; 0: no open intent */
	instant_t created;  /* by the server's clock */
	instant_t
		removed; /* by Curfew's clock; 0 while the login exists; afterwards the row is a tombstone */
};
int ledger_intend(struct journal *j, const char *server, const char *login, instant_t server_now);
int ledger_put(struct journal *j, const struct identity *i);
int ledger_remove(struct journal *j, const char *server, const char *login, instant_t now);
struct identities {
	struct identity *items; /* the strings are owned */
	size_t n;
};
int ledger_read(struct identities *out, struct journal *j); /* of every server, with tombstones */
void identities_free(struct identities *i);

/* The level that a login may still have on a database, by the last record: above `none` until its removal is verified. A
 * reduction is measured against it. */
struct verified_level {
	const char *server, *login, *database;
	enum level level;
	instant_t at; /* by Curfew's clock */
};
int verified_level_save(struct journal *j, const struct verified_level *p);
struct verified_level_list {
	struct verified_level *items; /* sorted by server, login, database */
	size_t n;
	struct pool texts;
};
int verified_level_read(struct verified_level_list *out, struct journal *j);
void verified_level_list_free(struct verified_level_list *p);
/* NULL: never verified. */
const struct verified_level *verified_level_find(
	const struct verified_level_list *list, const struct grant *g);

/* Baselines for the audit: one row for each item, with a hash of its definition. */
struct baseline_item {
	const char *kind; /* "object", "principal", "permission", "setting", "trigger" ... */
	const char *name; /* full name, quoted */
	const char *hash; /* in hexadecimal, or "" */
};
int baseline_put(struct journal *j, const char *server, const char *database, instant_t at,
	const struct baseline_item *items, size_t n);
/* When it was taken; -ENOENT: never. */
int baseline_taken(instant_t *at, struct journal *j, const char *server, const char *database);
/* All for which one was taken. */
struct baseline_place {
	const char *server, *database; /* owned by the list */
};
struct baseline_places {
	struct baseline_place *items; /* sorted */
	size_t n;
};
int baseline_places_read(struct baseline_places *out, struct journal *j);
bool baseline_places_have(
	const struct baseline_places *p, const char *server, const char *database);
void baseline_places_free(struct baseline_places *p);
typedef int (*baseline_fn)(void *context, instant_t at, const struct baseline_item *i);
/* -ENOENT: none was ever taken. 0 without a call: it is empty. */
int baseline_read(struct journal *j, const char *server, const char *database, baseline_fn each,
	void *context);

/* Revocations are events ("revoke", "reinstate"), and a table of those in effect. login NULL: the whole client, in
 * addition to those of its users. Revoking again adds an event; the first time and reason stay. No other code may write
 * these two events, because journal_verify() compares them with the table. */
int override_add(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason);
int override_remove(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason); /* -ENOENT: none is in effect */
/* The journal has a reinstatement of `client` and `login` after that revocation: what another place still keeps as revoked
 * is over. By the order of records; times decide only since the last correction of the clock. */
int override_was_reinstated(bool *out, struct journal *j, const struct override *revocation,
	const char *client, const char *login);
/* Who made the revocation that is in effect for the client (login NULL) or one of its users; owned. NULL: none is, or
 * `j` is NULL or cannot be read. */
char *override_actor(struct journal *j, const char *client, const char *login);
/* Also reads the passed times; see state_tables.h. */
int override_read(struct overrides *out, struct journal *j);

#endif
