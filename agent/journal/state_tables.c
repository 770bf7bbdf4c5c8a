/* The tables beside the chain, and the record by which the chain covers them. They hold current state, so rows are
 * changed and deleted. Somebody who could change them unnoticed could allow a login, or make a baseline match a planned
 * change. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

/* In this order, and each table in the order of its key. Items of baselines and samples of use are covered by digests of
 * their own. `since`: the version that made the table; in the digests of older files it is not. */
static const struct {
	int since;
	const char *rows;
} tables[] = {
	{1, "SELECT server, login, sid, intended, created, removed FROM ledger ORDER BY server, login, removed, sid"},
	{1, "SELECT server, login, database, level, at FROM proved ORDER BY server, login, database"},
	{2, "SELECT server, login, database, sid, level, result, fingerprint, at FROM verification"
	    " ORDER BY server, login, database"},
	{DATABASE_IDS_VERSION, "SELECT server, login, database, database_id, made FROM verification"
			       " ORDER BY server, login, database"},
	{2, "SELECT client, what, instant, ticket, approved FROM passed ORDER BY client, what"},
	{2, "SELECT server, endpoint, trusted FROM guard ORDER BY server, endpoint"},
	{2, "SELECT one, at, why FROM loss"},
	{1, "SELECT client, login, at, actor, reason FROM override ORDER BY client, login"},
	{1, "SELECT server, database, at, digest FROM baseline ORDER BY server, database"},
	{SAMPLES_VERSION,
		"SELECT server, database, at, digest FROM sampled ORDER BY server, database"},
	{HELD_VERSION, "SELECT server, endpoint FROM guard WHERE held ORDER BY server, endpoint"},
};

int state_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j)
{
	crypto_generichash_state h;
	int rc = 0;

	hash_begin(&h, j, "curfew journal state");
	for (size_t i = 0; i < ARRAY_SIZE(tables) && !rc; i++) {
		_cleanup_statement_ sqlite3_stmt *s = NULL;

		if (tables[i].since > j->version)
			continue;
		rc = database_prepare(&s, j, tables[i].rows);
		if (!rc)
			rc = rows_hash(&h, j, s);
		crypto_generichash_update(&h, (const uint8_t *)"", 1);
	}
	crypto_generichash_final(&h, digest, JOURNAL_HASH_SIZE);
	return rc;
}

/* The journal has no clock: use the time of the last record. */
static int last_instant(instant_t *out, struct journal *j)
{
	return database_number(out, j,
		"SELECT ifnull((SELECT at FROM record WHERE kind <> 'state' ORDER BY id DESC LIMIT 1), 0)",
		0);
}

int state_record(struct journal *j)
{
	uint8_t digest[JOURNAL_HASH_SIZE];
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	struct journal_entry e = {.kind = JOURNAL_STATE, .actor = "curfew", .after = hex};
	int rc = last_instant(&e.at, j);

	if (!rc)
		rc = state_digest(digest, j);
	if (rc)
		return rc;
	sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	j->state_changed = false;
	return journal_write(NULL, j, &e);
}

/* Reads the last recorded digest. Without one, every table must be empty. */
static int state_on_record(char hex[2 * JOURNAL_HASH_SIZE + 1], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j,
		    "SELECT after FROM record WHERE kind = 'state' ORDER BY id DESC LIMIT 1"),
	    step;

	if (rc)
		return rc;
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -ENOENT : database_error(j->db, step);
	snprintf(hex, 2 * JOURNAL_HASH_SIZE + 1, "%s", (const char *)sqlite3_column_text(s, 0));
	return 0;
}

static int state_is_empty(bool *out, struct journal *j)
{
	int rc = 0;

	*out = true;
	for (size_t i = 0; i < ARRAY_SIZE(tables) && !rc && *out; i++) {
		_cleanup_statement_ sqlite3_stmt *s = NULL;

		if (tables[i].since > j->version)
			continue;
		rc = database_prepare(&s, j, tables[i].rows);
		if (!rc) {
			int step = sqlite3_step(s);
			*out = step != SQLITE_ROW;
			rc = step == SQLITE_ROW ? 0 : database_error(j->db, step);
		}
	}
	return rc;
}

/* Finds a baseline whose items differ from those that were saved. */
static int baselines_verify(char why[256], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc = database_prepare(&s, j, "SELECT server, database, digest FROM baseline");

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		uint8_t digest[JOURNAL_HASH_SIZE];
		const char *server = (const char *)sqlite3_column_text(s, 0);
		const char *database = (const char *)sqlite3_column_text(s, 1);

		rc = baseline_digest(digest, j, server, database);
		if (!rc &&
			(sqlite3_column_bytes(s, 2) != sizeof(digest) ||
				memcmp(sqlite3_column_blob(s, 2), digest, sizeof(digest)) != 0)) {
			snprintf(why, 256,
				"the baseline of %.90s / %.90s does not match the one that was saved",
				server, database);
			return JOURNAL_BROKEN;
		}
	}
	return rc ? rc : database_error(j->db, step);
}

int state_verify(char why[256], struct journal *j)
{
	uint8_t digest[JOURNAL_HASH_SIZE];
	char hex[2 * JOURNAL_HASH_SIZE + 1], kept[2 * JOURNAL_HASH_SIZE + 1] = "";
	bool whole = false;
	int rc;

	/* Older versions recorded no digest. */
	if (j->version < 2)
		return 0;
	rc = state_on_record(kept, j);
	if (rc == -ENOENT) {
		rc = state_is_empty(&whole, j);
	} else if (!rc) {
		rc = state_digest(digest, j);
		sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
		whole = streq(hex, kept);
	}
	if (rc)
		return rc;
	if (whole) {
		rc = baselines_verify(why, j);
		return rc ? rc : samples_verify(why, j);
	}
	snprintf(why, 256,
		"the state tables (inventory, levels, verifications, baselines, samples, revocations) do not match their last "
		"recorded digest");
	return JOURNAL_BROKEN;
}
