/* The journal's file: opening, transactions, errors.
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
#include <sys/stat.h>
#include <unistd.h>

void statement_finalize(sqlite3_stmt **s)
{
	sqlite3_finalize(*s);
	*s = NULL;
}

int database_error(sqlite3 *db, int rc)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	if (rc == SQLITE_OK || rc == SQLITE_DONE)
		return 0;
	if (db && sqlite3_extended_errcode(db) == SQLITE_READONLY_ROLLBACK)
		return -EUCLEAN; /* a writer died: the next one to open the file mends it */
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return system > 0 ? -system : -EACCES;
	case SQLITE_IOERR:
		return system == ENOSPC || system == EDQUOT ? -system : -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_CONSTRAINT:
		/* A column's own rule is the caller's fault; the chain's rules fail when the head and
		 * the records do not fit each other. */
		return sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_TRIGGER ? -EBADMSG
										 : -EINVAL;
	default:
		return -EPROTO;
	}
}

int database_prepare(sqlite3_stmt **out, struct journal *j, const char *sql)
{
	return database_error(j->db, sqlite3_prepare_v2(j->db, sql, -1, out, NULL));
}

int database_execute(struct journal *j, const char *sql)
{
	return database_error(j->db, sqlite3_exec(j->db, sql, NULL, NULL, NULL));
}

int database_run(struct journal *j, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	/* A statement that was meant to yield nothing and yields a row is a fault of ours. */
	return rc == SQLITE_ROW ? -EPROTO : database_error(j->db, rc);
}

int database_number(int64_t *out, struct journal *j, const char *sql, int64_t parameter)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int r = database_prepare(&s, j, sql), rc = 0;

	if (r)
		return r;
	if (sqlite3_bind_parameter_count(s))
		rc = sqlite3_bind_int64(s, 1, parameter);
	if (!rc)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : database_error(j->db, rc);
	*out = sqlite3_column_int64(s, 0);
	return 0;
}

int bind_text(sqlite3_stmt *s, int n, const char *text)
{
	return text ? sqlite3_bind_text(s, n, text, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(s, n);
}

int column_text(char **out, sqlite3_stmt *s, int n)
{
	const char *text = (const char *)sqlite3_column_text(s, n);
	char *copy = NULL;

	if (!text && sqlite3_column_type(s, n) != SQLITE_NULL)
		return -ENOMEM;
	if (text && !(copy = strdup(text)))
		return -ENOMEM;
	*out = copy;
	return 0;
}

int column_texts(char **out, sqlite3_stmt *s, int n)
{
	int r = 0, got = 0;

	while (got < n && !(r = column_text(&out[got], s, got)))
		got++;
	while (r && got > 0)
		free(out[--got]);
	return r;
}

int database_rows(
	struct journal *j, sqlite3_stmt *s, int (*take)(void *list, sqlite3_stmt *s), void *list)
{
	int rc, r = 0;

	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		if ((r = take(list, s)) != 0)
			return r;
	return database_error(j->db, rc);
}

int transaction_begin(struct journal *j)
{
	int r;

	if (j->read_only || j->closed)
		return -EROFS;
	if (j->depth) {
		if (j->error)
			return j->error;
		j->depth++;
		return 0;
	}
	/* The write lock at once: of two writers, the second reads the head only after the first is done. */
	r = database_execute(j, "BEGIN IMMEDIATE");
	if (r)
		return r;
	j->depth = 1;
	j->error = 0;
	return 0;
}

int transaction_end(struct journal *j, int r)
{
	if (r && !j->error)
		j->error = r;
	if (--j->depth)
		return r;
	r = j->error ? j->error : database_execute(j, "COMMIT");
	/* A full disk or an I/O error may have undone the transaction already. */
	if (r && !sqlite3_get_autocommit(j->db))
		sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int journal_begin(struct journal *j)
{
	int r;

	if (j->batch)
		return -EALREADY;
	r = transaction_begin(j);
	if (!r)
		j->batch = true;
	return r;
}

int journal_commit(struct journal *j)
{
	if (!j->batch)
		return -EINVAL;
	j->batch = false;
	return transaction_end(j, 0);
}

void journal_rollback(struct journal *j)
{
	if (!j->batch)
		return;
	j->batch = false;
	transaction_end(j, -ECANCELED);
}

int folder_sync(const char *path)
{
	char *copy = strdup(path);
	int fd, r = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		r = -errno;
	free(copy);
	if (r)
		return r;
	/* EINVAL: a file system that has nothing to sync there. */
	if (fsync(fd) < 0 && errno != EINVAL)
		r = -errno;
	close(fd);
	return r;
}

/* Made by ourselves, for its mode; SQLite gives its rollback journal the mode of the file. */
static int file_create(const char *path)
{
	int fd, r = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fchmod(fd, 0640) < 0 || fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r ? r : folder_sync(path);
}

static int database_settle(struct journal *j)
{
	int r;

	sqlite3_extended_result_codes(j->db, 0);
	sqlite3_busy_timeout(j->db, JOURNAL_BUSY_MS);
	/* The file may have been written by somebody else: its schema gets no say beyond plain SQL. */
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(j->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = database_error(j->db, functions_define(j->db));
	/* Sorting must not need a temporary file: the engine may write below its state folder only. */
	if (!r)
		r = database_execute(j, "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;");
	if (!r && !j->read_only)
		r = database_execute(
			j, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;");
	if (!r)
		r = schema_prepare(j);
	return r ? r : chain_open(j);
}

static int journal_try(struct journal **out, const struct journal_options *o)
{
	struct journal *j = calloc(1, sizeof(*j));
	int r, rc;

	if (!j)
		return -ENOMEM;
	j->read_only = o->read_only;
	j->has_key = o->key != NULL;
	if (o->key)
		memcpy(j->key, o->key, sizeof(j->key));
	j->path = strdup(o->path);
	if (!j->path) {
		journal_close(j);
		return -ENOMEM;
	}
	rc = sqlite3_open_v2(o->path, &j->db,
		(o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX,
		NULL);
	r = rc ? database_error(j->db, rc) : database_settle(j);
	if (r) {
		journal_close(j);
		return r;
	}
	*out = j;
	return 0;
}

/* Undoes what a killed writer had not committed; SQLite does it on the first read that may write. */
static int journal_mend(const char *path)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), r;

	sqlite3_busy_timeout(db, JOURNAL_BUSY_MS);
	if (!rc)
		rc = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	r = database_error(db, rc);
	sqlite3_close(db);
	return r;
}

int journal_open(struct journal **out, const struct journal_options *o)
{
	int r = 0;

	if (sodium_init() < 0)
		return -EIO;
	if (!o->read_only)
		r = file_create(o->path);
	else if (access(o->path, R_OK) < 0)
		r = -errno;
	if (!r)
		r = journal_try(out, o);
	if (r == -EUCLEAN && journal_mend(o->path) == 0)
		r = journal_try(out, o);
	return r;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	journal_rollback(j);
	sqlite3_close_v2(j->db);
	sodium_memzero(j->key, sizeof(j->key));
	free(j->path);
	free(j);
}

const char *journal_problem(int result)
{
	switch (result) {
	case JOURNAL_BROKEN:
		return "the journal's chain is broken; see curfew history verify";
	case -ENOKEY:
		return "the journal is keyed and no key was given; set journal_key to its credential";
	case -EKEYREJECTED:
		return "the journal was made with another key, or without one; give the right key, or archive "
		       "the old file by hand and start a new one";
	case -EBADMSG:
		return "the file is not a journal of Curfew, or is damaged; keep it for inspection and restore it "
		       "from a copy";
	case -EPROTONOSUPPORT:
		return "the journal was made by a newer Curfew";
	case -EUCLEAN:
		return "a writer was interrupted; open the journal once with the right to write (curfew status as "
		       "root) to mend it";
	case -EBUSY:
		return "another process keeps the journal locked; end long-open sqlite3 sessions on it";
	case -ENODATA:
		return "that instant lies in an archive of the journal; ask the archive file";
	default:
		return strerror(result < 0 ? -result : result);
	}
}
