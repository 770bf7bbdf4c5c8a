/* Reads the journal: history, open intents, and who had which access at a time. */
#include "journal/database.h"

#include "curfew/comment.h"

#include <errno.h>
#include <string.h>

/* Rows that are copied before they are passed on. */
#define PAGE_ROWS 256

static int kind_parse(const char *name)
{
	for (int k = JOURNAL_INTENT; k <= JOURNAL_STATE; k++)
		if (name && streq(name, journal_kind_name((enum journal_kind)k)))
			return k;
	return JOURNAL_EVENT;
}

void record_read(struct journal_entry *out, sqlite3_stmt *s)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n_record_columns; i++) {
		char *field = (char *)out + record_columns[i].offset;
		const char *text = (const char *)sqlite3_column_text(s, (int)i);
		int64_t number = sqlite3_column_int64(s, (int)i);

		switch (record_columns[i].type) {
		case COLUMN_KIND:
			out->kind = (enum journal_kind)kind_parse(text);
			break;
		case COLUMN_TEXT:
			memcpy(field, &text, sizeof(text));
			break;
		case COLUMN_ID:
		case COLUMN_INSTANT:
			memcpy(field, &number, sizeof(number));
			break;
		}
	}
}

static void entry_free(struct journal_entry *e)
{
	for (size_t i = 0; i < n_record_columns; i++) {
		char *text;

		if (record_columns[i].type != COLUMN_TEXT)
			continue;
		memcpy(&text, (char *)e + record_columns[i].offset, sizeof(text));
		free(text);
	}
}

/* Copies the row with its strings. */
static int entry_copy(struct journal_entry *out, sqlite3_stmt *s)
{
	struct journal_entry copy;
	int rc = 0;

	record_read(&copy, s);
	for (size_t i = 0; i < n_record_columns; i++) {
		char *text = NULL;

		if (record_columns[i].type != COLUMN_TEXT)
			continue;
		if (!rc)
			rc = column_text(&text, s, (int)i);
		memcpy((char *)&copy + record_columns[i].offset, &text, sizeof(text));
	}
	if (rc)
		entry_free(&copy);
	else
		*out = copy;
	return rc;
}

int record_deliver(int64_t *last, size_t *n, struct journal *j, sqlite3_stmt *s, journal_fn each,
	void *context)
{
	struct journal_entry *rows = NULL;
	size_t count = 0;
	int rc = 0, step;

	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct journal_entry *row = ARRAY_MORE(rows, count);

		rc = row ? entry_copy(row, s) : -ENOMEM;
		if (rc)
			break;
	}
	if (!rc)
		rc = database_error(j->db, step);
	sqlite3_reset(s);
	for (size_t i = 0; i < count; i++) {
		if (!rc) {
			*last = rows[i].id;
			rc = each(context, &rows[i]);
		}
		entry_free(&rows[i]);
	}
	free(rows);
	*n = count;
	return rc;
}

static int bind_filter(sqlite3_stmt *s, const struct journal_filter *f)
{
	int rc = bind_text(s, 3, f->client);

	if (!rc)
		rc = bind_text(s, 4, f->login);
	if (!rc)
		rc = sqlite3_bind_int64(s, 5, f->has_from ? f->from : INT64_MIN);
	if (!rc && f->has_to)
		rc = sqlite3_bind_int64(s, 6, f->to);
	if (!rc)
		rc = bind_text(
			s, 7, f->kind < 0 ? NULL : journal_kind_name((enum journal_kind)f->kind));
	if (!rc)
		rc = bind_text(s, 9, f->action);
	return rc;
}

/* names(detail, client, login): records about an nft element are found by the users that its comment names. */
static void names_function(sqlite3_context *context, int n, sqlite3_value **values)
{
	const char *comment = (const char *)sqlite3_value_text(values[0]);

	(void)n;
	sqlite3_result_int(context,
		comment && comment_names(comment, (const char *)sqlite3_value_text(values[1]),
				   (const char *)sqlite3_value_text(values[2])));
}

int functions_define(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "names", 3,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, names_function, NULL,
		NULL, NULL);
}

#define RECORD_CONCERNS(r)                                                                         \
	"((?3 IS NULL OR " r ".client = ?3 COLLATE NOCASE) AND (?4 IS NULL OR " r                  \
	".login = ?4 COLLATE NOCASE)"                                                              \
	" OR " r ".server = '" JOURNAL_NETWORK "' AND names(" r ".detail, ?3, ?4))"

#define INTENDED_AT "coalesce((SELECT i.at FROM record i WHERE i.id = record.intent), at)"

int journal_read(struct journal *j, const struct journal_filter *f, journal_fn each, void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct link head;
	int64_t last = 0;
	size_t n = 0;
	int step;
	int rc = database_prepare(&s, j,
		"SELECT " RECORD_COLUMNS " FROM record WHERE id > ?1 AND id <= ?2"
		/* An outcome is of the time of its intent, or a change that ended later would seem unfinished. */
		" AND " INTENDED_AT " >= ?5 AND (?6 IS NULL OR " INTENDED_AT " < ?6)"
		" AND CASE WHEN ?7 IS NULL THEN kind <> 'state' ELSE kind = ?7 END"
		" AND (?9 IS NULL OR action = ?9)"
		/* An outcome belongs to the client and login of its intent. */
		" AND (" RECORD_CONCERNS(
			"record") " OR EXISTS (SELECT 1 FROM record i"
				  " WHERE i.id = record.intent AND " RECORD_CONCERNS(
					  "i") "))"
					       " ORDER BY id LIMIT ?8");

	/* Records that are written meanwhile, perhaps by `each`, are not read. */
	if (!rc)
		rc = chain_head(&head, j);
	if (rc)
		return rc;
	do {
		step = sqlite3_bind_int64(s, 1, last);
		if (!step)
			step = sqlite3_bind_int64(s, 2, head.id);
		if (!step)
			step = bind_filter(s, f);
		if (!step)
			step = sqlite3_bind_int(s, 8, PAGE_ROWS);
		rc = step ? database_error(j->db, step)
			  : record_deliver(&last, &n, j, s, each, context);
	} while (!rc && n == PAGE_ROWS);
	return rc;
}

int journal_access_was_given(bool *out, struct journal *j, const char *server, const char *database)
{
	char *found = NULL;
	int rc = database_text(&found, j,
		"SELECT level FROM record WHERE kind = 'access' AND server = ? AND database = ? COLLATE NOCASE"
		" AND level <> 'none' LIMIT 1",
		(const char *[]){server, database}, 2);

	struct link anchor = {0};
	instant_t archived;
	if (!rc && !found)
		rc = chain_anchor(&anchor, &archived, j);
	/* An archive has the records of access that ended before it, and this file has nothing of them. */
	if (!rc)
		*out = found || anchor.id;
	free(found);
	return rc;
}

static int name_exists(bool *out, struct journal *j, const char *query, const char *name)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j, query);

	if (rc)
		return rc;
	int step = bind_text(s, 1, name);
	if (!step)
		step = sqlite3_step(s);
	rc = step == SQLITE_ROW ? 0 : database_error(j->db, step);
	if (!rc)
		*out = step == SQLITE_ROW;
	return rc;
}

int journal_has_client(bool *out, struct journal *j, const char *client)
{
	return name_exists(out, j,
		"SELECT 1 FROM record WHERE kind = 'access' AND client = ? LIMIT 1", client);
}

int journal_has_name(bool *out, struct journal *j, enum journal_name what, const char *name)
{
	static const char *const queries[] = {
		[JOURNAL_CLIENT] = "SELECT 1 FROM record WHERE client = ? COLLATE NOCASE LIMIT 1",
		[JOURNAL_SERVER] = "SELECT 1 FROM record WHERE server = ? COLLATE NOCASE LIMIT 1",
		[JOURNAL_DATABASE] =
			"SELECT 1 FROM record WHERE database = ? COLLATE NOCASE LIMIT 1"};

	return name_exists(out, j, queries[what], name);
}

int journal_unfinished(struct journal *j, journal_fn each, void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int64_t last;
	size_t n;
	int rc = database_prepare(&s, j,
		"SELECT " RECORD_COLUMNS " FROM record WHERE kind = 'intent' AND NOT EXISTS ("
		" SELECT 1 FROM record o WHERE o.kind = 'outcome' AND o.intent = record.id) ORDER BY id");

	return rc ? rc : record_deliver(&last, &n, j, s, each, context);
}

int journal_bounds(instant_t *first, instant_t *last, struct journal *j)
{
	int64_t n, from = 0, to = 0;
	int rc = database_number(
		&n, j, "SELECT EXISTS (SELECT 1 FROM record WHERE kind <> 'state')", 0);

	if (!rc && !n)
		rc = -ENOENT;
	if (!rc)
		rc = database_number(
			&from, j, "SELECT min(at) FROM record WHERE kind <> 'state'", 0);
	if (!rc)
		rc = database_number(&to, j, "SELECT max(at) FROM record WHERE kind <> 'state'", 0);
	if (rc)
		return rc;
	*first = from;
	*last = to;
	return 0;
}
