/* The journal's schema: created in a new file, upgraded in an older one, and compared with the definitions here. */
#include "journal/database.h"
#include "journal/schema.h"

#include <errno.h>
#include <string.h>

/* "CRFW", by which file(1) and Curfew recognize the file. */
#define APPLICATION_ID 0x43524657

static int schema_step(struct journal *j, int version)
{
	char pragma[64];
	int rc = database_execute(j, schema_steps[version - 1]);

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d;", version);
	return rc ? rc : database_execute(j, pragma);
}

static int schema_create(struct journal *j)
{
	char pragma[64];
	int rc;

	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d;", APPLICATION_ID);
	rc = database_execute(j, pragma);
	for (int v = 1; v <= SCHEMA_VERSION && !rc; v++)
		rc = schema_step(j, v);
	j->version = SCHEMA_VERSION;
	return rc ? rc : chain_create(j);
}

int schema_prepare(struct journal *j)
{
	int64_t application = 0, version = 0, objects = 0;
	int rc = 0;

	/* Under the write lock, so that only one of two processes creates the tables in an empty file. */
	if (!j->read_only && (rc = transaction_begin(j)) != 0)
		return rc;
	rc = database_number(&application, j, "PRAGMA application_id", 0);
	if (!rc)
		rc = database_number(&version, j, "PRAGMA user_version", 0);
	if (!rc)
		rc = database_number(&objects, j, "SELECT count(*) FROM sqlite_schema", 0);
	if (!rc && application == 0 && version == 0 && objects == 0)
		rc = j->read_only ? -ENOENT : schema_create(j);
	else if (!rc && application != APPLICATION_ID)
		rc = -EBADMSG;
	else if (!rc && (version < 1 || version > SCHEMA_VERSION))
		rc = -EPROTONOSUPPORT;
	else
		j->version = (int)version;
	return j->read_only ? rc : transaction_end(j, rc);
}

int schema_upgrade(struct journal *j)
{
	int64_t version;
	int rc;

	/* An archive is never changed, and a reader uses what exists. */
	if (j->read_only || j->closed || j->version == SCHEMA_VERSION)
		return 0;
	rc = transaction_begin(j);
	if (rc)
		return rc;
	/* Another process may have upgraded the file already. */
	rc = database_number(&version, j, "PRAGMA user_version", 0);
	for (int v = (int)version + 1; v <= SCHEMA_VERSION && !rc; v++)
		rc = schema_step(j, v);
	if (!rc)
		rc = baselines_seal(j);
	if (!rc)
		j->version = SCHEMA_VERSION;
	j->state_changed = true;
	return transaction_end(j, rc);
}

/* All of it: SQLite reserves the names that begin with sqlite_, but also loads those that were written around it. */
#define SCHEMA_LIST "SELECT type, name, ifnull(sql, '') FROM sqlite_schema ORDER BY type, name"

enum { SCHEMA_END = 2 };

/* Compares the next definition of each side. SCHEMA_END: both ended, without a difference. */
static int definition_compare(char why[256], sqlite3_stmt *ours, sqlite3_stmt *theirs)
{
	int a = sqlite3_step(ours), b = sqlite3_step(theirs), order = 0;
	const char *what = "changed";
	sqlite3_stmt *shown = theirs;

	if (a == SQLITE_DONE && b == SQLITE_DONE)
		return SCHEMA_END;
	if ((a != SQLITE_ROW && a != SQLITE_DONE) || (b != SQLITE_ROW && b != SQLITE_DONE))
		return database_error(sqlite3_db_handle(b == SQLITE_ROW ? ours : theirs),
			b == SQLITE_ROW ? a : b);
	/* Sort both sides by type and name. Then compare the definition. */
	for (int i = 0; i < 3 && !order && a == b; i++) {
		const char *x = (const char *)sqlite3_column_text(ours, i);
		const char *y = (const char *)sqlite3_column_text(theirs, i);

		if (!x || !y)
			return -ENOMEM;
		order = i == 2 && streq(y, schema_former_access) ? 0 : strcmp(x, y);
		if (!order && i == 2)
			return 0;
		if (order && i < 2)
			what = order < 0 ? "removed" : "added";
		if (order < 0 && i < 2)
			shown = ours;
	}
	if (a != b) {
		shown = a == SQLITE_ROW ? ours : theirs;
		what = a == SQLITE_ROW ? "removed" : "added";
	}
	snprintf(why, 256, "the file's own definitions were tampered with: %s \"%.100s\" was %s",
		sqlite3_column_text(shown, 0), sqlite3_column_text(shown, 1), what);
	return JOURNAL_BROKEN;
}

int schema_verify(char why[256], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *ours = NULL, *theirs = NULL;
	sqlite3 *model = NULL;
	int rc = sqlite3_open_v2(
		":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);

	for (int v = 1; v <= j->version && !rc; v++)
		rc = sqlite3_exec(model, schema_steps[v - 1], NULL, NULL, NULL);
	if (!rc)
		rc = sqlite3_prepare_v2(model, SCHEMA_LIST, -1, &ours, NULL);
	rc = rc ? database_error(model, rc) : database_prepare(&theirs, j, SCHEMA_LIST);
	while (!rc)
		rc = definition_compare(why, ours, theirs);
	if (rc == SCHEMA_END)
		rc = 0;
	statement_finalize(&ours);
	ours = NULL;
	sqlite3_close(model);
	return rc;
}
