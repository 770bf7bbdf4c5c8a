/* What the hash of a record and the seal of a link cover. A record's hash covers the previous hash and then each
 * column: one byte for the type, eight bytes for the length, and the value. So no two rows have the same encoding, NULL
 * and '' differ, and no value can extend into the next. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

static void hash_bytes(crypto_generichash_state *h, int type, const void *bytes, size_t size)
{
	uint8_t head[9] = {(uint8_t)type};

	for (int i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)((uint64_t)size >> (8 * i));
	crypto_generichash_update(h, head, sizeof(head));
	if (size)
		crypto_generichash_update(h, bytes, size);
}

static void hash_number(crypto_generichash_state *h, int64_t value)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
	hash_bytes(h, SQLITE_INTEGER, bytes, sizeof(bytes));
}

void hash_begin(crypto_generichash_state *h, const struct journal *j, const char *label)
{
	crypto_generichash_init(
		h, j->keyed ? j->key : NULL, j->keyed ? JOURNAL_KEY_SIZE : 0, JOURNAL_HASH_SIZE);
	/* The label keeps a record's hash from being used as a seal, and a seal as a hash. */
	hash_bytes(h, SQLITE_TEXT, label, strlen(label));
}

void link_seal(uint8_t seal[JOURNAL_HASH_SIZE], const struct journal *j, const char *label,
	const struct link *l, instant_t at)
{
	crypto_generichash_state h;

	hash_begin(&h, j, label);
	hash_number(&h, l->id);
	hash_number(&h, at);
	hash_bytes(&h, SQLITE_BLOB, l->hash, sizeof(l->hash));
	crypto_generichash_final(&h, seal, JOURNAL_HASH_SIZE);
}

/* Hashes the stored types, not the declared ones. */
static int columns_hash(crypto_generichash_state *h, sqlite3_stmt *s, int n)
{
	for (int i = 0; i < n; i++) {
		int type = sqlite3_column_type(s, i);

		if (type == SQLITE_INTEGER) {
			hash_number(h, sqlite3_column_int64(s, i));
		} else {
			const void *bytes = sqlite3_column_blob(s, i);
			size_t size = (size_t)sqlite3_column_bytes(s, i);

			if (size && !bytes)
				return -ENOMEM;
			hash_bytes(h, type, bytes, size);
		}
	}
	return 0;
}

int rows_hash(crypto_generichash_state *h, struct journal *j, sqlite3_stmt *s)
{
	int n = sqlite3_column_count(s), step, rc = 0;

	while ((step = sqlite3_step(s)) == SQLITE_ROW && !rc) {
		hash_number(h, n);
		rc = columns_hash(h, s, n);
	}
	return rc ? rc : database_error(j->db, step);
}

int record_hash(uint8_t hash[JOURNAL_HASH_SIZE], const struct journal *j, sqlite3_stmt *s)
{
	crypto_generichash_state h;
	int previous = (int)n_record_columns, rc;

	hash_begin(&h, j, "curfew journal record");
	hash_bytes(&h, sqlite3_column_type(s, previous), sqlite3_column_blob(s, previous),
		(size_t)sqlite3_column_bytes(s, previous));
	rc = columns_hash(&h, s, previous);
	if (rc)
		return rc;
	crypto_generichash_final(&h, hash, JOURNAL_HASH_SIZE);
	return 0;
}
