/* Whether the journal is intact: each record follows the previous one, from the anchor to the head.
 *
 * With a key, this shows every change by somebody without the key, a cut-off end included. Somebody who can write the file
 * and has the key, or any writer of a journal without a key, can rewrite it completely, and an older copy can replace it.
 * The file alone does not show that; the hashes of the head in the system log do. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

#define BROKEN(...) (snprintf(why, 256, __VA_ARGS__), JOURNAL_BROKEN)

/* Reads one end of the chain and checks its seal. */
static int verify_link(struct link *out, instant_t *at, char why[256], struct journal *j,
	const char *name, const char *label)
{
	uint8_t seal[JOURNAL_HASH_SIZE], right[JOURNAL_HASH_SIZE];
	instant_t when = 0;
	int rc = chain_get(out, &when, seal, j, name);

	if (rc == -EBADMSG)
		return BROKEN("the chain's %s is missing", name);
	if (rc)
		return rc;
	link_seal(right, j, label, out, when);
	if (sodium_memcmp(right, seal, sizeof(seal)) != 0)
		return BROKEN("the chain's %s was altered", name);
	if (at)
		*at = when;
	return 0;
}

/* Checks one row against the previous one, and moves *last to the row. */
static int verify_record(struct link *last, char why[256], const struct journal *j, sqlite3_stmt *s)
{
	int previous = (int)n_record_columns;
	int64_t id = sqlite3_column_int64(s, 0);
	const void *before = sqlite3_column_blob(s, previous),
		   *stored = sqlite3_column_blob(s, previous + 1);
	uint8_t hash[JOURNAL_HASH_SIZE];
	bool follows, whole;
	int rc = record_hash(hash, j, s);

	if (rc)
		return rc;
	follows = before && sqlite3_column_bytes(s, previous) == JOURNAL_HASH_SIZE &&
		  memcmp(before, last->hash, JOURNAL_HASH_SIZE) == 0;
	whole = stored && sqlite3_column_bytes(s, previous + 1) == JOURNAL_HASH_SIZE &&
		memcmp(stored, hash, JOURNAL_HASH_SIZE) == 0;
	if (!follows && !whole)
		return BROKEN("record %lld was altered, inserted or moved from another place",
			(long long)id);
	if (!whole)
		return BROKEN("record %lld was altered", (long long)id);
	if (!follows)
		return BROKEN(
			"record %lld does not follow record %lld: one of them was inserted, moved or "
			"replaced",
			(long long)id, (long long)last->id);
	last->id = id;
	memcpy(last->hash, hash, sizeof(hash));
	return 0;
}

static int verify_records(struct link *last, int64_t *first, char why[256], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	/* NOT INDEXED: an index can be forged independently of its table. */
	int rc = database_prepare(
		    &s, j, "SELECT " RECORD_COLUMNS " FROM record NOT INDEXED ORDER BY id"),
	    step;

	if (rc)
		return rc;
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(s, 0);

		*first = id;
		if (id <= last->id)
			return BROKEN(
				"record %lld was inserted before the beginning", (long long)id);
		if (id != last->id + 1) {
			*first = last->id + 1;
			return BROKEN("record %lld is missing", (long long)last->id + 1);
		}
		rc = verify_record(last, why, j, s);
		if (rc)
			return rc;
	}
	return database_error(j->db, step);
}

/* A chain that does not start at this journal's own beginning must start at the end of an archive, and that archive
 * must be recorded. (In an archive, this record may be in the next archive.) */
static int verify_archived(char why[256], struct journal *j, const struct link *anchor)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	int rc, step;

	if (!anchor->id || j->closed)
		return 0;
	rc = database_prepare(&s, j,
		"SELECT 1 FROM record WHERE kind = 'event' AND action IN ('archive', 'journal-archive')"
		" AND after = ?");
	if (rc)
		return rc;
	sodium_bin2hex(hex, sizeof(hex), anchor->hash, sizeof(anchor->hash));
	if ((step = bind_text(s, 1, hex)) != 0)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step == SQLITE_ROW)
		return 0;
	if (step != SQLITE_DONE)
		return database_error(j->db, step);
	return BROKEN(
		"the records up to %lld are missing, and the journal has no record of an archive with them",
		(long long)anchor->id);
}

/* Compares the revocations since each last reinstatement in the records with table `override`. Otherwise somebody who
 * deletes a row there would give access back. The first record tells the time, as in the table: a later one has an
 * earlier time if the clock was corrected in between. */
#define REVOKED_ON_RECORD                                                                          \
	"SELECT client, login, at FROM (SELECT client, login, at, min(id)"                         \
	" FROM record r WHERE kind = 'event' AND action = 'revoke'"                                \
	" AND id > (SELECT ifnull(max(id), 0) FROM record x WHERE x.kind = 'event'"                \
	" AND x.action = 'reinstate' AND x.client IS r.client AND x.login IS r.login)"             \
	" GROUP BY client, login)"
#define REVOKED_IN_FORCE "SELECT client, login, at FROM override"

static int verify_overrides(char why[256], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_prepare(&s, j,
			"SELECT * FROM (SELECT * FROM (" REVOKED_ON_RECORD
			") EXCEPT " REVOKED_IN_FORCE ") UNION ALL SELECT * FROM (" REVOKED_IN_FORCE
			" EXCEPT SELECT * FROM (" REVOKED_ON_RECORD ")) LIMIT 1");

	if (rc)
		return rc;
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return database_error(j->db, step);
	return BROKEN("the revocation of %.100s %.60s does not match the journal records",
		(const char *)sqlite3_column_text(s, 0),
		sqlite3_column_text(s, 1) ? (const char *)sqlite3_column_text(s, 1) : "");
}

static int verify_all(int64_t *first, char why[256], struct journal *j)
{
	struct link last = {0}, head = {0}, anchor;
	int rc = schema_verify(why, j);

	*first = 0;
	if (!rc)
		rc = verify_link(&last, NULL, why, j, "anchor", anchor_label);
	if (rc)
		return rc;
	anchor = last;
	*first = anchor.id + 1;
	rc = verify_records(&last, first, why, j);
	if (rc)
		return rc;
	*first = anchor.id + 1;
	rc = verify_archived(why, j, &anchor);
	if (rc)
		return rc;
	*first = last.id + 1;
	rc = verify_link(&head, NULL, why, j, "head", head_label);
	if (rc)
		return rc;
	if (head.id > last.id)
		return BROKEN("record %lld and all later ones are missing", (long long)last.id + 1);
	*first = last.id;
	if (head.id < last.id || memcmp(head.hash, last.hash, sizeof(head.hash)) != 0)
		return BROKEN(
			"record %lld is not the one that was written last", (long long)last.id);
	*first = 0;
	/* An archive has no current revocations; they stayed in the journal. */
	if (j->closed)
		return 0;
	rc = verify_overrides(why, j);
	return rc ? rc : state_verify(why, j);
}

int journal_verify(int64_t *first, char why[256], struct journal *j)
{
	char text[256];
	int64_t id = 0;
	int rc, rolled;

	if (j->keyed && !j->has_key)
		return -ENOKEY;
	if (j->batch)
		return -EALREADY;
	/* A consistent view of the file, while other processes write. */
	rc = database_execute(j, "BEGIN");
	if (rc)
		return rc;
	rc = verify_all(&id, text, j);
	rolled = database_execute(j, "ROLLBACK");
	if (rc == JOURNAL_BROKEN) {
		*first = id;
		snprintf(why, 256, "%s", text);
	}
	return rc ? rc : rolled;
}
