/* A second copy of the revocations, outside the journal: a file of fixed size with all blocks allocated at the first
 * start. So a revocation is saved even if the disk is full, or the journal is locked, damaged, or replaced by an older
 * copy. The file has only current revocations; the journal has their history. */
#ifndef CURFEW_REVOCATION_COPY_H
#define CURFEW_REVOCATION_COPY_H

#include "curfew/journal.h"

struct revocation_copy;

struct revocation {
	const char *client;
	const char *login; /* NULL: every user of the client */
	instant_t at;
	const char *actor, *reason; /* long texts are cut */
};

/* In the state directory. `write` creates it with all its blocks if it is missing. -ENOENT: missing; -EBADMSG: not such
 * a file; or another negative errno. */
int revocation_copy_open(struct revocation_copy **out, const char *state_directory, bool write);
void revocation_copy_close(struct revocation_copy *c);

/* Synced when it returns. Revoking again keeps the first time. -ENOSPC: all slots are in use. */
int revocation_copy_add(struct revocation_copy *c, const struct revocation *r);
/* 0 also if there was none. */
int revocation_copy_remove(struct revocation_copy *c, const char *client, const char *login);

/* A result of `each` other than 0 ends the loop and is returned. */
int revocation_copy_each(struct revocation_copy *c,
	int (*each)(void *context, const struct revocation *r), void *context);
/* Number of slots with a wrong checksum, because of a power failure or a broken disk. */
size_t revocation_copy_damaged(const struct revocation_copy *c);

/* Adds to `o` the revocations that only this file has. 0 or -ENOMEM. */
int revocation_copy_merge(struct overrides *o, struct revocation_copy *c);
/* Updates both sides: adds to the journal what it lacks, with the original time and reason; removes here what the
 * journal shows as reinstated; adds here what is missing. 0 or the first error. */
int revocation_copy_settle(struct revocation_copy *c, struct journal *j);

#endif
