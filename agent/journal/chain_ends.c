/* The two links that no record contains, anchor and head, and the key that seals them. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

const char anchor_label[] = "curfew journal anchor", head_label[] = "curfew journal head";

int chain_get(struct link *out, instant_t *at, uint8_t seal[JOURNAL_HASH_SIZE], struct journal *j,
	const char *name)
{
	_cleanup_kept_ sqlite3_stmt *s = NULL;
	int step, rc = database_keep(&s, j, KEPT_CHAIN_GET,
			  "SELECT id, hash, at, seal FROM chain WHERE link = ?");

	if (rc)
		return rc;
	if ((step = bind_text(s, 1, name)) != 0)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -EBADMSG : database_error(j->db, step);
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
	_cleanup_kept_ sqlite3_stmt *s = NULL;
	uint8_t seal[JOURNAL_HASH_SIZE];
	int rc = database_keep(&s, j, KEPT_CHAIN_SET,
		"INSERT INTO chain (link, id, hash, at, seal) VALUES (?, ?, ?, ?, ?) "
		"ON CONFLICT (link) DO UPDATE SET id = excluded.id, hash = excluded.hash, at = excluded.at, "
		"seal = excluded.seal");
	int step;

	if (rc)
		return rc;
	link_seal(seal, j, label, l, at);
	step = bind_text(s, 1, name);
	if (!step)
		step = sqlite3_bind_int64(s, 2, l->id);
	if (!step)
		step = sqlite3_bind_blob(s, 3, l->hash, sizeof(l->hash), SQLITE_STATIC);
	if (!step)
		step = sqlite3_bind_int64(s, 4, at);
	if (!step)
		step = sqlite3_bind_blob(s, 5, seal, sizeof(seal), SQLITE_STATIC);
	return step ? database_error(j->db, step) : database_run(j, s);
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

/* Proves which key the file was created with, and that nobody marked it as open or unkeyed afterwards. */
static void key_proof(uint8_t proof[JOURNAL_HASH_SIZE], const struct journal *j)
{
	static const struct link nothing;

	link_seal(proof, j, "curfew journal key", &nothing, j->closed);
}

static int chain_set_key(struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	uint8_t proof[JOURNAL_HASH_SIZE];
	int step,
		rc = database_prepare(&s, j,
			"INSERT INTO chain_key (one, keyed, closed, proof) VALUES (1, ?, ?, ?)"
			" ON CONFLICT DO UPDATE SET closed = excluded.closed, proof = excluded.proof");

	if (rc)
		return rc;
	key_proof(proof, j);
	step = sqlite3_bind_int(s, 1, j->keyed);
	if (!step)
		step = sqlite3_bind_int(s, 2, j->closed);
	if (!step)
		step = sqlite3_bind_blob(s, 3, proof, sizeof(proof), SQLITE_STATIC);
	return step ? database_error(j->db, step) : database_run(j, s);
}

int chain_create(struct journal *j)
{
	struct link origin = {0};
	int rc;

	j->keyed = j->has_key;
	rc = chain_set_key(j);
	/* Start each journal with random bytes, so that none can pass as the continuation of another. */
	randombytes_buf(origin.hash, sizeof(origin.hash));
	if (!rc)
		rc = chain_set_anchor(j, &origin, INT64_MIN);
	return rc ? rc : chain_set_head(j, &origin);
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
	int rc = database_prepare(&s, j, "SELECT keyed, closed, proof FROM chain_key"), step;

	if (rc)
		return rc;
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -EBADMSG : database_error(j->db, step);
	j->keyed = sqlite3_column_int(s, 0) != 0;
	j->closed = sqlite3_column_int(s, 1) != 0;
	/* Reading a keyed journal needs no key. Writing and verifying do. */
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

static int journal_link(
	uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j, const char *name)
{
	struct link l = {0};
	int rc = chain_get(&l, NULL, NULL, j, name);

	if (rc)
		return rc;
	memcpy(hash, l.hash, JOURNAL_HASH_SIZE);
	if (id)
		*id = l.id;
	return 0;
}

int journal_head(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j)
{
	return journal_link(hash, id, j, "head");
}

int journal_anchor(uint8_t hash[JOURNAL_HASH_SIZE], int64_t *id, struct journal *j)
{
	return journal_link(hash, id, j, "anchor");
}
