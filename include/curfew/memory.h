/* What the journal remembers beside its records and passes go by: verifications, passed instants, guards, a loss.
 * Ledger, proved levels and overrides are in journal.h. All of it is covered by journal_verify(). */
#ifndef CURFEW_MEMORY_H
#define CURFEW_MEMORY_H

#include "curfew/access.h"
#include "curfew/journal.h"

/* ---- verifications ---- */

/* Replaces what was verified of that login on that database before. */
int verified_save(struct journal *j, const struct verified *v);
/* Sorted by server, login, database. A journal of an older version that is only read has none. */
int verified_load(struct verified_list *out, struct journal *j);

/* ---- passed instants ---- */

/* Read by override_read(). */
int passed_put(struct journal *j, const struct passed *p);

/* ---- guards ---- */

/* The server's endpoints and trusted sources, as they are guarded now; others of its stay until they are dropped. */
int guards_save(struct journal *j, const struct server *s);
/* Every one that was saved and not dropped; strings and sources owned. */
int guards_load(struct kept_guards *out, struct journal *j);
int guards_drop(struct journal *j, const char *server, const struct endpoint *e);

/* ---- loss of the records ---- */

/* Nothing is opened from now on. The first reason stays. */
int loss_put(struct journal *j, instant_t at, const char *why);
/* -ENOENT: nothing is lost. *why is the caller's. */
int loss_read(instant_t *at, char **why, struct journal *j);
/* An operator goes on with what there is: an event, `accept-loss`. -ENOENT as above. */
int loss_accept(struct journal *j, instant_t at, const char *actor, const char *reason);
/* An operator has said so once: what is not on record is not missing. */
int loss_was_accepted(bool *out, struct journal *j);
/* The journal's file was made by this opening: there were no records before. */
bool journal_is_new(const struct journal *j);
/* Whether the journal holds, or has archived, the record of that id and hash: a head that was kept elsewhere. False for
 * an older copy, an emptied one, another one. 0 or negative errno. */
int journal_holds(bool *out, struct journal *j, const uint8_t hash[JOURNAL_HASH_SIZE], int64_t id);

/* The present head, kept in a file beside the journal. 0 or negative errno, with the former one kept. */
int head_copy_save(struct journal *j);
/* *why is NULL when the journal holds the head that was kept, or none was. 0 or negative errno. */
int head_copy_compare(const char **why, struct journal *j);
/* A loss is put on record when it does not. 0 or negative errno. */
int head_copy_check(struct journal *j);

/* ---- forgetting ---- */

/* What is remembered of a server, or of one database of it, without its having been seen gone: an operator's word, on
 * record as an event `forget`. Identifiers stay as tombstones. -ENOENT: nothing is remembered of it. */
int memory_forget(struct journal *j, const char *server, const char *database, instant_t at,
	const char *actor, const char *reason);

#endif
