/* SQLite: the journal that shows tampering, the ledger of identities, overrides. */
#ifndef CURFEW_JOURNAL_H
#define CURFEW_JOURNAL_H

#include "curfew/allowlist.h"

struct journal;

struct journal_options {
	const char *path; /* file */
	bool read_only;
	const uint8_t *key; /* 32 bytes for the keyed hash, or NULL; copied */
};
/* 0; -ENOENT when read-only and absent; negative errno. Creates the file 0640, folder must exist.
 * A journal is keyed or not from its first day: -ENOKEY when it is and no key was given (read-only opens all the
 * same, and only journal_verify() then says -ENOKEY), -EKEYREJECTED when the key is another, or it has none.
 * -EBADMSG: not a journal, or damaged; -EPROTONOSUPPORT: made by a newer version; -EUCLEAN: a writer was
 * interrupted and a reader cannot mend that. Any call: -ENOSPC, -EROFS, -EIO, -EBUSY (locked for 10 s). */
int journal_open(struct journal **out, const struct journal_options *o);
/* The file that is open does not stand at its path any more: deleted, or replaced. */
bool journal_has_moved(const struct journal *j);
void journal_close(struct journal *j);
/* Words for a result of this module, for a person: what is wrong and what would be right. */
const char *journal_problem(int result);

enum journal_kind {
	JOURNAL_INTENT,	 /* before a change */
	JOURNAL_OUTCOME, /* after it; `intent` says of which */
	JOURNAL_ACCESS, /* from now on this login has this level on this database from these sources, until */
	JOURNAL_PROOF, /* what the server itself said of effective permissions */
	JOURNAL_EVENT, /* hand-over, revoke, reinstate, reload, drift, clock, start, stop, widening */
	JOURNAL_STATE, /* the digest of what is kept beside the records; read only by who asks for it */
};
const char *journal_kind_name(enum journal_kind k);

/* In the place of a server: the packet filter, whose records have the element's comment as their detail. */
#define JOURNAL_NETWORK "(network)"

/* What an ACCESS record's `after` says of the network as that pass left it. Records of older versions say nothing. */
#define ACCESS_ALLOWED	  "allowed"
#define ACCESS_CLOSED	  "closed"
#define ACCESS_UNFILTERED "not filtered" /* this host filters no packets */

/* Strings may be NULL; none is ever a secret. Borrowed while writing, owned by the row while reading. */
struct journal_entry {
	int64_t id;
	enum journal_kind kind;
	instant_t at;
	int64_t intent;	    /* OUTCOME: the intent's id */
	const char *actor;  /* "root (uid 0)", "service" */
	const char *reason; /* why, in words */
	const char *phase;  /* the client's, by the schedule */
	const char *client, *login, *server, *database;
	const char *action;    /* as record.action */
	const char *statement; /* masked T-SQL or set element */
	const char *before,
		*after; /* observed; ACCESS: `after` is the network, ACCESS_ALLOWED ... */
	const char *
		outcome; /* "done", "failed", "refused"; ACCESS and PROOF: as verification_name() */
	const char *detail;
	const char *level;	   /* ACCESS: what SQL holds: "full", "read-only", "none" */
	const char *sources;	   /* ACCESS: "203.0.113.7, 198.51.100.0/29"; "": none is let in */
	instant_t until;	   /* ACCESS */
	const char *configuration; /* digest */
};
/* Durable when it returns (synchronous=FULL). Sets *id (may be NULL). */
int journal_write(int64_t *id, struct journal *j, const struct journal_entry *e);
/* A copy with texts of its own; 0 or -ENOMEM. */
int journal_entry_copy(struct journal_entry *out, const struct journal_entry *e);
void journal_entry_free(struct journal_entry *e);
/* Waits for up to this many milliseconds for another process that keeps the journal locked; 10 s unless told. */
void journal_patience(struct journal *j, int milliseconds);
#define JOURNAL_PATIENCE 10000
/* Many at once, one commit. */
int journal_begin(struct journal *j);
/* Commits, or undoes the whole batch and returns the first error that any call within it had. */
int journal_commit(struct journal *j);
void journal_rollback(struct journal *j);

struct journal_filter {
	/* NULL: all. An element's records are found by the names in its comment, an outcome by its intent. */
	const char *client, *login;
	bool has_from, has_to;
	instant_t from, to; /* half open */
	int kind;	    /* enum journal_kind, or -1 */
};
typedef int (*journal_fn)(void *context, const struct journal_entry *e);
int journal_read(struct journal *j, const struct journal_filter *f, journal_fn each, void *context);
/* Copies of entries; journal_entries_keep() is a journal_fn with them as its context. */
struct journal_entries {
	struct journal_entry *items;
	size_t n;
};
int journal_entries_keep(void *entries, const struct journal_entry *e);
void journal_entries_free(struct journal_entries *e);

/* Whose the login on that server was, by the last access on record, or else by the last record; *out NULL: of nobody's
 * on record. */
int journal_client_of(char **out, struct journal *j, const char *server, const char *login);

/* Intents without an outcome: we died in between. */
int journal_unfinished(struct journal *j, journal_fn each, void *context);

/* Who had which access at `at`, from JOURNAL_ACCESS records alone: the last record at or before `at` of each
 * client × login × server × database, those at level none left out; one whose `until` has come counts as none. What holds
 * more than is scheduled is never left out.
 * "Last" is by `at`, then by id. -ENODATA: the instant lies in an archive. */
int journal_access_at(
	struct journal *j, instant_t at, const char *client, journal_fn each, void *context);

/* The instants of the journal's earliest and latest records; -ENOENT when it has none. Of what was before the earliest
 * nothing is known, unless an archive is before it. */
int journal_bounds(instant_t *first, instant_t *last, struct journal *j);

/* The chain: each record carries hash(previous hash, every column). */
#define JOURNAL_HASH_SIZE 32
int journal_head(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j);
/* What the first record follows: an archive's head (id 0: the journal's own beginning). */
int journal_anchor(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j);
enum { JOURNAL_BROKEN = 1 };
/* JOURNAL_BROKEN: *first is the first record that does not fit (0: no single one), `why` says what. Looks at the
 * chain, the file's own definitions (views and triggers too) and the overrides. Not to be seen from the file alone:
 * the whole of it put back from an older copy, or, without a key, written anew. The head tells, kept elsewhere. */
int journal_verify(int64_t *first, char why[256], struct journal *j);
/* Moves records before `before` to a file of their own (-EEXIST: never over another), itself a journal under the
 * same key; the chain goes on, and the archive's head is what the first record left follows. Kept back: intents
 * without an outcome, and what would part an intent from its outcome. Access in force at `before` is carried over,
 * so that the live file answers for every instant from then on; for earlier ones journal_access_at() says
 * -ENODATA, and the archive answers. JOURNAL_NOTHING: no record is that old, nothing was done. */
enum { JOURNAL_NOTHING = 2 };
int journal_archive(struct journal *j, instant_t before, const char *to_path);

/* Ledger: which login on which server is ours. Not part of the chain (state, not history). */
struct identity {
	const char *server, *login;
	const uint8_t *sid; /* NULL while only intended */
	size_t sid_size;
	instant_t intended; /* SERVER's clock when the creation was intended; 0: none is open */
	instant_t created;  /* server's clock, as the server says */
	instant_t removed;  /* our clock; 0 while it lives: afterwards the row is the tombstone */
};
int ledger_intend(struct journal *j, const char *server, const char *login, instant_t server_now);
int ledger_put(struct journal *j, const struct identity *i);
int ledger_remove(struct journal *j, const char *server, const char *login, instant_t now);
struct identities {
	struct identity *items; /* strings owned */
	size_t n;
};
int ledger_read(struct identities *out, struct journal *j); /* every server's, tombstones too */
void identities_free(struct identities *i);

/* The level that a server last proved for a login on a database: what a narrowing is measured by. */
struct proved {
	const char *server, *login, *database;
	enum level level;
	instant_t at; /* our clock */
};
int proved_put(struct journal *j, const struct proved *p);
struct proved_list {
	struct proved *items; /* sorted by server, login, database; strings owned */
	size_t n;
};
int proved_read(struct proved_list *out, struct journal *j);
void proved_list_free(struct proved_list *p);
/* NULL when nothing was ever proved of it. */
const struct proved *proved_find(const struct proved_list *list, const struct grant *g);

/* Baselines for the audit: one row an object, with a hash of its definition. */
struct baseline_item {
	const char *kind; /* "object", "principal", "permission", "setting", "trigger" ... */
	const char *name; /* full, quoted name */
	const char *hash; /* hex, or "" */
};
int baseline_put(struct journal *j, const char *server, const char *database, instant_t at,
	const struct baseline_item *items, size_t n);
typedef int (*baseline_fn)(void *context, instant_t at, const struct baseline_item *i);
/* -ENOENT when none was ever taken; an empty one is 0 without a call. */
int baseline_read(struct journal *j, const char *server, const char *database, baseline_fn each,
	void *context);

/* Overrides are journal events ("revoke", "reinstate"), and a table of what is in force. login NULL: the whole
 * client, apart from those of its users. Revoking again is one more event; the first instant and reason stay.
 * Nobody else may write events of these two names: journal_verify() compares them with the table. */
int override_add(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason);
int override_remove(struct journal *j, const char *client, const char *login, instant_t at,
	const char *actor, const char *reason); /* -ENOENT when none is in force */
/* With the instants that have passed; see memory.h. */
int override_read(struct overrides *out, struct journal *j);

#endif
