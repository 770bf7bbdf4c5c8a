/* The table of contents of last known good versions: names, lengths, and digests. Private to program/. */
#ifndef PROGRAM_SAVED_INDEX_H
#define PROGRAM_SAVED_INDEX_H

#include "curfew/program.h"

#define SAVED_CONFIG  "curfew.conf"
#define SAVED_CLIENTS "clients.d/"
/* About 200,000 client files with the longest names. */
#define MAX_INDEX_BYTES ((size_t)64 * 1024 * 1024)

struct saved_entry {
	const char
		*name; /* SAVED_CONFIG, or SAVED_CLIENTS and the name of a client file; borrowed */
	struct file_digest content;
	uint64_t at; /* position of the content in the archive */
};
struct saved_index {
	char *text;		   /* what the names point into; owned */
	struct saved_entry *items; /* sorted by name */
	size_t n;
};

struct file_digest content_digest(const char *text, size_t size);
bool content_is(const struct file_digest *expected, const char *text, size_t size);

/* Whether an entry may have this name. A file name with control characters is not saved: it has no place in a line. */
bool saved_name_is_valid(const char *name);
/* The text of an index. The caller frees it. 0, -ENOMEM, or -EFBIG. */
int saved_index_print(char **text, size_t *size, const struct saved_entry *items, size_t n);
/* Takes `text`, which ends with a zero byte, also after an error. 0, -ENOMEM, or -EBADMSG. */
int saved_index_parse(struct saved_index *out, char *text, size_t size);
/* NULL: it has no entry of this name. */
const struct saved_entry *saved_index_find(const struct saved_index *i, const char *name);
void saved_index_free(struct saved_index *i);

#endif
