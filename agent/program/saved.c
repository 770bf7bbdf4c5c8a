/* Reads last known good versions. Every length is bounded, and nothing is used whose digest does not fit. */
#include "program/saved.h"
#include "program/saved_folder.h"
#include "program/saved_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Reads a part of the archive as a text. -EBADMSG: the archive ends before it, or cannot be read. */
static int part_read(char **out, int fd, uint64_t at, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return -ENOMEM;
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, text + done, size - done, (off_t)(at + done));

		if (n == 0 || (n < 0 && errno != EINTR)) {
			free(text);
			return -EBADMSG;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	text[size] = '\0';
	*out = text;
	return 0;
}

int archive_index_read(struct saved_index *out, int fd)
{
	_cleanup_free_ char *block = NULL;
	struct stat st;
	char *text;
	int rc = part_read(&block, fd, 0, TAR_BLOCK);

	if (rc < 0)
		return rc;
	int64_t size = tar_index_size(block);
	/* No memory for a length that the file does not have. */
	if (size < 0 || fstat(fd, &st) < 0 || size > st.st_size || (size_t)size > MAX_INDEX_BYTES)
		return -EBADMSG;
	rc = part_read(&text, fd, TAR_BLOCK, (size_t)size);
	return rc < 0 ? rc : saved_index_parse(out, text, (size_t)size);
}

int archive_entry_read(char **text, int fd, const struct saved_entry *e)
{
	char *read;
	int rc = part_read(&read, fd, e->at, (size_t)e->content.size);

	if (rc < 0)
		return rc;
	if (!content_is(&e->content, read, (size_t)e->content.size)) {
		free(read);
		return -EBADMSG;
	}
	*text = read;
	return 0;
}

static void generation_close(struct generation *g)
{
	if (g->fd >= 0)
		close(g->fd);
	saved_index_free(&g->index);
	*g = (struct generation){.fd = -1};
}

static int archive_open(struct generation *out, int folder, uid_t owner, const char *name)
{
	struct generation g = {.owner = owner, .name = name};
	struct stat st;

	g.fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (g.fd < 0)
		return -errno;
	int rc = fstat(g.fd, &st) < 0		? -errno
		 : !S_ISREG(st.st_mode)		? -EBADMSG
		 : !file_is_trusted(&st, owner) ? -EPERM
						: archive_index_read(&g.index, g.fd);
	if (rc < 0)
		generation_close(&g);
	else
		*out = g;
	return rc;
}

/* The current generation, or what there is in its place. Between the two renames of a save only the one before is
 * there: it is sought after the current one, so that a reader finds one of them. */
static int generations_open(struct saved *s, int folder, uid_t owner)
{
	int current = archive_open(&s->base, folder, owner, SAVED_CURRENT);
	int previous =
		archive_open(current < 0 ? &s->base : &s->previous, folder, owner, SAVED_PREVIOUS);

	if (current == 0)
		return 0;
	if (previous == 0) {
		s->damage = current;
		return 0;
	}
	int old = folder_generation_open(&s->base, folder, owner);
	if (old < 0)
		return current != -ENOENT ? current : previous != -ENOENT ? previous : old;
	s->damage = current != -ENOENT ? current : previous != -ENOENT ? previous : 0;
	return 0;
}

int saved_open(struct saved **out, const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct saved *s = fd < 0 ? NULL : malloc(sizeof(*s));
	struct stat st;

	if (fd < 0)
		return -errno;
	int rc = !s ? -ENOMEM : 0;
	if (s)
		*s = (struct saved){.base = {.fd = -1}, .previous = {.fd = -1}};
	if (s && fstat(fd, &st) < 0)
		rc = -errno;
	/* Its owner is the service's user, who saves these files; nobody else could have written here. */
	if (rc == 0)
		rc = file_is_trusted(&st, st.st_uid) ? generations_open(s, fd, st.st_uid) : -EPERM;
	close(fd);
	if (rc < 0)
		saved_close(s);
	else
		*out = s;
	return rc;
}

void saved_close(struct saved *s)
{
	if (!s)
		return;
	generation_close(&s->base);
	generation_close(&s->previous);
	free(s);
}

static int generation_read(char **text, size_t *size, const struct generation *g, const char *name)
{
	const struct saved_entry *e = saved_index_find(&g->index, name);

	if (!e)
		return -ENOENT;
	if (g->is_folder)
		return folder_entry_read(text, size, g, name);
	int rc = archive_entry_read(text, g->fd, e);
	if (rc == 0)
		*size = (size_t)e->content.size;
	return rc;
}

bool saved_has(const struct saved *s, const char *name)
{
	return saved_index_find(&s->base.index, name);
}

int saved_read(char **text, size_t *size, const struct saved *s, const char *name)
{
	int rc = generation_read(text, size, &s->base, name);

	if (rc != -EBADMSG)
		return rc;
	/* An entry that is only in the generation before was removed: its access has ended. */
	rc = generation_read(text, size, &s->previous, name);
	return rc == 0 ? SAVED_OLDER : rc == -ENOENT ? -EBADMSG : rc;
}

bool saved_is_sound(const struct saved *s)
{
	bool sound = !s->damage && !s->base.is_folder;

	for (size_t i = 0; i < s->base.index.n && sound; i++) {
		_cleanup_free_ char *text = NULL;

		sound = archive_entry_read(&text, s->base.fd, &s->base.index.items[i]) == 0;
	}
	return sound;
}

char *saved_text(struct reading *r, size_t *size, const struct saved *s, const char *folder,
	const char *name)
{
	_cleanup_free_ char *entry = NULL;
	char *text = NULL;

	if (asprintf(&entry, "%s%s", folder, name) < 0) {
		entry = NULL;
		r->failure = -ENOMEM;
		return NULL;
	}
	int rc = saved_read(&text, size, s, entry);
	if (rc == -ENOMEM)
		r->failure = rc;
	else if (rc < 0)
		reading_error(r, NULL, "this last known good version is %s, so it is not used",
			rc == -ENOENT ? "missing" : "damaged, and so is the one before");
	else if (rc == SAVED_OLDER)
		reading_warning(r, NULL,
			"this last known good version is damaged, so Curfew uses the one before, in "
			"%s, and its end times",
			SAVED_PREVIOUS);
	return text;
}
