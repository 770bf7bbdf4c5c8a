/* Tables of the journal that decide about access: verifications, passed times, guards, and a loss of records.
 * Inventory, verified levels, and revocations are in journal.h. journal_verify() covers all of them. */
#ifndef CURFEW_STATE_TABLES_H
#define CURFEW_STATE_TABLES_H

#include "curfew/access.h"
#include "curfew/journal.h"

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
/* All saved guards; strings and sources are owned. */
int guards_load(struct kept_guards *out, struct journal *j);
int guards_drop(struct journal *j, const char *server, const struct endpoint *e);

/* ---- loss of the records ---- */

/* Grants no access from now on. The first reason stays. */
int loss_put(struct journal *j, instant_t at, const char *why);
/* -ENOENT: no records are missing. The caller frees *why. */
int loss_read(instant_t *at, char **why, struct journal *j);
/* An operator accepts the loss: an event `accept-loss`. -ENOENT as above. */
int loss_accept(struct journal *j, instant_t at, const char *actor, const char *reason);
/* An operator accepted a loss before, so an empty journal is not a loss. */
int loss_was_accepted(bool *out, struct journal *j);
/* Whether the journal contains, or has archived, the record with this id and hash, which was saved elsewhere. False for
 * an older copy, an empty journal, or a different one. 0 or negative errno. */
int journal_holds(bool *out, struct journal *j, const uint8_t hash[JOURNAL_HASH_SIZE], int64_t id);

/* Saves the current head in a file beside the journal. 0, or negative errno with the previous one kept. */
int head_copy_save(struct journal *j);
/* *why is NULL when the journal holds the head that was kept, or none was. 0 or negative errno. */
int head_copy_compare(const char **why, struct journal *j);
/* If it does not, a loss is recorded. 0 or negative errno. */
int head_copy_check(struct journal *j);

/* ---- forgetting ---- */

/* Deletes the journal data about a server, or about one of its databases, although access there is not verified as
 * removed. An event `forget` records it. SIDs stay, as tombstones. -ENOENT: there is no such data. */
int memory_forget(struct journal *j, const char *server, const char *database, instant_t at,
	const char *actor, const char *reason);

#endif
