/* The journal's file: opening, closing, words for errors.
 *
 * One file in rollback mode, its rollback journal truncated rather than deleted: a reader needs nothing but
 * the right to read that one file (write-ahead logging would need a second file, and shared memory, that
 * must exist and be readable), a copy of the file is the whole evidence, and truncation is synced, so that a
 * committed record cannot come undone by a power cut. The price is that a reader who keeps a transaction
 * open makes writers wait; our own reads therefore never keep one while they hand rows on. */
#include "journal/database.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_PAGE 4096

/* Created here for its mode; SQLite gives its rollback journal the same mode. */
static int file_create(const char *path)
{
	int fd, rc = 0;

	/* Also the attempt to create a file that is there waits for a disk that hangs. */
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fchmod(fd, 0640) < 0 || fsync(fd) < 0)
		rc = -errno;
	close(fd);
	return rc ? rc : folder_sync(path);
}

static int database_settle(struct journal *j)
{
	int rc;

	sqlite3_extended_result_codes(j->db, 0);
	journal_patience(j, JOURNAL_PATIENCE);
	/* Somebody else may have written the file: trust its schema with nothing but plain SQL. */
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* A trigger that somebody planted would run inside the transactions that this process seals, and a view in place of
	 * a table hide rows from it. The journal's own triggers and views are for everybody else. */
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	rc = database_error(j->db, functions_define(j->db));
	/* Sort in memory: the service may write only below its state directory. */
	if (!rc)
		rc = database_execute(
			j, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;");
	if (!rc && !j->read_only)
		rc = database_execute(
			j, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;");
	if (!rc)
		rc = schema_prepare(j);
	if (!rc)
		rc = chain_open(j);
	j->at_commit = state_record;
	return rc ? rc : schema_upgrade(j);
}

/* SQL workers are forked from the process with the open journal and talk to servers. In them this page is zeros. */
static uint8_t *key_keep(const uint8_t key[JOURNAL_KEY_SIZE])
{
	uint8_t *page =
		mmap(NULL, KEY_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	if (madvise(page, KEY_PAGE, MADV_WIPEONFORK) < 0 ||
		madvise(page, KEY_PAGE, MADV_DONTDUMP) < 0) {
		munmap(page, KEY_PAGE);
		return NULL;
	}
	memcpy(page, key, JOURNAL_KEY_SIZE);
	return page;
}

static void key_free(uint8_t *page)
{
	if (!page)
		return;
	sodium_memzero(page, JOURNAL_KEY_SIZE);
	munmap(page, KEY_PAGE);
}

static int journal_try(struct journal **out, const struct journal_options *o)
{
	static int64_t opened;
	struct journal *j = calloc(1, sizeof(*j));
	int rc, step;

	if (!j)
		return -ENOMEM;
	j->number = ++opened;
	j->head_saved = -1;
	j->read_only = o->read_only;
	j->has_key = o->key != NULL;
	j->key = o->key ? key_keep(o->key) : NULL;
	j->path = strdup(o->path);
	if (!j->path || (o->key && !j->key)) {
		journal_close(j);
		return -ENOMEM;
	}
	step = sqlite3_open_v2(o->path, &j->db,
		(o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX,
		disk_vfs());
	rc = step ? database_error(j->db, step) : database_settle(j);
	if (rc) {
		journal_close(j);
		return rc;
	}
	*out = j;
	return 0;
}

/* Refuse a file that somebody with write access put in the journal's place. */
static int file_check(const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	struct stat st, folder;

	if (!copy)
		return -ENOMEM;
	if (lstat(path, &st) < 0 || stat(dirname(copy), &folder) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	return st.st_uid == folder.st_uid || st.st_uid == geteuid() || st.st_uid == 0 ? 0 : -EPERM;
}

int journal_open(struct journal **out, const struct journal_options *o)
{
	int rc = 0;

	if (sodium_init() < 0)
		return -EIO;
	if (!o->read_only)
		rc = file_create(o->path);
	if (!rc)
		rc = file_check(o->path);
	if (!rc && o->read_only && access(o->path, R_OK) < 0)
		rc = -errno;
	/* A reader never recovers: a rollback journal names other files, which SQLite would delete. */
	return rc ? rc : journal_try(out, o);
}

int journal_open_archive(struct journal **out, const struct journal *of, const char *path)
{
	return journal_open(
		out, &(struct journal_options){.path = path, .read_only = true, .key = of->key});
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	journal_rollback(j);
	database_keep_nothing(j);
	sqlite3_close_v2(j->db);
	key_free(j->key);
	free(j->resets.items);
	free(j->path);
	free(j);
}

const char *journal_problem(int result)
{
	switch (result) {
	case JOURNAL_BROKEN:
		return "the journal's chain is broken; run `curfew history verify`";
	case -ENOKEY:
		return "the journal has a key, but none was given; set journal_key to its credential";
	case -EKEYREJECTED:
		return "the journal was created with another key, or without one; use the right key, or move the old file "
		       "away and start a new journal";
	case -EBADMSG:
		return "the file is damaged, or is not a Curfew journal; keep it for inspection, and restore the journal "
		       "from a copy";
	case -ESTALE:
		return "journal.db is marked as an archive: it was altered, or an archive was put in its place; keep it for "
		       "inspection, and restore the journal from a copy";
	case -EPROTONOSUPPORT:
		return "the journal was created by a newer version of Curfew";
	case -EUCLEAN:
		return "a write was interrupted, and commands that only read do not recover it; start the service, or run "
		       "`curfew apply` as root, to roll it back";
	case -ELOOP:
		return "journal.db is a symbolic link; find out who created it, then move the journal back";
	case -EPERM:
		return "journal.db is owned neither by root nor by the owner of its directory; find out who created it";
	case -EBUSY:
		return "another process keeps the journal locked; end sqlite3 sessions on it";
	case -ETIMEDOUT:
		return "the disk with the state directory does not answer; check its storage";
	case -ENODATA:
		return "this time is in an archive of the journal; use the archive file";
	default:
		return strerror(result < 0 ? -result : result);
	}
}

bool journal_is_closed(const struct journal *j)
{
	return j->closed;
}

bool journal_has_moved(const struct journal *j)
{
	int moved = 0;

	return sqlite3_file_control(j->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	       moved != 0;
}
