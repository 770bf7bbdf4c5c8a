/* Writes the archive, and knows where its contents are.
 *
 * Why tar: one file, written front to back with one sync, in which a stranger finds everything with the tools of every
 * host (`tar -tvf`, `tar -xOf`, b2sum), even if Curfew is gone. A database file would be as well known, but a parser
 * for it is large, reads what a hostile file says, and loses neighbors of a damaged page; and this folder's layer has
 * none. A format of our own would be no shorter, and needs a command to look into it. */
#include "program/saved_tar.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INDEX	  "INDEX"
#define LONG_NAME "././@LongLink"

/* As tar(5) has it; numbers are octal text. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], time[12], sum[8], type;
	char link[100], magic[8], user[32], group[32], device[16], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

static size_t padded(size_t n)
{
	return (n + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static bool name_is_long(const char *name)
{
	return strlen(name) >= sizeof(((struct header *)NULL)->name);
}

static int part_flush(struct tar_writer *w)
{
	for (size_t done = 0; w->rc == 0 && done < w->n;) {
		ssize_t n = write(w->fd, w->part + done, w->n - done);

		if (n < 0 && errno != EINTR)
			w->rc = -errno;
		if (n > 0)
			done += (size_t)n;
	}
	w->n = 0;
	return w->rc;
}

static void bytes_add(struct tar_writer *w, const void *bytes, size_t size)
{
	const char *from = bytes;

	while (size > 0 && w->rc == 0) {
		size_t room = sizeof(w->part) - w->n, n = size < room ? size : room;

		memcpy(w->part + w->n, from, n);
		w->n += n;
		from += n;
		size -= n;
		if (w->n == sizeof(w->part))
			part_flush(w);
	}
}

static void content_add(struct tar_writer *w, const char *content, size_t size)
{
	static const char zeros[TAR_BLOCK];

	bytes_add(w, content, size);
	bytes_add(w, zeros, padded(size) - size);
}

static void header_add(struct tar_writer *w, const char *name, size_t size, char type)
{
	struct header h = {.type = type};
	const unsigned char *bytes = (const unsigned char *)&h;
	unsigned sum = 0;

	memcpy(h.name, name, strnlen(name, sizeof(h.name) - 1));
	memcpy(h.mode, "0000640", 7);
	memcpy(h.uid, "0000000", 7);
	memcpy(h.gid, "0000000", 7);
	snprintf(h.size, sizeof(h.size), "%011zo", size);
	snprintf(h.time, sizeof(h.time), "%011llo", (unsigned long long)w->at & 077777777777ULL);
	memcpy(h.magic, "ustar  ", 8);
	/* The sum takes its own field for blanks. */
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += bytes[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	bytes_add(w, &h, sizeof(h));
}

void tar_begin(struct tar_writer *w, int fd, int64_t at)
{
	w->fd = fd;
	w->rc = 0;
	w->at = at;
	w->n = 0;
}

void tar_member(struct tar_writer *w, const char *name, const char *content, size_t size)
{
	if (name_is_long(name)) {
		header_add(w, LONG_NAME, strlen(name) + 1, 'L');
		content_add(w, name, strlen(name) + 1);
	}
	header_add(w, name, size, '0');
	content_add(w, content, size);
}

int tar_end(struct tar_writer *w)
{
	static const char zeros[2 * TAR_BLOCK];

	bytes_add(w, zeros, sizeof(zeros));
	return part_flush(w);
}

int64_t tar_index_size(const char block[TAR_BLOCK])
{
	const struct header *h = (const struct header *)block;
	int64_t size = 0;

	if (memcmp(h->name, INDEX, sizeof(INDEX)) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(h->size) - 1; i++) {
		if (h->size[i] < '0' || h->size[i] > '7')
			return -EBADMSG;
		size = size * 8 + (h->size[i] - '0');
	}
	return size;
}

void tar_positions(struct saved_entry *items, size_t n, size_t index_size)
{
	uint64_t at = TAR_BLOCK + padded(index_size);

	for (size_t i = 0; i < n; i++) {
		const char *name = items[i].name;

		if (name_is_long(name))
			at += TAR_BLOCK + padded(strlen(name) + 1);
		at += TAR_BLOCK;
		items[i].at = at;
		at += padded((size_t)items[i].content.size);
	}
}
