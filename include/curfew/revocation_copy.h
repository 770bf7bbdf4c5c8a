/* The second copy of revocations, outside the journal: a file of fixed size whose blocks are allocated at the first
 * start, so that a revocation is kept although the disk is full, or the journal locked, damaged, or put back from an
 * older copy. It holds what is revoked now; what was, and who did it, is the journal's. */
#ifndef CURFEW_REVOCATION_COPY_H
#define CURFEW_REVOCATION_COPY_H

#include "curfew/journal.h"

struct revocation_copy;

struct revocation {
	const char *client;
	const char *login; /* NULL: every user of the client */
	instant_t at;
	const char *actor, *reason; /* long ones are cut */
};

/* In the state directory; `write`: made, with all its blocks, when it is not there. -ENOENT: it is not, or -EBADMSG:
 * it is none of ours; other negative errno. */
int revocation_copy_open(struct revocation_copy **out, const char *state_directory, bool write);
void revocation_copy_close(struct revocation_copy *c);

/* On disk when it returns. Revoking again keeps the first instant. -ENOSPC: all places are taken. */
int revocation_copy_add(struct revocation_copy *c, const struct revocation *r);
/* 0 also when it was not there. */
int revocation_copy_remove(struct revocation_copy *c, const char *client, const char *login);

/* The result of `each` other than 0 ends it and is returned. */
int revocation_copy_each(struct revocation_copy *c,
	int (*each)(void *context, const struct revocation *r), void *context);
/* Places whose checksum does not fit: the power went while they were written, or the disk lies. */
size_t revocation_copy_damaged(const struct revocation_copy *c);

/* Adds to `o` what is revoked here and not there. 0 or -ENOMEM. */
int revocation_copy_merge(struct overrides *o, struct revocation_copy *c);
/* Brings both up to date: what the journal lacks is added to it with its own instant and reason; what it knows to be
 * reinstated since is taken out here; what is missing here is added. 0 or the first error. */
int revocation_copy_settle(struct revocation_copy *c, struct journal *j);

#endif
