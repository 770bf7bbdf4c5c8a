/* The archive that holds last known good versions, as tar(5) describes it. Private to program/. */
#ifndef PROGRAM_SAVED_TAR_H
#define PROGRAM_SAVED_TAR_H

#include "program/saved_index.h"

/* Content is padded to blocks. */
#define TAR_BLOCK 512

/* Writes members one after the other. The first error stays, and nothing is written after it. */
struct tar_writer {
	int fd, rc;
	int64_t at; /* time of the members */
	size_t n;
	char part[65536];
};

void tar_begin(struct tar_writer *w, int fd, int64_t at);
void tar_member(struct tar_writer *w, const char *name, const char *content, size_t size);
/* 0 or negative errno. */
int tar_end(struct tar_writer *w);

/* The length of the index, from the archive's first block; -EBADMSG if that is not the index's. Nothing else is read
 * from headers: where the contents are follows from the index, which has a digest. */
int64_t tar_index_size(const char block[TAR_BLOCK]);
/* Sets the positions of contents behind an index of this size. */
void tar_positions(struct saved_entry *items, size_t n, size_t index_size);

#endif
