/* Used only by journal/: the open database, transactions, and the state of the chain. */
#ifndef JOURNAL_DATABASE_H
#define JOURNAL_DATABASE_H

#include "curfew/clock_resets.h"
#include "curfew/journal.h"

#include <sodium.h>
#include <sqlite3.h>

#define JOURNAL_KEY_SIZE 32
/* No legitimate text is nearly as long. A longer one is refused, not cut. */
#define JOURNAL_TEXT_MAX (1024 * 1024)

/* A position in the chain: a record's id and hash. */
struct link {
	int64_t id;
	uint8_t hash[JOURNAL_HASH_SIZE];
};

/* Statements that run for each record or each login: prepared once, and reset in place of finalized. */
enum kept_statement {
	KEPT_CHAIN_GET,
	KEPT_CHAIN_SET,
	KEPT_RECORD_ROW,
	KEPT_RECORD_INSERT,
	KEPT_VERIFICATION_SET,
	KEPT_LEVEL_SET,
	KEPT_STATEMENTS
};

struct journal {
	sqlite3 *db;
	sqlite3_stmt *kept[KEPT_STATEMENTS]; /* not in use, or NULL */
	char *path;
	int64_t number; /* no other that this process opens has the same */
	bool read_only;
	bool keyed;	    /* the file was created with a key */
	bool has_key;	    /* the caller gave that key */
	bool closed;	    /* an archive: nothing is added */
	int patience;	    /* milliseconds; see journal_patience() */
	int64_t head_saved; /* id of the last head that head_copy_save() saved; -1: none yet */
	int version;	    /* schema version; older files are read as they are */
	uint8_t *key;	    /* or NULL; in its own page, which child processes do not inherit */
	struct clock_resets resets; /* see refuted.c; read up to resets_read */
	int64_t resets_read;
	bool batch;	/* between journal_begin() and journal_commit() */
	unsigned depth; /* nesting depth of transactions; only the outermost commits */
	int error;	/* first failure inside; the transaction must be rolled back */
	bool state_changed; /* a table beside the chain changed: its digest is recorded with the commit */
	int (*at_commit)(struct journal *j); /* writes that record */
};

void statement_finalize(sqlite3_stmt **s);
#define _cleanup_statement_ _cleanup_(statement_finalize)
/* Ends the use of a kept statement: what it locked and what it was given is gone. */
void statement_release(sqlite3_stmt **s);
#define _cleanup_kept_ _cleanup_(statement_release)

/* The name of the file system under the journal: see disk_vfs.c. NULL: SQLite's own. */
const char *disk_vfs(void);

/* Converts SQLite's error code to a negative errno. */
int database_error(sqlite3 *db, int rc);
int database_prepare(sqlite3_stmt **out, struct journal *j, const char *sql);
/* Prepares the statement at its first use; `sql` is the same at each. Whoever uses one must not call, before its
 * release, what uses the same. */
int database_keep(
	sqlite3_stmt **out, struct journal *j, enum kept_statement which, const char *sql);
/* Before the database is closed. */
void database_keep_nothing(struct journal *j);
int database_execute(struct journal *j, const char *sql);
/* Runs a statement that returns no rows. */
int database_run(struct journal *j, sqlite3_stmt *s);
/* Prepares a statement whose first two parameters are the server and the database. */
int place_prepare(sqlite3_stmt **out, struct journal *j, const char *sql, const char *server,
	const char *database);
/* Runs a query with at most one parameter that returns one number. -EBADMSG: it returned none. */
int database_number(int64_t *out, struct journal *j, const char *sql, int64_t parameter);
/* The first text of a query's first row; *out NULL: there is none, or it is NULL. */
int database_text(
	char **out, struct journal *j, const char *sql, const char *const *texts, size_t n);
/* Syncs the directory of `path`, so that a new name survives a power failure. */
int folder_sync(const char *path);
/* Binds NULL for NULL. */
int bind_text(sqlite3_stmt *s, int n, const char *text);
/* The first `n` parameters. An error of SQLite, or 0. */
int bind_texts(sqlite3_stmt *s, const char *const *texts, size_t n);
/* Defines the SQL functions that the queries use. SQLite's result code. */
int functions_define(sqlite3 *db);
/* Copies a text; NULL for NULL. 0 or -ENOMEM. */
int column_text(char **out, sqlite3_stmt *s, int n);
/* The same for the first n columns; all or none. */
int column_texts(char **out, sqlite3_stmt *s, int n);
/* A text in a pool, shared with the row before, whose it is `last`; "" for NULL. 0 or -ENOMEM. */
int column_shared(const char **out, struct pool *texts, sqlite3_stmt *s, int n, const char *last);
/* Server, login, and database, the first three columns, in a pool; "" for NULL. Server and login are shared with those of
 * the row before, if there was one: rows come in the order of the three. 0 or -ENOMEM. */
int column_login(const char **const out[3], struct pool *texts, sqlite3_stmt *s, const char *server,
	const char *login);
/* A level by its name; -EBADMSG. */
int column_level(enum level *out, sqlite3_stmt *s, int n);
/* Calls `take` for each row. 0, or the first error of `take` or of reading. */
int database_rows(
	struct journal *j, sqlite3_stmt *s, int (*take)(void *list, sqlite3_stmt *s), void *list);

/* Begins a transaction, or joins the open one. Each successful begin needs a transaction_end(). */
int transaction_begin(struct journal *j);
/* The same for a change of a table beside the chain. */
int state_begin(struct journal *j);
/* Commits if `rc` is 0, else rolls back. Returns `rc`, or the error of the commit. */
int transaction_end(struct journal *j, int rc);

/* Creates the tables in an empty file, or checks that the file is a journal. */
int schema_prepare(struct journal *j);
/* JOURNAL_BROKEN with `why` if a table, view, or trigger differs from the schema. */
int schema_verify(char why[256], struct journal *j);
/* Upgrades a writable older file to the current version, in one transaction. */
int schema_upgrade(struct journal *j);

/* The tables beside the chain that decide about access: inventory, verified levels, verifications, passed times,
 * guards, revocations, baselines. Each commit that changes one records the digest of all, so that the chain covers
 * them. */
int state_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j);
/* Writes a record of kind JOURNAL_STATE with the current digest. */
int state_record(struct journal *j);
/* Adds the passed times; see override_read(). */
int passed_read(struct overrides *out, struct journal *j);
/* Digest of a baseline's items, stored with the baseline: there are too many to read at each commit. */
int baseline_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j, const char *server,
	const char *database);
int baselines_seal(struct journal *j);
/* Digest of what the inventory keeps of a database, stored in `sampled`. */
#define SAMPLES_VERSION	     4
#define HELD_VERSION	     7 /* of guards */
#define DATABASE_IDS_VERSION 8
int sample_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j, const char *server,
	const char *database);
/* JOURNAL_BROKEN with `why` if the rows of a database do not match their digest. */
int samples_verify(char why[256], struct journal *j);
/* JOURNAL_BROKEN with `why` if a table does not match its last recorded digest. */
int state_verify(char why[256], struct journal *j);

/* Hashes an anchor or a head, so that nobody without the key can move it. */
void link_seal(uint8_t seal[JOURNAL_HASH_SIZE], const struct journal *j, const char *label,
	const struct link *l, instant_t at);
int chain_create(struct journal *j);
int chain_open(struct journal *j);
/* Marks the file as an archive. */
int chain_close(struct journal *j);
/* The row named "anchor" or "head"; `at` and `seal` may be NULL. */
int chain_get(struct link *out, instant_t *at, uint8_t seal[JOURNAL_HASH_SIZE], struct journal *j,
	const char *name);
extern const char anchor_label[], head_label[]; /* the labels that go into their seals */
int chain_head(struct link *out, struct journal *j);
int chain_anchor(struct link *out, instant_t *at, struct journal *j);
/* Writes the head or the anchor into table `chain`. */
int chain_set_head(struct journal *j, const struct link *l);
int chain_set_anchor(struct journal *j, const struct link *l, instant_t at);

/* A column of table `record`, in the order of the table. First is the id; previous and hash are last, and not listed.
 * */
struct record_column {
	const char *name;
	enum { COLUMN_KIND, COLUMN_TEXT, COLUMN_ID, COLUMN_INSTANT } type;
	size_t offset; /* in struct journal_entry */
};
extern const struct record_column record_columns[];
extern const size_t n_record_columns;
/* "id, kind, at, ...": all columns, with previous and hash. */
#define RECORD_COLUMNS                                                                             \
	"id, kind, at, intent, actor, reason, phase, client, login, server, database, action, "    \
	"statement, before, after, outcome, detail, level, sources, until, configuration, "        \
	"previous, hash"

/* Writes again, with their original times, those of the records up to `up_to` that the live journal needs once they are
 * archived. In the open batch, before they are deleted. */
int archive_carry(struct journal *j, int64_t up_to, instant_t before);

/* Begins the reason, or the detail, of what an archive carried over because it is in force. */
#define CARRIED_IN_EFFECT "in effect when the records up to "

/* Two records of access, `r` and `l`, are about one place, as names_equal() says. */
#define SAME_PLACE                                                                                 \
	"r.server IS l.server AND r.login IS l.login COLLATE NOCASE"                               \
	" AND r.client IS l.client COLLATE NOCASE AND r.database IS l.database COLLATE NOCASE"
/* A partition by the columns themselves uses an index, and tells apart names that differ only in letter case. */
#define RECORDED_SINCE(at, and)                                                                    \
	"EXISTS (SELECT 1 FROM record r WHERE r.kind = 'access' AND r.at <= " at                   \
	" AND (r.at, r.id) > (l.at, l.id) AND " SAME_PLACE and                                     \
		")"
/* Hashes the rows of a statement in their order. */
int rows_hash(crypto_generichash_state *h, struct journal *j, sqlite3_stmt *s);
void hash_begin(crypto_generichash_state *h, const struct journal *j, const char *label);
/* Computes the hash of the current row of a statement over RECORD_COLUMNS. */
int record_hash(uint8_t hash[JOURNAL_HASH_SIZE], const struct journal *j, sqlite3_stmt *s);
/* Reads the current row. The entry's strings are valid until the statement moves. */
void record_read(struct journal_entry *out, sqlite3_stmt *s);
/* Copies all rows of `s`, and passes them on after the statement is done, so that the file is not locked while `each`
 * runs. */
int record_deliver(int64_t *last, size_t *n, struct journal *j, sqlite3_stmt *s, journal_fn each,
	void *context);

#endif
