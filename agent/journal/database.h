/* What the files of this folder share: the open database, transactions, the chain's state. */
#ifndef JOURNAL_DATABASE_H
#define JOURNAL_DATABASE_H

#include "curfew/journal.h"

#include <sodium.h>
#include <sqlite3.h>

#define JOURNAL_KEY_SIZE 32
/* How long a writer waits for another process; a person with sqlite3 open may hold a read lock. */
#define JOURNAL_BUSY_MS JOURNAL_PATIENCE
/* No statement, evidence or name comes near; what does is a fault, and is refused rather than cut. */
#define JOURNAL_TEXT_MAX (1024 * 1024)

/* A place in the chain: the record that it names and that record's hash. */
struct link {
	int64_t id;
	uint8_t hash[JOURNAL_HASH_SIZE];
};

struct journal {
	sqlite3 *db;
	char *path;
	bool read_only;
	bool keyed;	    /* the file was made with a key */
	bool has_key;	    /* and we were given it */
	bool closed;	    /* an archive: nothing is added to it */
	int64_t head_saved; /* the id that head_copy_save() kept last */
	bool created;	    /* the file was made by this opening */
	int version;	    /* of its schema; older ones are read as they are */
	uint8_t *key;	    /* or NULL; a page of its own, which no child process gets */
	bool batch;	    /* between journal_begin() and journal_commit() */
	unsigned depth;	    /* of transactions within each other; only the outermost commits */
	int error;	    /* the first failure within it: nothing of it may be kept */
	bool state_changed; /* a table beside the chain is another now: its digest goes on record with the commit */
	int (*at_commit)(struct journal *j); /* writes that record */
};

void statement_finalize(sqlite3_stmt **s);
#define _cleanup_statement_ _cleanup_(statement_finalize)

/* SQLite's word for what went wrong, as a negative errno. */
int database_error(sqlite3 *db, int rc);
int database_prepare(sqlite3_stmt **out, struct journal *j, const char *sql);
int database_execute(struct journal *j, const char *sql);
/* Runs a statement that yields no rows. */
int database_run(struct journal *j, sqlite3_stmt *s);
/* The one number that a query with at most one parameter yields; -EBADMSG when it yields none. */
int database_number(int64_t *out, struct journal *j, const char *sql, int64_t parameter);
/* Makes a new name in the folder of `path` survive a power cut. */
int folder_sync(const char *path);
/* NULL binds NULL. */
int bind_text(sqlite3_stmt *s, int n, const char *text);
/* What our queries call beyond SQLite's own; its result code. */
int functions_define(sqlite3 *db);
/* A copy, or NULL for NULL; -ENOMEM. */
int column_text(char **out, sqlite3_stmt *s, int n);
/* So the first n columns, all or none. */
int column_texts(char **out, sqlite3_stmt *s, int n);
/* A level by its name; -EBADMSG. */
int column_level(enum level *out, sqlite3_stmt *s, int n);
/* Adds each row to a list by `take`: 0, or the first failure of `take` or of reading. */
int database_rows(
	struct journal *j, sqlite3_stmt *s, int (*take)(void *list, sqlite3_stmt *s), void *list);

/* A transaction, or part of the one that is open. Each begin that returned 0 needs its end. */
int transaction_begin(struct journal *j);
/* The same for what changes a table beside the chain. */
int state_begin(struct journal *j);
/* Commits when `r` is 0, else undoes; returns `r` or what the commit said. */
int transaction_end(struct journal *j, int r);

/* Creates the tables in an empty file, or checks that the file is a journal of ours. */
int schema_prepare(struct journal *j);
/* JOURNAL_BROKEN and `why` when a table, view or trigger is not as we make it. */
int schema_verify(char why[256], struct journal *j);
/* An older file that may be written comes to the present version, in one transaction. */
int schema_upgrade(struct journal *j);

/* What stands beside the chain and decides something: ledger, proved levels, verifications, passed instants, guards,
 * overrides, baselines. Each commit that changes one puts the digest of all on record, so that the chain covers them. */
int state_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j);
/* A journal_entry of kind JOURNAL_STATE with the present digest. */
int state_record(struct journal *j);
/* Adds the instants that have passed; see override_read(). */
int passed_read(struct overrides *out, struct journal *j);
/* Of a baseline's items, kept in its row: they are too many to be read at each commit. */
int baseline_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j, const char *server,
	const char *database);
int baselines_seal(struct journal *j);
/* JOURNAL_BROKEN and `why` when one of the tables is not as the last record of its digest says. */
int state_verify(char why[256], struct journal *j);

/* Hashes an anchor or a head, so that neither can be moved without the key. */
void link_seal(uint8_t seal[JOURNAL_HASH_SIZE], const struct journal *j, const char *label,
	const struct link *l, instant_t at);
int chain_create(struct journal *j);
int chain_open(struct journal *j);
/* Makes the file an archive. */
int chain_close(struct journal *j);
/* The row named "anchor" or "head"; `at` and `seal` may be NULL. */
int chain_get(struct link *out, instant_t *at, uint8_t seal[JOURNAL_HASH_SIZE], struct journal *j,
	const char *name);
extern const char anchor_label[], head_label[]; /* what their seals are sealed as */
int chain_head(struct link *out, struct journal *j);
int chain_anchor(struct link *out, instant_t *at, struct journal *j);
/* Writes one row of the table `chain`: head or anchor. */
int chain_set_head(struct journal *j, const struct link *l);
int chain_set_anchor(struct journal *j, const struct link *l, instant_t at);

/* One column of table `record`, in the order of the table; id first, previous and hash last and not here. */
struct record_column {
	const char *name;
	enum { COLUMN_KIND, COLUMN_TEXT, COLUMN_ID, COLUMN_INSTANT } type;
	size_t offset; /* in struct journal_entry */
};
extern const struct record_column record_columns[];
extern const size_t n_record_columns;
/* "id, kind, at, ...": every column, previous and hash included. */
#define RECORD_COLUMNS                                                                             \
	"id, kind, at, intent, actor, reason, phase, client, login, server, database, action, "    \
	"statement, before, after, outcome, detail, level, sources, until, configuration, "        \
	"previous, hash"

/* Rows of a statement, hashed one after the other as they come. */
int rows_hash(crypto_generichash_state *h, struct journal *j, sqlite3_stmt *s);
void hash_begin(crypto_generichash_state *h, const struct journal *j, const char *label);
/* The hash of the row that a statement over RECORD_COLUMNS stands on, computed anew. */
int record_hash(uint8_t hash[JOURNAL_HASH_SIZE], const struct journal *j, sqlite3_stmt *s);
/* Reads the row into an entry whose strings stay with the statement until it moves. */
void record_read(struct journal_entry *out, sqlite3_stmt *s);
/* Steps through `s`, copies each row, and hands them on when the statement is done, so that `each`
 * never runs while the file is locked. */
int record_deliver(int64_t *last, size_t *n, struct journal *j, sqlite3_stmt *s, journal_fn each,
	void *context);

#endif
