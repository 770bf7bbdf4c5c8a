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
};

static int head_work_run(struct disk_work *work)
{
	const struct head_work *w = (struct head_work *)work;
	int rc = file_write(w->fresh, w->text, w->journal);

	return rc ? rc : rename(w->fresh, w->path) < 0 ? -errno : 0;
}

static void head_work_free(struct disk_work *work)
{
	struct head_work *w = (struct head_work *)work;

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

/* What an older copy, or a new journal, lacks comes after its last record. */
static int copy_ends(instant_t *since, struct journal *j, int64_t seen)
{
	struct link head;
	int rc = chain_head(&head, j);

	if (!rc && head.id < seen)
		rc = database_number(since, j,
			"SELECT ifnull((SELECT at FROM record WHERE kind <> 'state'"
			" ORDER BY id DESC LIMIT 1), ?)",
			LOSS_SINCE_UNKNOWN);
	return rc;
}

/* No head was ever saved beside it. Before its first record that is as it should be. Else it comes from elsewhere, for
 * example from a backup onto a new host, and nobody can tell what was recorded after the copy: a revocation, say. */
static int unseen(const char **why, instant_t *since, bool *is_new, struct journal *j)
{
	struct link head;
	int rc = chain_head(&head, j);

	*is_new = !rc && !head.id;
	if (rc || *is_new)
		return rc;
	*why = "the journal was never used on this host, or the file that names its last record is gone: records may be missing";
	return copy_ends(since, j, INT64_MAX);
}

/* A head from before the journal's archives is that of another one: before it archives, a journal saves its own. */
static int held(bool *out, struct journal *j, const uint8_t hash[JOURNAL_HASH_SIZE], int64_t id)
{
	struct link anchor;
	int rc = chain_anchor(&anchor, NULL, j);

	*out = false;
	return rc || id < anchor.id ? rc : journal_holds(out, j, hash, id);
}

static int compare(const char **why, instant_t *since, bool *is_new, struct journal *j)
{
	*why = NULL;
	*since = LOSS_SINCE_UNKNOWN;
	*is_new = false;
	_cleanup_free_ char *path = path_of(j, ".head");
	uint8_t hash[JOURNAL_HASH_SIZE];
	int64_t id = 0;
	bool holds = false;
	int rc = path ? file_read(&id, hash, path) : -ENOMEM;

	if (rc == -ENOENT)
		return unseen(why, since, is_new, j);
	if (rc == -ENOMEM)
		return rc;
	if (!rc)
		rc = held(&holds, j, hash, id);
	/* The journal is locked, or the disk hangs, so nothing is known. */
	if (rc == -EBUSY || rc == -ETIMEDOUT)
		return rc;
	if (rc || !holds)
		*why = rc ? "what was last seen of the journal cannot be read: records may be missing"
			  : "the journal is not the one that was last seen, or an older copy of it: records are missing";
	return *why && !rc ? copy_ends(since, j, id) : 0;
}

int head_copy_compare(const char **why, instant_t *since, struct journal *j)
{
	bool is_new;

	return compare(why, since, &is_new, j);
}

int head_copy_check(struct journal *j)
{
	const char *why;
	instant_t since;
	char text[512];
	bool is_new;
	int rc = compare(&why, &since, &is_new, j);

	/* So that a journal that begins here is known here before its first record, whatever ends the process. */
	if (is_new)
		head_copy_save(j);
	if (rc || !why)
		return rc;
	snprintf(text, sizeof(text), "%s; " LOSS_FIX, why);
	return loss_put(j, (instant_t)time(NULL), since, text);
}
