/* Samples of use for the inventory, its tallies, and people's decisions. Rows of one database are covered by a digest in
 * `sampled`, which the digest of the state covers: there are too many to read at each commit. */
#include "curfew/samples.h"
#include "journal/database.h"

#include <errno.h>
#include <string.h>

static const char *const covered[] = {
	"SELECT part, since, until, gap FROM watched WHERE server = ? AND database = ? ORDER BY part",
	"SELECT type, name, source, last FROM used WHERE server = ? AND database = ? ORDER BY type, name",
	("SELECT at, red, yellow, green, undecided, keep, replace, gone, remaining FROM tally"
	 " WHERE server = ? AND database = ? ORDER BY at"),
	("SELECT type, name, decision, replacement, owner, due, note FROM decided"
	 " WHERE server = ? AND database = ? ORDER BY type, name"),
};

static int place_run(struct journal *j, const char *sql, const struct sample *s, instant_t at)
{
	_cleanup_statement_ sqlite3_stmt *k = NULL;
	int rc = place_prepare(&k, j, sql, s->server, s->database);

	if (!rc && sqlite3_bind_parameter_count(k) > 2)
		rc = database_error(j->db, sqlite3_bind_int64(k, 3, at));
	return rc ? rc : database_run(j, k);
}

int sample_digest(uint8_t digest[JOURNAL_HASH_SIZE], struct journal *j, const char *server,
	const char *database)
{
	crypto_generichash_state h;
	int rc = 0;

	hash_begin(&h, j, "curfew journal sample");
	for (size_t i = 0; i < ARRAY_SIZE(covered) && !rc; i++) {
		_cleanup_statement_ sqlite3_stmt *s = NULL;

		rc = place_prepare(&s, j, covered[i], server, database);
		if (!rc)
			rc = rows_hash(&h, j, s);
		crypto_generichash_update(&h, (const uint8_t *)"", 1);
	}
	crypto_generichash_final(&h, digest, JOURNAL_HASH_SIZE);
	return rc;
}

/* `at` 0: of what was seen nothing is new. */
static int sample_seal(struct journal *j, const struct sample *s, instant_t at)
{
	_cleanup_statement_ sqlite3_stmt *k = NULL;
	uint8_t digest[JOURNAL_HASH_SIZE];
	int rc = sample_digest(digest, j, s->server, s->database), step;

	if (!rc)
		rc = place_prepare(&k, j,
			"INSERT INTO sampled (server, database, at, digest) VALUES (?1, ?2, ?3, ?4)"
			" ON CONFLICT DO UPDATE SET at = max(at, excluded.at), digest = excluded.digest",
			s->server, s->database);
	if (rc)
		return rc;
	step = sqlite3_bind_int64(k, 3, at);
	if (!step)
		step = sqlite3_bind_blob(k, 4, digest, sizeof(digest), SQLITE_STATIC);
	return step ? database_error(j->db, step) : database_run(j, k);
}

/* Texts from the third parameter on, then numbers. */
static int row_put(struct journal *j, sqlite3_stmt *k, const char *const *texts, int n_texts,
	const int64_t *numbers, int n_numbers)
{
	int step = 0;

	for (int i = 0; i < n_texts && !step; i++)
		step = bind_text(k, 3 + i, texts[i]);
	for (int i = 0; i < n_numbers && !step; i++)
		step = sqlite3_bind_int64(k, 3 + n_texts + i, numbers[i]);
	int rc = step ? database_error(j->db, step) : database_run(j, k);
	sqlite3_reset(k);
	return rc;
}

static int watches_put(struct journal *j, const struct sample *s)
{
	_cleanup_statement_ sqlite3_stmt *k = NULL;
	int rc = place_run(j, "DELETE FROM watched WHERE server = ? AND database = ?", s, 0);

	if (!rc)
		rc = place_prepare(&k, j,
			"INSERT INTO watched (server, database, part, since, until, gap) VALUES (?, ?, ?, ?, ?, ?)",
			s->server, s->database);
	for (size_t i = 0; i < s->n_watches && !rc; i++) {
		const struct sample_watch *w = &s->watches[i];
		const int64_t numbers[] = {w->since, w->until, w->gap};

		rc = row_put(j, k, &w->part, 1, numbers, 3);
	}
	return rc;
}

static int uses_put(struct journal *j, const struct sample *s)
{
	_cleanup_statement_ sqlite3_stmt *k = NULL;
	int rc = place_run(j, "DELETE FROM used WHERE server = ? AND database = ?", s, 0);

	if (!rc)
		rc = place_prepare(&k, j,
			"INSERT INTO used (server, database, type, name, source, last) VALUES (?, ?, ?, ?, ?, ?)"
			" ON CONFLICT DO UPDATE SET last = max(last, excluded.last)",
			s->server, s->database);
	for (size_t i = 0; i < s->n_uses && !rc; i++) {
		const struct sample_use *u = &s->uses[i];
		const char *const texts[] = {u->type, u->name, u->source};

		rc = row_put(j, k, texts, 3, &u->last, 1);
	}
	return rc;
}

#define TEXT_OF(number)	    #number
#define NUMBER_TEXT(number) TEXT_OF(number)

static int tallies_put(struct journal *j, const struct sample *s)
{
	_cleanup_statement_ sqlite3_stmt *k = NULL;
	int rc = place_prepare(&k, j,
		"INSERT INTO tally (server, database, at, red, yellow, green, undecided, keep, replace, gone, remaining)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		s->server, s->database);

	for (size_t i = 0; i < s->n_tallies && !rc; i++) {
		const struct sample_tally *t = &s->tallies[i];
		const int64_t numbers[] = {t->at, (int64_t)t->red, (int64_t)t->yellow,
			(int64_t)t->green, (int64_t)t->undecided, (int64_t)t->keep,
			(int64_t)t->replace, (int64_t)t->drop, (int64_t)t->left};

		rc = row_put(j, k, NULL, 0, numbers, ARRAY_SIZE(numbers));
	}
	return rc ? rc
		  : place_run(j,
			    "DELETE FROM tally WHERE server = ?1 AND database = ?2 AND at <= (SELECT at FROM tally"
			    " WHERE server = ?1 AND database = ?2 ORDER BY at DESC LIMIT 1 OFFSET " NUMBER_TEXT(
				    SAMPLE_TALLIES_MAX) ")",
			    s, 0);
}

int sample_put(struct journal *j, const struct sample *s)
{
	if (s->n_uses > SAMPLE_USES_MAX)
		return -EINVAL;
	int rc = state_begin(j);

	if (rc)
		return rc;
	rc = watches_put(j, s);
	if (!rc)
		rc = uses_put(j, s);
	if (!rc)
		rc = tallies_put(j, s);
	if (!rc)
		rc = sample_seal(j, s, s->at);
	return transaction_end(j, rc);
}

int sample_decide(struct journal *j, const struct sample *s)
{
	_cleanup_statement_ sqlite3_stmt *k = NULL;
	int rc = state_begin(j);

	if (rc)
		return rc;
	rc = place_run(j, "DELETE FROM decided WHERE server = ? AND database = ?", s, 0);
	if (!rc)
		rc = place_prepare(&k, j,
			"INSERT INTO decided (server, database, type, name, decision, replacement, owner, due, note)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			s->server, s->database);
	for (size_t i = 0; i < s->n_decisions && !rc; i++) {
		const struct sample_decision *d = &s->decisions[i];
		const char *const texts[] = {
			d->type, d->name, d->decision, d->replacement, d->owner, d->due, d->note};

		rc = row_put(j, k, texts, ARRAY_SIZE(texts), NULL, 0);
	}
	if (!rc)
		rc = sample_seal(j, s, 0);
	return transaction_end(j, rc);
}

/* Finds a database whose rows differ from those that were saved. */
int samples_verify(char why[256], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step = SQLITE_DONE, rc = 0;

	if (j->version < SAMPLES_VERSION)
		return 0;
	rc = database_prepare(&s, j,
		"SELECT p.server, p.database, s.digest FROM (SELECT server, database FROM watched UNION"
		" SELECT server, database FROM used UNION SELECT server, database FROM tally UNION"
		" SELECT server, database FROM decided UNION SELECT server, database FROM sampled) AS p"
		" LEFT JOIN sampled AS s ON s.server = p.server AND s.database = p.database");
	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		uint8_t digest[JOURNAL_HASH_SIZE];
		const char *server = (const char *)sqlite3_column_text(s, 0);
		const char *database = (const char *)sqlite3_column_text(s, 1);

		rc = sample_digest(digest, j, server, database);
		if (!rc &&
			(sqlite3_column_bytes(s, 2) != sizeof(digest) ||
				memcmp(sqlite3_column_blob(s, 2), digest, sizeof(digest)) != 0)) {
			snprintf(why, 256,
				"the inventory's samples of %.90s / %.90s do not match those that were saved",
				server, database);
			return JOURNAL_BROKEN;
		}
	}
	return rc ? rc : database_error(j->db, step);
}
