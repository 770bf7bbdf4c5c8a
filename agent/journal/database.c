/* How this folder uses SQLite: statements, values, errors, transactions. */
#include "journal/database.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "curfew/disk.h"

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
		return -EUCLEAN; /* a writer died; the next writer that opens the file recovers it */
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
		if (disk_hangs())
			return -ETIMEDOUT;
		return system > 0 ? -system : -EACCES;
	case SQLITE_IOERR:
		if (disk_hangs())
			return -ETIMEDOUT;
		return system == ENOSPC || system == EDQUOT ? -system : -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_CONSTRAINT:
		/* A CHECK of a column is the caller's fault. The chain's triggers fail if head and records do not
		 * match, and a record after the head is there already in a file that was put together from two. */
		switch (sqlite3_extended_errcode(db)) {
		case SQLITE_CONSTRAINT_TRIGGER:
		case SQLITE_CONSTRAINT_PRIMARYKEY:
		case SQLITE_CONSTRAINT_ROWID:
		case SQLITE_CONSTRAINT_UNIQUE:
			return -EBADMSG;
		default:
			return -EINVAL;
		}
	default:
		return -EPROTO;
	}
}

int database_prepare(sqlite3_stmt **out, struct journal *j, const char *sql)
{
	return database_error(j->db, sqlite3_prepare_v2(j->db, sql, -1, out, NULL));
}

void statement_release(sqlite3_stmt **s)
{
	if (!*s)
		return;
	sqlite3_reset(*s);
	sqlite3_clear_bindings(*s);
	*s = NULL;
}

int database_keep(sqlite3_stmt **out, struct journal *j, enum kept_statement which, const char *sql)
{
	sqlite3_stmt **kept = &j->kept[which];
	int rc = *kept ? 0
		       : database_error(j->db, sqlite3_prepare_v3(j->db, sql, -1,
						       SQLITE_PREPARE_PERSISTENT, kept, NULL));

	if (!rc)
		*out = *kept;
	return rc;
}

void database_keep_nothing(struct journal *j)
{
	for (size_t i = 0; i < KEPT_STATEMENTS; i++)
		statement_finalize(&j->kept[i]);
}

int database_execute(struct journal *j, const char *sql)
{
	return database_error(j->db, sqlite3_exec(j->db, sql, NULL, NULL, NULL));
}

int database_run(struct journal *j, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	/* A statement that must not return a row returned one: a defect. */
	return rc == SQLITE_ROW ? -EPROTO : database_error(j->db, rc);
}

int database_number(int64_t *out, struct journal *j, const char *sql, int64_t parameter)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j, sql), step = 0;

	if (rc)
		return rc;
	if (sqlite3_bind_parameter_count(s))
		step = sqlite3_bind_int64(s, 1, parameter);
	if (!step)
		step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -EBADMSG : database_error(j->db, step);
	*out = sqlite3_column_int64(s, 0);
	return 0;
}

int database_text(
	char **out, struct journal *j, const char *sql, const char *const *texts, size_t n)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j, sql), step;

	if (rc)
		return rc;
	step = bind_texts(s, texts, n);
	if (!step)
		step = sqlite3_step(s);
	return step == SQLITE_ROW ? column_text(out, s, 0) : database_error(j->db, step);
}

int bind_text(sqlite3_stmt *s, int n, const char *text)
{
	return text ? sqlite3_bind_text(s, n, text, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(s, n);
}

int bind_texts(sqlite3_stmt *s, const char *const *texts, size_t n)
{
	int step = SQLITE_OK;

	for (size_t i = 0; i < n && !step; i++)
		step = bind_text(s, (int)i + 1, texts[i]);
	return step;
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
	int rc = 0, got = 0;

	while (got < n && !(rc = column_text(&out[got], s, got)))
		got++;
	while (rc && got > 0)
		free(out[--got]);
	return rc;
}

int column_shared(const char **out, struct pool *texts, sqlite3_stmt *s, int n, const char *last)
{
	const char *text = (const char *)sqlite3_column_text(s, n);

	*out = last && text && streq(last, text) ? last : pool_text(texts, text ? text : "");
	return *out && (text || sqlite3_column_type(s, n) == SQLITE_NULL) ? 0 : -ENOMEM;
}

int column_login(const char **const out[3], struct pool *texts, sqlite3_stmt *s, const char *server,
	const char *login)
{
	const char *const last[] = {server, login, NULL};
	int rc = 0;

	for (int n = 0; n < 3 && !rc; n++)
		rc = column_shared(out[n], texts, s, n, last[n]);
	return rc;
}

int column_level(enum level *out, sqlite3_stmt *s, int n)
{
	const char *name = (const char *)sqlite3_column_text(s, n);

	for (int l = LEVEL_NONE; name && l <= LEVEL_FULL; l++) {
		if (streq(name, level_name((enum level)l))) {
			*out = (enum level)l;
			return 0;
		}
	}
	return -EBADMSG;
}

int place_prepare(sqlite3_stmt **out, struct journal *j, const char *sql, const char *server,
	const char *database)
{
	int rc = database_prepare(out, j, sql), step;

	if (rc)
		return rc;
	step = bind_text(*out, 1, server);
	if (!step)
		step = bind_text(*out, 2, database);
	return database_error(j->db, step);
}

int database_rows(
	struct journal *j, sqlite3_stmt *s, int (*take)(void *list, sqlite3_stmt *s), void *list)
{
	int step, rc = 0;

	while ((step = sqlite3_step(s)) == SQLITE_ROW)
		if ((rc = take(list, s)) != 0)
			return rc;
	return database_error(j->db, step);
}

int transaction_begin(struct journal *j)
{
	int rc;

	if (j->read_only || j->closed)
		return -EROFS;
	if (j->depth) {
		if (j->error)
			return j->error;
		j->depth++;
		return 0;
	}
	/* Take the write lock at once, so that of two writers the second reads the head after the first has finished.
	 * */
	rc = database_execute(j, "BEGIN IMMEDIATE");
	if (rc)
		return rc;
	j->depth = 1;
	j->error = 0;
	return 0;
}

int state_begin(struct journal *j)
{
	int rc = transaction_begin(j);

	if (!rc)
		j->state_changed = true;
	return rc;
}

int transaction_end(struct journal *j, int rc)
{
	if (rc && !j->error)
		j->error = rc;
	if (j->depth > 1) {
		j->depth--;
		return rc;
	}
	/* What it writes belongs to the same transaction. */
	if (!j->error && j->state_changed && j->at_commit)
		j->error = j->at_commit(j);
	j->state_changed = false;
	j->depth = 0;
	rc = j->error ? j->error : database_execute(j, "COMMIT");
	/* The numbers of what was undone are given again. */
	if (rc)
		j->resets_read = 0;
	/* A full disk or an I/O error may have rolled back the transaction already. */
	if (rc && !sqlite3_get_autocommit(j->db))
		sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

int journal_patience(struct journal *j, int milliseconds)
{
	if (!j)
		return milliseconds;
	int before = j->patience;

	j->patience = milliseconds;
	sqlite3_busy_timeout(j->db, milliseconds);
	return before;
}

int journal_begin(struct journal *j)
{
	int rc;

	if (j->batch)
		return -EALREADY;
	rc = transaction_begin(j);
	if (!rc)
		j->batch = true;
	return rc;
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

int journal_end(struct journal *j, int rc)
{
	if (!rc)
		return journal_commit(j);
	journal_rollback(j);
	return rc;
}

int folder_sync(const char *path)
{
	char *copy = strdup(path);
	int fd, rc = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		rc = -errno;
	free(copy);
	if (rc)
		return rc;
	/* EINVAL: this file system does not support fsync on directories. */
	if (fsync(fd) < 0 && errno != EINVAL)
		rc = -errno;
	close(fd);
	return rc;
}
