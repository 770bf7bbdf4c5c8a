/* Writes one record. */
#include "journal/database.h"
#include "program/visible_text.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const char *const kinds[] = {
	[JOURNAL_INTENT] = "intent",
	[JOURNAL_OUTCOME] = "outcome",
	[JOURNAL_ACCESS] = "access",
	[JOURNAL_PROOF] = "proof",
	[JOURNAL_EVENT] = "event",
	[JOURNAL_STATE] = "state",
};

const char *journal_kind_name(enum journal_kind k)
{
	return (size_t)k < ARRAY_SIZE(kinds) ? kinds[k] : "unknown";
}

static const char *entry_text(const struct journal_entry *e, size_t offset)
{
	const char *text;

	memcpy(&text, (const char *)e + offset, sizeof(text));
	return text;
}

static int64_t entry_number(const struct journal_entry *e, size_t offset)
{
	int64_t number;

	memcpy(&number, (const char *)e + offset, sizeof(number));
	return number;
}

/* Columns that do not apply to this kind are NULL. */
static bool column_applies(const struct record_column *c, const struct journal_entry *e)
{
	if (c->offset == offsetof(struct journal_entry, intent))
		return e->kind == JOURNAL_OUTCOME;
	if (c->offset == offsetof(struct journal_entry, until))
		return e->kind == JOURNAL_ACCESS;
	return true;
}

static int column_bind(
	sqlite3_stmt *s, int n, const struct record_column *c, const struct journal_entry *e)
{
	const char *text;
	char *clean;

	if (!column_applies(c, e))
		return sqlite3_bind_null(s, n);
	if (c->type == COLUMN_ID || c->type == COLUMN_INSTANT)
		return sqlite3_bind_int64(s, n, entry_number(e, c->offset));
	text = c->type == COLUMN_KIND ? journal_kind_name(e->kind) : entry_text(e, c->offset);
	if (!text)
		return sqlite3_bind_null(s, n);
	if (strnlen(text, JOURNAL_TEXT_MAX + 1) > JOURNAL_TEXT_MAX)
		return SQLITE_TOOBIG;
	clean = text_clean(text);
	return clean ? sqlite3_bind_text(s, n, clean, -1, free) : SQLITE_NOMEM;
}

/* Computes the row without the file, so that the same code hashes rows that are written and rows that are read. */
static int record_compute(struct link *next, struct journal *j, const struct link *head,
	const struct journal_entry *e)
{
	_cleanup_kept_ sqlite3_stmt *row = NULL, *insert = NULL;
	int last = (int)n_record_columns, step = 0;
	struct journal_entry numbered = *e;
	int rc = database_keep(&row, j, KEPT_RECORD_ROW,
		"SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?");

	numbered.id = head->id + 1;
	if (!rc)
		rc = database_keep(&insert, j, KEPT_RECORD_INSERT,
			"INSERT INTO record (" RECORD_COLUMNS
			") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (rc)
		return rc;
	for (int i = 0; i < last && !step; i++)
		step = column_bind(row, i + 1, &record_columns[i], &numbered);
	if (!step)
		step = sqlite3_bind_blob(
			row, last + 1, head->hash, sizeof(head->hash), SQLITE_STATIC);
	if (!step && (step = sqlite3_step(row)) == SQLITE_ROW)
		step = 0;
	if (step)
		return step == SQLITE_TOOBIG  ? -E2BIG
		       : step == SQLITE_NOMEM ? -ENOMEM
					      : database_error(j->db, step);
	rc = record_hash(next->hash, j, row);
	if (rc)
		return rc;
	next->id = numbered.id;
	for (int i = 0; i <= last && !step; i++)
		step = sqlite3_bind_value(insert, i + 1, sqlite3_column_value(row, i));
	if (!step)
		step = sqlite3_bind_blob(
			insert, last + 2, next->hash, sizeof(next->hash), SQLITE_STATIC);
	return step ? database_error(j->db, step) : database_run(j, insert);
}

int journal_write(int64_t *id, struct journal *j, const struct journal_entry *e)
{
	struct link head, next = {0};
	int rc = transaction_begin(j);

	if (rc)
		return rc;
	rc = chain_head(&head, j);
	if (!rc && head.id == INT64_MAX)
		rc = -EOVERFLOW;
	if (!rc)
		rc = record_compute(&next, j, &head, e);
	if (!rc)
		rc = chain_set_head(j, &next);
	rc = transaction_end(j, rc);
	if (!rc && id)
		*id = next.id;
	return rc;
}
