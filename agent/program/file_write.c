/* Replaces a client file atomically, if nobody else has changed it. */
#include "program/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds. */
#define LOCK_PATIENCE 3000
#define LOCK_PAUSE    50

/* Whether the file has this content. 0 or negative errno. */
static int content_compare(int fd, const char *expected)
{
	size_t size = strlen(expected), n = 0;
	_cleanup_free_ char *text = malloc(size + 1);
	ssize_t got = 1;

	if (!text)
		return -ENOMEM;
	while (n <= size && got > 0) {
		got = read(fd, text + n, size + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return -errno;
		else
			n += (size_t)got;
	}
	return n == size && memcmp(text, expected, size) == 0 ? 0 : -ESTALE;
}

static int old_check(struct stat *st, int folder, const char *name, const char *expected)
{
	if (!expected) {
		if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return -EEXIST;
		if (fstat(folder, st) < 0)
			return -errno;
		st->st_mode = 0640;
		return 0;
	}
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, st) < 0	? -errno
		 : S_ISREG(st->st_mode) ? content_compare(fd, expected)
					: -EINVAL;
	close(fd);
	return rc;
}

static int content_write(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Writes a file under a name that no reader takes for a client file, then renames it over the old one. */
static int new_write(
	int folder, const char *name, const char *text, const struct stat *st, bool over)
{
	_cleanup_free_ char *temporary = NULL;
	int rc = 0;

	if (asprintf(&temporary, ".%s.%ld", name, (long)getpid()) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	int fd = openat(
		folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	/* Set the owner first, because that clears bits of the mode. */
	if ((st->st_uid != geteuid() || st->st_gid != getegid()) &&
		fchown(fd, st->st_uid, st->st_gid) < 0)
		rc = -errno;
	if (rc == 0 && fchmod(fd, st->st_mode & 07777) < 0)
		rc = -errno;
	if (rc == 0)
		rc = content_write(fd, text);
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat2(folder, temporary, folder, name, over ? 0 : RENAME_NOREPLACE) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(folder, temporary, 0);
	else if (fsync(folder) < 0)
		rc = -errno;
	return rc;
}

/* Waits for another command that changes a file, and not for ever for a process that keeps the lock. */
static int folder_lock(int folder)
{
	int rc = -EBUSY;

	for (int waited = 0; rc == -EBUSY && waited <= LOCK_PATIENCE; waited += LOCK_PAUSE) {
		if (waited)
			pause_ms(LOCK_PAUSE);
		rc = flock(folder, LOCK_EX | LOCK_NB) == 0 ? 0
		     : errno == EWOULDBLOCK		   ? -EBUSY
							   : -errno;
	}
	return rc;
}

int file_replace(const char *path, const char *text, const char *expected)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st = {0};

	if (!copy)
		return -ENOMEM;
	int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	int rc = folder_lock(folder);
	if (rc == 0)
		rc = old_check(&st, folder, base_name(path), expected);
	if (rc == 0)
		rc = new_write(folder, base_name(path), text, &st, expected);
	close(folder);
	return rc;
}
