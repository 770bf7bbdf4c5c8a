/* The last head, saved in a small file beside the journal. An older copy of the journal, an emptied one, or a missing
 * one does not contain that record. */
#include "curfew/state_tables.h"
#include "journal/database.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#define GO_ON	 "; no access is granted until you run `curfew accept-loss --reason TEXT`"
#define HEX_SIZE (2 * JOURNAL_HASH_SIZE + 1)

static char *path_of(const struct journal *j, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s%s", j->path, suffix) < 0 ? NULL : path;
}

static int file_write(const char *path, const char *text, const char *journal)
{
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	size_t size = strlen(text);
	struct stat s;
	int rc = 0;

	if (fd < 0)
		return -errno;
	/* Readers of the journal compare it with this file, so give it the same mode, whatever the umask and group of
	 * the writer are. */
	if (fchmod(fd, 0640) < 0 || stat(journal, &s) < 0 ||
		(s.st_gid != getegid() && fchown(fd, (uid_t)-1, s.st_gid) < 0 && errno != EPERM))
		rc = -errno;
	ssize_t n = write(fd, text, size);
	if (n != (ssize_t)size)
		rc = n < 0 ? -errno : -ENOSPC;
	if (!rc && fsync(fd) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int head_copy_save(struct journal *j)
{
	_cleanup_free_ char *path = path_of(j, ".head"), *fresh = path_of(j, ".head.new");
	uint8_t hash[JOURNAL_HASH_SIZE];
	char hex[HEX_SIZE], text[HEX_SIZE + 32];
	int64_t id = 0;
	int rc = path && fresh ? journal_head(hash, &id, j) : -ENOMEM;

	if (rc || id == j->head_saved)
		return rc;
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(text, sizeof(text), "%" PRId64 " %s\n", id, hex);
	rc = file_write(fresh, text, j->path);
	if (!rc && rename(fresh, path) < 0)
		rc = -errno;
	if (!rc)
		j->head_saved = id;
	return rc;
}

static int file_read(int64_t *id, uint8_t hash[JOURNAL_HASH_SIZE], const char *path)
{
	char text[HEX_SIZE + 32] = "", hex[HEX_SIZE];
	size_t size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	if (sscanf(text, "%" SCNd64 " %64[0-9a-f]", id, hex) != 2 ||
		sodium_hex2bin(hash, JOURNAL_HASH_SIZE, hex, strlen(hex), NULL, &size, NULL) ||
		size != JOURNAL_HASH_SIZE)
		return -EBADMSG;
	return 0;
}

int head_copy_compare(const char **why, struct journal *j)
{
	*why = NULL;
	_cleanup_free_ char *path = path_of(j, ".head");
	uint8_t hash[JOURNAL_HASH_SIZE];
	int64_t id = 0;
	bool holds = false;
	int rc = path ? file_read(&id, hash, path) : -ENOMEM;

	/* There is no saved head: the first start, or after an older version. */
	if (rc == -ENOENT)
		return 0;
	if (rc == -ENOMEM)
		return rc;
	if (!rc)
		rc = journal_holds(&holds, j, hash, id);
	/* The journal is locked, so nothing is known. */
	if (rc == -EBUSY)
		return rc;
	if (rc || !holds)
		*why = rc ? "what was last seen of the journal cannot be read: records may be missing"
			  : "the journal is not the one that was last seen, or an older copy of it: records are missing";
	return 0;
}

int head_copy_check(struct journal *j)
{
	const char *why;
	char text[256];
	int rc = head_copy_compare(&why, j);

	if (rc || !why)
		return rc;
	snprintf(text, sizeof(text), "%s" GO_ON, why);
	return loss_put(j, (instant_t)time(NULL), text);
}
