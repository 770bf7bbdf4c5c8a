/* Moves old records to a file of their own.
 *
 * The archive is a journal too. Its anchor is the previous anchor of the live journal, and its head becomes the live
 * journal's anchor, so both together are one chain. An intent and its outcome stay together. An intent without an outcome
 * stays in the live journal. What the live file needs of the archived records is written there again: archive_carry.c. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last record to move. Nothing to move: the anchor's id. */
static int archive_cut(
	struct link *cut, struct journal *j, const struct link *anchor, instant_t before)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int64_t id = 0, lower;
	int rc, step;

	rc = database_number(&id, j,
		"SELECT ifnull((SELECT min(id) FROM record WHERE at >= ?), (SELECT id + 1 FROM chain"
		" WHERE link = 'head')) - 1",
		before);
	for (lower = 0; !rc && lower != id;) {
		lower = id;
		rc = database_number(&id, j,
			"SELECT ifnull(min(i.id) - 1, ?1) FROM record i WHERE i.kind = 'intent' AND i.id <= ?1"
			" AND NOT EXISTS (SELECT 1 FROM record o WHERE o.kind = 'outcome' AND o.intent = i.id"
			" AND o.id <= ?1)",
			lower);
	}
	if (rc || id <= anchor->id) {
		*cut = *anchor;
		return rc;
	}
	rc = database_prepare(&s, j, "SELECT hash FROM record WHERE id = ?");
	if (rc)
		return rc;
	if ((step = sqlite3_bind_int64(s, 1, id)) != 0 || (step = sqlite3_step(s)) != SQLITE_ROW)
		return step == SQLITE_DONE ? -EBADMSG : database_error(j->db, step);
	if (sqlite3_column_bytes(s, 0) != JOURNAL_HASH_SIZE)
		return -EBADMSG;
	cut->id = id;
	memcpy(cut->hash, sqlite3_column_blob(s, 0), JOURNAL_HASH_SIZE);
	return 0;
}

/* Copies records unchanged, hashes included. */
static int copy_records(struct journal *to, struct journal *from, int64_t up_to)
{
	_cleanup_statement_ sqlite3_stmt *get = NULL, *put = NULL;
	int rc = database_prepare(
		&get, from, "SELECT " RECORD_COLUMNS " FROM record WHERE id <= ? ORDER BY id");
	int step, n = (int)n_record_columns + 2;

	if (!rc)
		rc = database_prepare(&put, to,
			"INSERT INTO record (" RECORD_COLUMNS
			") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (rc)
		return rc;
	if ((step = sqlite3_bind_int64(get, 1, up_to)) != 0)
		return database_error(from->db, step);
	while (!rc && (step = sqlite3_step(get)) == SQLITE_ROW) {
		struct link l;

		for (int i = 0; i < n && !rc; i++)
			rc = database_error(to->db,
				sqlite3_bind_value(put, i + 1, sqlite3_column_value(get, i)));
		if (!rc)
			rc = database_run(to, put);
		sqlite3_reset(put);
		l.id = sqlite3_column_int64(get, 0);
		if (sqlite3_column_bytes(get, n - 1) != JOURNAL_HASH_SIZE)
			rc = -EBADMSG;
		else
			memcpy(l.hash, sqlite3_column_blob(get, n - 1), JOURNAL_HASH_SIZE);
		/* Move the head with each row, as the trigger on the table requires. */
		if (!rc)
			rc = chain_set_head(to, &l);
	}
	return rc ? rc : database_error(from->db, step);
}

/* Writes the archive under a temporary name. It is synced when this returns. */
static int archive_fill(const char *path, struct journal *j, const struct link *anchor,
	instant_t anchored, const struct link *cut)
{
	struct journal_options o = {.path = path, .key = j->keyed ? j->key : NULL};
	struct journal *archive = NULL;
	int64_t first;
	char why[256];
	int rc = journal_open(&archive, &o);

	if (rc)
		return rc;
	rc = transaction_begin(archive);
	if (!rc) {
		rc = chain_set_anchor(archive, anchor, anchored);
		if (!rc)
			rc = chain_set_head(archive, anchor);
		if (!rc)
			rc = copy_records(archive, j, cut->id);
		if (!rc)
			rc = chain_close(archive);
		rc = transaction_end(archive, rc);
	}
	/* Delete nothing from the journal that is not completely in the archive. */
	if (!rc)
		rc = journal_verify(&first, why, archive);
	journal_close(archive);
	return rc;
}

/* Gives the archive its name, unless a file of that name exists. */
static int archive_publish(const char *temporary, const char *path)
{
	/* Unlike rename(), link() never replaces a file. */
	if (link(temporary, path) < 0)
		return -errno;
	if (unlink(temporary) < 0)
		return -errno;
	return folder_sync(path);
}

/* In the open batch: moves the anchor, deletes the archived records, and records that. */
static int archive_finish(struct journal *j, const struct link *cut, instant_t before,
	const char *to_path, instant_t now)
{
	char hex[2 * JOURNAL_HASH_SIZE + 1], detail[128];
	struct journal_entry e = {
		.kind = JOURNAL_EVENT,
		.at = now,
		.actor = "curfew",
		.action = "archive",
		.statement = to_path,
		.outcome = "done",
		.detail = detail,
		.after = hex,
	};
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc;

	sodium_bin2hex(hex, sizeof(hex), cut->hash, sizeof(cut->hash));
	snprintf(detail, sizeof(detail), "records up to %lld; `after` is the hash of the last",
		(long long)cut->id);
	rc = journal_write(NULL, j, &e);
	/* The last digest of the tables may be archived, so write a new one at the end. */
	j->state_changed = true;
	/* Read before the old records are deleted. */
	if (!rc)
		rc = archive_carry(j, cut->id, before);
	if (!rc)
		rc = chain_set_anchor(j, cut, before);
	if (!rc)
		rc = database_prepare(&s, j, "DELETE FROM record WHERE id <= ?");
	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, cut->id);
	return step ? database_error(j->db, step) : database_run(j, s);
}

int journal_archive(struct journal *j, instant_t before, const char *to_path)
{
	_cleanup_free_ char *temporary = NULL;
	struct link anchor = {0}, cut = {0};
	instant_t anchored = 0;
	int64_t now = 0;
	int rc;

	if (j->keyed && !j->has_key)
		return -ENOKEY;
	if (access(to_path, F_OK) == 0)
		return -EEXIST;
	if (asprintf(&temporary, "%s.part", to_path) < 0)
		return -ENOMEM;
	/* Left by an interrupted `curfew archive`. It was never published, so the journal still has its records. */
	if (unlink(temporary) < 0 && errno != ENOENT)
		return -errno;
	rc = journal_begin(j);
	if (rc)
		return rc;
	rc = chain_anchor(&anchor, &anchored, j);
	if (!rc)
		rc = archive_cut(&cut, j, &anchor, before);
	if (!rc && cut.id == anchor.id)
		rc = JOURNAL_NOTHING;
	/* The time of the head record, because the journal has no clock. */
	if (!rc)
		rc = database_number(&now, j, "SELECT max(at) FROM record", 0);
	if (!rc)
		rc = archive_fill(temporary, j, &anchor, anchored, &cut);
	if (!rc)
		rc = archive_publish(temporary, to_path);
	if (!rc)
		rc = archive_finish(j, &cut, before, to_path, now);
	if (rc) {
		journal_rollback(j);
		unlink(temporary);
		return rc;
	}
	return journal_commit(j);
}
