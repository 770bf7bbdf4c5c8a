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

/* Checks the records after *last, at most `limit`, and counts them. Those before the first page have no business in the
 * file, and are read with it. */
static int verify_records(
	struct link *last, int64_t *n, int64_t *first, char why[256], struct journal *j, int limit)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	/* NOT INDEXED: an index can be forged independently of its table. */
	int rc = database_prepare(&s, j,
		    "SELECT " RECORD_COLUMNS
		    " FROM record NOT INDEXED WHERE id >= ?1 ORDER BY id LIMIT ?2"),
	    step;

	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, *n && last->id < INT64_MAX ? last->id + 1 : INT64_MIN);
	if (!step)
		step = sqlite3_bind_int(s, 2, limit);
	if (step)
		return database_error(j->db, step);
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
		++*n;
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
 * earlier time if the clock was corrected in between. One that an archive carried over is the first, under a new number. */
#define REVOKED_ON_RECORD                                                                          \
	"SELECT client, login, at FROM (SELECT client, login, at,"                                 \
	" min(iif(detail LIKE '" CARRIED_IN_EFFECT "%', 0, id))"                                   \
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

/* How far a verification has come. */
struct chain_walk {
	struct link anchor, last; /* the beginning, and the last record that was checked */
	int64_t n;		  /* records that were checked */
	bool begun;
};

/* -EAGAIN: the beginning is another one, because an archive was made meanwhile. */
static int verify_beginning(struct chain_walk *p, int64_t *first, char why[256], struct journal *j)
{
	struct link anchor = {0};
	int rc = verify_link(&anchor, NULL, why, j, "anchor", anchor_label);

	*first = 0;
	if (rc)
		return rc;
	if (p->begun && (anchor.id != p->anchor.id ||
				memcmp(anchor.hash, p->anchor.hash, sizeof(anchor.hash)) != 0))
		return -EAGAIN;
	if (!p->begun)
		p->anchor = p->last = anchor;
	p->begun = true;
	*first = anchor.id + 1;
	return 0;
}

/* Rows of one transaction. While it lasts, nobody else can commit. */
#define PAGE_ROWS 256

static int verify_page(struct chain_walk *p, int64_t *first, char why[256], struct journal *j)
{
	int rc = verify_beginning(p, first, why, j);

	return rc ? rc : verify_records(&p->last, &p->n, first, why, j, PAGE_ROWS);
}

/* Everything else, with the records that were added meanwhile: of one moment, because each commit changes the head, and may
 * change the tables. */
static int verify_end(struct chain_walk *p, int64_t *first, char why[256], struct journal *j)
{
	struct link head = {0};
	int rc = schema_verify(why, j);

	*first = 0;
	if (!rc)
		rc = verify_beginning(p, first, why, j);
	if (!rc)
		rc = verify_records(&p->last, &p->n, first, why, j, -1);
	if (rc)
		return rc;
	*first = p->anchor.id + 1;
	rc = verify_archived(why, j, &p->anchor);
	if (rc)
		return rc;
	*first = p->last.id + 1;
	rc = verify_link(&head, NULL, why, j, "head", head_label);
	if (rc)
		return rc;
	if (head.id > p->last.id)
		return BROKEN(
			"record %lld and all later ones are missing", (long long)p->last.id + 1);
	*first = p->last.id;
	if (head.id < p->last.id || memcmp(head.hash, p->last.hash, sizeof(head.hash)) != 0)
		return BROKEN(
			"record %lld is not the one that was written last", (long long)p->last.id);
	*first = 0;
	/* An archive has no current revocations; they stayed in the journal. */
	if (j->closed)
		return 0;
	rc = verify_overrides(why, j);
	return rc ? rc : state_verify(why, j);
}

/* A consistent view of the file, while other processes write. */
static int in_one_view(
	int (*verify)(struct chain_walk *p, int64_t *first, char why[256], struct journal *j),
	struct chain_walk *p, int64_t *first, char why[256], struct journal *j)
{
	int rc = database_execute(j, "BEGIN");

	if (rc)
		return rc;
	rc = verify(p, first, why, j);
	int rolled = database_execute(j, "ROLLBACK");
	return rc ? rc : rolled;
}

/* In pages, because whoever reads keeps the service's records out of the file, and without a record it grants nothing.
 * Records are never changed, and the chain binds each page to the one before. */
static int verify_all(int64_t *first, char why[256], struct journal *j)
{
	struct chain_walk p = {0};
	int64_t before;
	/* First, because the records are read through the definitions. */
	int rc = schema_verify(why, j);

	*first = 0;
	do {
		before = p.n;
		if (!rc)
			rc = in_one_view(verify_page, &p, first, why, j);
	} while (!rc && p.n - before == PAGE_ROWS);
	return rc ? rc : in_one_view(verify_end, &p, first, why, j);
}

/* Archives are made by hand. */
#define MAX_ARCHIVES_MEANWHILE 3

int journal_verify(int64_t *first, char why[256], struct journal *j)
{
	char text[256];
	int64_t id = 0;
	int rc = -EAGAIN;

	if (j->keyed && !j->has_key)
		return -ENOKEY;
	if (j->batch)
		return -EALREADY;
	for (int i = 0; i <= MAX_ARCHIVES_MEANWHILE && rc == -EAGAIN; i++)
		rc = verify_all(&id, text, j);
	if (rc == JOURNAL_BROKEN) {
		*first = id;
		snprintf(why, 256, "%s", text);
	}
	return rc == -EAGAIN ? -EBUSY : rc;
}
