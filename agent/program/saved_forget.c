/* Takes versions out of the archives where a new archive could not be written, as on a full disk: a client whose file was
 * removed must not come back. Overwriting needs no room. */
#include "program/saved_forget.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Its digest then fits no more. */
static int entry_overwrite(int fd, const struct saved_entry *e)
{
	static const char zeros[4096];

	for (uint64_t done = 0; done < e->content.size;) {
		uint64_t left = e->content.size - done;
		ssize_t n = pwrite(fd, zeros, left < sizeof(zeros) ? (size_t)left : sizeof(zeros),
			(off_t)(e->at + done));
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (uint64_t)n : 0;
	}
	return 0;
}

static int archive_forget(int fd, const struct saved_index *x,
	bool (*stays)(const void *context, const char *name), const void *context)
{
	int rc = 0;

	for (size_t i = 0; i < x->n && rc == 0; i++)
		if (!stays(context, x->items[i].name))
			rc = entry_overwrite(fd, &x->items[i]);
	return rc < 0 ? rc : fdatasync(fd) < 0 ? -errno : 0;
}

static int generation_forget(int folder, const struct generation *g,
	bool (*stays)(const void *context, const char *name), const void *context)
{
	if (g->fd < 0)
		return 0;
	for (size_t i = 0; g->is_folder && i < g->index.n; i++)
		if (!stays(context, g->index.items[i].name))
			unlinkat(folder, g->index.items[i].name, 0);
	if (g->is_folder)
		return 0;
	int fd = openat(folder, g->name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int rc = archive_forget(fd, &g->index, stays, context);
	close(fd);
	return rc;
}

int saved_forget(int folder, const struct saved *s,
	bool (*stays)(const void *context, const char *name), const void *context)
{
	int rc = generation_forget(folder, &s->base, stays, context);
	int older = generation_forget(folder, &s->previous, stays, context);

	return rc < 0 ? rc : older;
}
