/* Missing records: a loss is saved, and no access is granted until an operator accepts it. */
#include "curfew/calendar.h"
#include "journal/database.h"
#include "curfew/state_tables.h"

#include <errno.h>
#include <string.h>

/* The table says whether records are missing now, and the event from when, for as long as the journal is asked. */
static int loss_insert(struct journal *j, instant_t at, instant_t since, const char *why)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	char from[INSTANT_TEXT_MAX];
	const struct journal_entry noticed = {.kind = JOURNAL_EVENT,
		.at = at,
		.actor = "curfew",
		.action = LOSS_NOTICED,
		.before = since == LOSS_SINCE_UNKNOWN ? NULL : instant_format(from, since),
		.detail = why};
	int step,
		rc = database_prepare(&s, j,
			"INSERT INTO loss (one, at, why) VALUES (1, ?, ?) ON CONFLICT DO NOTHING");

	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, at);
	if (!step)
		step = bind_text(s, 2, why);
	rc = step ? database_error(j->db, step) : database_run(j, s);
	/* The first reason stays. */
	return rc || !sqlite3_changes(j->db) ? rc : journal_write(NULL, j, &noticed);
}

int loss_put(struct journal *j, instant_t at, instant_t since, const char *why)
{
	int rc = state_begin(j);

	return rc ? rc : transaction_end(j, loss_insert(j, at, since, why));
}

int loss_read(instant_t *at, char **why, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int step, rc;

	if (j->version < 2)
		return -ENOENT;
	rc = database_prepare(&s, j, "SELECT why, at FROM loss");
	if (rc)
		return rc;
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? -ENOENT : database_error(j->db, step);
	*at = sqlite3_column_int64(s, 1);
	return column_text(why, s, 0);
}

int loss_accept(struct journal *j, instant_t at, const char *actor, const char *reason)
{
	_cleanup_free_ char *why = NULL;
	instant_t since;
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = at,
		.actor = actor,
		.reason = reason,
		.action = LOSS_ACCEPTED,
		.outcome = "done"};
	int rc = loss_read(&since, &why, j);

	if (!rc)
		rc = state_begin(j);
	if (rc)
		return rc;
	e.detail = why;
	rc = database_execute(j, "DELETE FROM loss");
	if (!rc)
		rc = journal_write(NULL, j, &e);
	return transaction_end(j, rc);
}

int loss_was_accepted(bool *out, struct journal *j)
{
	int64_t n = 0;
	int rc = database_number(&n, j,
		"SELECT EXISTS (SELECT 1 FROM record WHERE kind = 'event' AND action = '" LOSS_ACCEPTED
		"')",
		0);

	*out = n != 0;
	return rc;
}

int loss_may_be_unnoticed(bool *out, struct journal *j)
{
	int64_t n = 0;
	bool accepted = false;
	int rc = database_number(&n, j,
		"SELECT EXISTS (SELECT 1 FROM ledger) OR EXISTS (SELECT 1 FROM proved)"
		" OR EXISTS (SELECT 1 FROM verification WHERE level <> 'none' OR result <> 'verified')",
		0);

	if (!rc)
		rc = loss_was_accepted(&accepted, j);
	*out = !rc && !n && !accepted;
	return rc;
}

int journal_holds(bool *out, struct journal *j, const uint8_t hash[JOURNAL_HASH_SIZE], int64_t id)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct link anchor;
	int step, rc = chain_anchor(&anchor, NULL, j);

	*out = false;
	if (rc)
		return rc;
	/* The record was archived by this journal, or is its original beginning. */
	if (id <= anchor.id) {
		*out = id < anchor.id || !memcmp(hash, anchor.hash, JOURNAL_HASH_SIZE);
		return 0;
	}
	rc = database_prepare(&s, j, "SELECT hash FROM record WHERE id = ?");
	if (rc)
		return rc;
	if ((step = sqlite3_bind_int64(s, 1, id)) != 0)
		return database_error(j->db, step);
	step = sqlite3_step(s);
	if (step != SQLITE_ROW)
		return step == SQLITE_DONE ? 0 : database_error(j->db, step);
	*out = sqlite3_column_bytes(s, 0) == JOURNAL_HASH_SIZE &&
	       !memcmp(sqlite3_column_blob(s, 0), hash, JOURNAL_HASH_SIZE);
	return 0;
}
