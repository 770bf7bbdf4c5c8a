/* The last head, saved in a small file beside the journal. An older copy of the journal, an emptied one, or a missing
 * one does not contain that record. */
#include "curfew/state_tables.h"
#include "journal/database.h"
#include "curfew/disk.h"

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

struct head_work {
	struct disk_work work;
	char *path, *fresh, *journal;
	char text[HEX_SIZE + 32];
	int rc;
};

static void head_work_run(struct disk_work *work)
{
	struct head_work *w = (struct head_work *)work;

	w->rc = file_write(w->fresh, w->text, w->journal);
	if (!w->rc && rename(w->fresh, w->path) < 0)
		w->rc = -errno;
}

static void head_work_free(struct disk_work *work)
{
	struct head_work *w = (struct head_work *)work;

	if (!w)
		return;
	free(w->path);
	free(w->fresh);
	free(w->journal);
	free(w);
}

static struct head_work *head_work_new(const struct journal *j)
{
	struct head_work *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->work = (struct disk_work){.run = head_work_run, .release = head_work_free};
	w->path = path_of(j, ".head");
	w->fresh = path_of(j, ".head.new");
	w->journal = strdup(j->path);
	if (w->path && w->fresh && w->journal)
		return w;
	head_work_free(&w->work);
	return NULL;
}

int head_copy_save(struct journal *j)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	char hex[HEX_SIZE];
	int64_t id = 0;
	int rc = journal_head(hash, &id, j);

	if (rc || id == j->head_saved)
		return rc;
	struct head_work *w = head_work_new(j);
	if (!w)
		return -ENOMEM;
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(w->text, sizeof(w->text), "%" PRId64 " %s\n", id, hex);
	rc = disk_run(&w->work);
	if (rc)
		return rc;
	rc = w->rc;
	head_work_free(&w->work);
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
	/* The journal is locked, or the disk hangs, so nothing is known. */
	if (rc == -EBUSY || rc == -ETIMEDOUT)
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
