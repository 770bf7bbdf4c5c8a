/* Which records the corrections of the clock refute, for queries. Passes ask for each of their records: the
 * corrections, which no index finds, are kept with the open journal. */
#include "journal/refuted.h"

#include <errno.h>

static void refuted_function(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct journal_entry e = {
		.id = sqlite3_value_int64(values[0]), .at = sqlite3_value_int64(values[1])};

	(void)n;
	sqlite3_result_int(context, clock_resets_refute(sqlite3_user_data(context), &e));
}

static void latest_function(sqlite3_context *context, int n, sqlite3_value **values)
{
	const struct journal_entry e = {
		.id = sqlite3_value_int64(values[0]), .at = sqlite3_value_int64(values[1])};

	(void)n;
	sqlite3_result_int64(context, clock_resets_latest(sqlite3_user_data(context), &e));
}

static int function_define(struct journal *j, const char *name,
	void (*function)(sqlite3_context *, int, sqlite3_value **))
{
	return sqlite3_create_function_v2(
		j->db, name, 2, SQLITE_UTF8, &j->resets, function, NULL, NULL, NULL);
}

static int reset_take(void *journal, const struct journal_entry *e)
{
	struct journal *j = journal;

	return clock_resets_take(&j->resets, e);
}

static int resets_read(struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int64_t last, head;
	size_t n;
	int step, rc = database_number(&head, j, "SELECT coalesce(max(id), 0) FROM record", 0);

	if (rc || head == j->resets_read)
		return rc;
	/* Read anew what was undone, or is another file's. */
	if (!j->resets_read || head < j->resets_read)
		j->resets.n = 0, j->resets_read = 0;
	rc = database_prepare(&s, j,
		"SELECT " RECORD_COLUMNS " FROM record WHERE id > ?1 AND id <= ?2"
		" AND kind = 'event' AND action = '" CLOCK_RESET "' ORDER BY id");
	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, j->resets_read);
	if (!step)
		step = sqlite3_bind_int64(s, 2, head);
	rc = step ? database_error(j->db, step) : record_deliver(&last, &n, j, s, reset_take, j);
	if (!rc)
		j->resets_read = head;
	return rc;
}

int refuted_begin(bool *any, struct journal *j)
{
	int rc = resets_read(j);

	if (!rc)
		rc = database_error(j->db, function_define(j, "refuted", refuted_function));
	if (!rc)
		rc = database_error(j->db, function_define(j, "latest", latest_function));
	*any = !rc && j->resets.n;
	return rc;
}

void refuted_end(struct journal *j)
{
	function_define(j, "refuted", NULL);
	function_define(j, "latest", NULL);
}
