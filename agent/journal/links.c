/* The chain: where it begins and ends, and whether every record still fits the one before.
 *
 * Who can write the file and holds the key, or has a journal without a key, can rewrite the whole of it; who
 * kept an old copy can put it back. Neither shows in the file alone: the head's hash, sent to the system log at
 * intervals, does. With a key, anybody else's change shows, a cut-off end included. */
#include "database.h"

#include <errno.h>
#include <string.h>

static const char anchor_label[] = "curfew journal anchor", head_label[] = "curfew journal head";

static int chain_get(struct link *out, instant_t *at, uint8_t seal[JOURNAL_HASH_SIZE],
	struct journal *j, const char *name)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int r = database_prepare(&s, j, "SELECT id, hash, at, seal FROM chain WHERE link = ?"), rc;

	if (r)
		return r;
	if ((rc = bind_text(s, 1, name)) != 0)
		return database_error(j->db, rc);
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : database_error(j->db, rc);
	if (sqlite3_column_bytes(s, 1) != JOURNAL_HASH_SIZE ||
		sqlite3_column_bytes(s, 3) != JOURNAL_HASH_SIZE)
		return -EBADMSG;
	out->id = sqlite3_column_int64(s, 0);
	memcpy(out->hash, sqlite3_column_blob(s, 1), JOURNAL_HASH_SIZE);
	if (at)
		*at = sqlite3_column_int64(s, 2);
	if (seal)
		memcpy(seal, sqlite3_column_blob(s, 3), JOURNAL_HASH_SIZE);
	return 0;
}

static int chain_set(
	struct journal *j, const char *name, const char *label, const struct link *l, instant_t at)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	uint8_t seal[JOURNAL_HASH_SIZE];
	int r = database_prepare(&s, j,
		"INSERT INTO chain (link, id, hash, at, seal) VALUES (?, ?, ?, ?, ?) "
		"ON CONFLICT (link) DO UPDATE SET id = excluded.id, hash = excluded.hash, at = excluded.at, "
		"seal = excluded.seal");
	int rc;

	if (r)
		return r;
	link_seal(seal, j, label, l, at);
	rc = bind_text(s, 1, name);
	if (!rc)
		rc = sqlite3_bind_int64(s, 2, l->id);
	if (!rc)
		rc = sqlite3_bind_blob(s, 3, l->hash, sizeof(l->hash), SQLITE_STATIC);
	if (!rc)
		rc = sqlite3_bind_int64(s, 4, at);
	if (!rc)
		rc = sqlite3_bind_blob(s, 5, seal, sizeof(seal), SQLITE_STATIC);
	return rc ? database_error(j->db, rc) : database_run(j, s);
}

int chain_head(struct link *out, struct journal *j)
{
	return chain_get(out, NULL, NULL, j, "head");
}

int chain_anchor(struct link *out, instant_t *at, struct journal *j)
{
	return chain_get(out, at, NULL, j, "anchor");
}

int chain_set_head(struct journal *j, const struct link *l)
{
	return chain_set(j, "head", head_label, l, 0);
}

int chain_set_anchor(struct journal *j, const struct link *l, instant_t at)
{
	return chain_set(j, "anchor", anchor_label, l, at);
}

/* Shows which key the file was made with, and that it was not called open or unkeyed since. */
static void key_proof(uint8_t proof[JOURNAL_HASH_SIZE], const struct journal *j)
{
	static const struct link nothing;

	link_seal(proof, j, "curfew journal key", &nothing, j->closed);
}

static int chain_set_key(struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	uint8_t proof[JOURNAL_HASH_SIZE];
	int rc, r = database_prepare(&s, j,
			"INSERT INTO chain_key (one, keyed, closed, proof) VALUES (1, ?, ?, ?)"
			" ON CONFLICT DO UPDATE SET closed = excluded.closed, proof = excluded.proof");

	if (r)
		return r;
	key_proof(proof, j);
	rc = sqlite3_bind_int(s, 1, j->keyed);
	if (!rc)
		rc = sqlite3_bind_int(s, 2, j->closed);
	if (!rc)
		rc = sqlite3_bind_blob(s, 3, proof, sizeof(proof), SQLITE_STATIC);
	return rc ? database_error(j->db, rc) : database_run(j, s);
}

int chain_create(struct journal *j)
{
	struct link origin = {0};
	int r;

	j->keyed = j->has_key;
	r = chain_set_key(j);
	/* No two journals begin alike: none can be passed off as another's continuation. */
	randombytes_buf(origin.hash, sizeof(origin.hash));
	if (!r)
		r = chain_set_anchor(j, &origin, INT64_MIN);
	return r ? r : chain_set_head(j, &origin);
}

int chain_close(struct journal *j)
{
	j->closed = true;
	return chain_set_key(j);
}

int chain_open(struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	uint8_t proof[JOURNAL_HASH_SIZE];
	int r = database_prepare(&s, j, "SELECT keyed, closed, proof FROM chain_key"), rc;

	if (r)
		return r;
	rc = sqlite3_step(s);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : database_error(j->db, rc);
	j->keyed = sqlite3_column_int(s, 0) != 0;
	j->closed = sqlite3_column_int(s, 1) != 0;
	/* Anybody may read a keyed journal; writing and verifying need the key. */
	if (j->keyed && !j->has_key)
		return j->read_only ? 0 : -ENOKEY;
	if (!j->keyed && j->has_key)
		return -EKEYREJECTED;
	key_proof(proof, j);
	if (sqlite3_column_bytes(s, 2) != sizeof(proof) ||
		sodium_memcmp(proof, sqlite3_column_blob(s, 2), sizeof(proof)) != 0)
		return -EKEYREJECTED;
	return 0;
}

int journal_head(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j)
{
	struct link head = {0};
	int r = chain_head(&head, j);

	if (r)
		return r;
	memcpy(hash, head.hash, JOURNAL_HASH_SIZE);
	if (id)
		*id = head.id;
	return 0;
}

#define BROKEN(...) (snprintf(why, 256, __VA_ARGS__), JOURNAL_BROKEN)

/* One end of the chain, its seal checked. */
static int verify_link(struct link *out, instant_t *at, char why[256], struct journal *j,
	const char *name, const char *label)
{
	uint8_t seal[JOURNAL_HASH_SIZE], right[JOURNAL_HASH_SIZE];
	instant_t when = 0;
	int r = chain_get(out, &when, seal, j, name);

	if (r == -EBADMSG)
		return BROKEN("the chain's %s is missing", name);
	if (r)
		return r;
	link_seal(right, j, label, out, when);
	if (sodium_memcmp(right, seal, sizeof(seal)) != 0)
		return BROKEN("the chain's %s was altered", name);
	if (at)
		*at = when;
	return 0;
}

/* One row against the link before it; *last moves on to the row. */
static int verify_record(struct link *last, char why[256], const struct journal *j, sqlite3_stmt *s)
{
	int previous = (int)n_record_columns;
	int64_t id = sqlite3_column_int64(s, 0);
	const void *before = sqlite3_column_blob(s, previous),
		   *stored = sqlite3_column_blob(s, previous + 1);
	uint8_t hash[JOURNAL_HASH_SIZE];
	bool follows, whole;
	int r = record_hash(hash, j, s);

	if (r)
		return r;
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
	/* NOT INDEXED: an index can be forged apart from its table. */
	int r = database_prepare(
		    &s, j, "SELECT " RECORD_COLUMNS " FROM record NOT INDEXED ORDER BY id"),
	    rc;

	if (r)
		return r;
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(s, 0);

		*first = id;
		if (id <= last->id)
			return BROKEN(
				"record %lld was inserted before the beginning", (long long)id);
		if (id != last->id + 1) {
			*first = last->id + 1;
			return BROKEN("record %lld is missing", (long long)last->id + 1);
		}
		r = verify_record(last, why, j, s);
		if (r)
			return r;
	}
	return database_error(j->db, rc);
}

/* A beginning that is not the journal's own must be an archive's end, and the archiving be on record. (In an
 * archive, that record may already lie in the next one.) */
static int verify_archived(char why[256], struct journal *j, const struct link *anchor)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	int r, rc;

	if (!anchor->id || j->closed)
		return 0;
	r = database_prepare(&s, j,
		"SELECT 1 FROM record WHERE kind = 'event' AND action = 'journal-archive' AND after = ?");
	if (r)
		return r;
	sodium_bin2hex(hex, sizeof(hex), anchor->hash, sizeof(anchor->hash));
	if ((rc = bind_text(s, 1, hex)) != 0)
		return database_error(j->db, rc);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		return 0;
	if (rc != SQLITE_DONE)
		return database_error(j->db, rc);
	return BROKEN("the records up to %lld are gone, and no archive of them is on record",
		(long long)anchor->id);
}

static int verify_all(int64_t *first, char why[256], struct journal *j)
{
	struct link last = {0}, head = {0}, anchor;
	int r = schema_verify(why, j);

	*first = 0;
	if (!r)
		r = verify_link(&last, NULL, why, j, "anchor", anchor_label);
	if (r)
		return r;
	anchor = last;
	*first = anchor.id + 1;
	r = verify_records(&last, first, why, j);
	if (r)
		return r;
	*first = anchor.id + 1;
	r = verify_archived(why, j, &anchor);
	if (r)
		return r;
	*first = last.id + 1;
	r = verify_link(&head, NULL, why, j, "head", head_label);
	if (r)
		return r;
	if (head.id > last.id)
		return BROKEN("record %lld is missing, and all after it", (long long)last.id + 1);
	*first = last.id;
	if (head.id < last.id || memcmp(head.hash, last.hash, sizeof(head.hash)) != 0)
		return BROKEN(
			"record %lld is not the one that was written last", (long long)last.id);
	return 0;
}

int journal_verify(int64_t *first, char why[256], struct journal *j)
{
	char text[256];
	int64_t id = 0;
	int r, rolled;

	if (j->keyed && !j->has_key)
		return -ENOKEY;
	if (j->batch)
		return -EALREADY;
	/* One state of the file throughout, while others go on writing. */
	r = database_execute(j, "BEGIN");
	if (r)
		return r;
	r = verify_all(&id, text, j);
	rolled = database_execute(j, "ROLLBACK");
	if (r == JOURNAL_BROKEN) {
		*first = id;
		snprintf(why, 256, "%s", text);
	}
	return r ? r : rolled;
}
