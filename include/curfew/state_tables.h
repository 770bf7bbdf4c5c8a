/* Tables of the journal that decide about access: verifications, passed times, guards, and a loss of records.
 * Inventory, verified levels, and revocations are in journal.h. journal_verify() covers all of them. */
#ifndef CURFEW_STATE_TABLES_H
#define CURFEW_STATE_TABLES_H

#include "curfew/access.h"
#include "curfew/journal.h"

/* The journal as these tables were read: while revisions are equal, the tables say the same. Nobody has committed anything,
 * by SQLite's own counts, and the file was not written otherwise. */
struct journal_revision {
	int64_t opened, changed, committed, size, changed_ns;
	uint64_t inode;
};
/* 0, or negative errno: the journal is in a transaction or cannot be read. */
int journal_revision_read(struct journal_revision *out, struct journal *j);
bool journal_revision_equal(const struct journal_revision *a, const struct journal_revision *b);

/* ---- verifications ---- */

/* Replaces the previous verification of this login on this database. */
int verified_save(struct journal *j, const struct verified *v);
/* Sorted by server, login, database. Empty for a journal of an older version that is opened read-only. */
int verified_load(struct verified_list *out, struct journal *j);

/* ---- passed times ---- */

/* Read with override_read(). */
int passed_put(struct journal *j, const struct passed *p);

/* ---- guards ---- */

/* The endpoints and trusted sources of a server that are guarded now. Its other saved guards stay until they are
 * dropped. */
int guards_save(struct journal *j, const struct server *s);
/* Records about its server were lost: nobody knows whose logins are there, so only guards_drop() removes it. */
int guards_hold(struct journal *j, const struct kept_guard *k);
/* All saved guards; strings and sources are owned. */
int guards_load(struct kept_guards *out, struct journal *j);
int guards_drop(struct journal *j, const char *server, const struct endpoint *e);

/* ---- loss of the records ---- */

/* Grants no access from now on, and writes an event LOSS_NOTICED. The first reason stays. `since`: from when records are
 * missing. */
#define LOSS_SINCE_UNKNOWN INT64_MIN
int loss_put(struct journal *j, instant_t at, instant_t since, const char *why);
/* -ENOENT: no records are missing. The caller frees *why. */
int loss_read(instant_t *at, char **why, struct journal *j);
/* An operator accepts the loss: an event `accept-loss`. -ENOENT as above. */
int loss_accept(struct journal *j, instant_t at, const char *actor, const char *reason);
/* An operator accepted a loss before, so an empty journal is not a loss. */
int loss_was_accepted(bool *out, struct journal *j);
/* It knows of no access, whatever was removed, and no loss was accepted: servers that did not answer so far may have logins
 * of which the records are missing, as for a second gateway. */
int loss_may_be_unnoticed(bool *out, struct journal *j);
/* Whether the journal contains, or has archived, the record with this id and hash, which was saved elsewhere. False for
 * an older copy, an empty journal, or a different one. 0 or negative errno. */
int journal_holds(bool *out, struct journal *j, const uint8_t hash[JOURNAL_HASH_SIZE], int64_t id);

/* ---- what the firewall process remembers ---- */

struct seen_head { /* the newest record that somebody else saw, and when */
	int64_t id;
	instant_t at;
	const char *hash; /* hexadecimal; empty: none was seen */
};
/* If the journal lacks the newest record that the firewall process saw, and no operator has accepted a loss since, a
 * loss is recorded. 0 or negative errno. */
int remembered_head_compare(
	bool *lost, struct journal *j, const struct seen_head *head, instant_t now);
/* Told of each guard that stays; `rc` negative: the journal could not take it. */
typedef void (*guard_held_fn)(const struct kept_guard *k, int rc);
/* While records are missing, takes over the guards of endpoints that left the configuration. 0 or negative errno. */
int remembered_guards_hold(struct journal *j, const struct kept_guards *guards,
	const struct program *p, guard_held_fn tell);

/* Saves the current head in a file beside the journal. 0, or negative errno with the previous one kept. */
int head_copy_save(struct journal *j);
/* *why is NULL when the journal holds the head that was kept, or none was and it has no records. 0 or negative errno. */
int head_copy_compare(const char **why, instant_t *since, struct journal *j);
/* If it does not, a loss is recorded. 0 or negative errno. */
int head_copy_check(struct journal *j);

/* ---- forgetting ---- */

/* Deletes the journal data about a server, or about one of its databases, although access there is not verified as
 * removed. An event `forget` records it. SIDs stay, as tombstones. -ENOENT: there is no such data. */
int memory_forget(struct journal *j, const char *server, const char *database, instant_t at,
	const char *actor, const char *reason);
/* The same event for a database about which there is no such data, because nobody was given access there: that it cannot be
 * read keeps no end on its server from being verified any more. */
int unread_forget(struct journal *j, const char *server, const char *database, instant_t at,
	const char *actor, const char *reason);

/* Databases with such an event, and without access that was given there later. */
struct forgotten_database {
	const char *server, *database;
};
struct forgotten_databases {
	struct forgotten_database *items;
	size_t n;
	struct pool texts;
};
int forgotten_databases_read(struct forgotten_databases *out, struct journal *j);
void forgotten_databases_free(struct forgotten_databases *f);

#endif
