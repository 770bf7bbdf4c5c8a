/* The chain: whatever is done to the file behind our back is noticed, and the first broken record named. */
#include "journal_fixture.h"

#include "curfew/state_tables.h"

static void copy_file(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

/* Runs `statement` on a copy; the first broken record must be `expected` (-1: any). */
static void assert_noticed(const struct fixture *f, const uint8_t *k, const char *statement,
	int64_t expected, const char *words)
{
	char path[300], why[256] = "", all[1024];
	struct journal *j;
	int64_t first = -2;

	snprintf(path, sizeof(path), "%s.copy", f->path);
	copy_file(f->path, path);
	/* The triggers are no hindrance to somebody who means it, and their lack is noticed by itself: so
	 * put them back, to see that the chain notices too. */
	snprintf(all, sizeof(all),
		"CREATE TEMP TABLE t AS SELECT name, sql FROM sqlite_schema WHERE type = 'trigger';"
		"PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger';"
		"PRAGMA writable_schema = RESET; %s;",
		statement);
	sqlite3 *db;
	char *error = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
	if (sqlite3_exec(db, all, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", statement, error);
	if (!sqlite3_total_changes(db))
		fail_msg("changed nothing: %s", statement);
	sqlite3_stmt *s;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT sql FROM temp.t", -1, &s, NULL), SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW)
		assert_int_equal(
			sqlite3_exec(db, (const char *)sqlite3_column_text(s, 0), NULL, NULL, NULL),
			SQLITE_OK);
	sqlite3_finalize(s);
	sqlite3_close(db);
	assert_int_equal(
		journal_open(
			&j, &(struct journal_options){.path = path, .key = k, .read_only = true}),
		0);
	if (journal_verify(&first, why, j) != JOURNAL_BROKEN)
		fail_msg("not noticed: %s", statement);
	if (expected >= 0 && first != expected)
		fail_msg("%s: record %lld named instead of %lld (%s)", statement, (long long)first,
			(long long)expected, why);
	if (words && !strstr(why, words))
		fail_msg("%s: says \"%s\", not \"%s\"", statement, why, words);
	journal_close(j);
	unlink(path);
}

/* The columns come from the table itself: a new one cannot be forgotten. */
static void assert_every_column_noticed(const struct fixture *f, const uint8_t *k)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	int columns = 0;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(
			db, "SELECT name, type FROM pragma_table_info('record')", -1, &s, NULL),
		SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(s, 0);
		const char *type = (const char *)sqlite3_column_text(s, 1);
		char value[200], statement[400];

		columns++;
		if (!strcmp(name, "id")) {
			assert_noticed(
				f, k, "UPDATE record SET id = 99 WHERE id = 16", 16, "missing");
			continue;
		}
		if (!strcmp(name, "kind")) {
			assert_noticed(f, k, "UPDATE record SET kind = 'proof' WHERE id = 6", 6,
				"altered");
			continue;
		}
		for (int64_t id = 5; id <= 8; id++) {
			/* NULL becomes empty or 0, and a value something else. */
			if (!strcmp(type, "INTEGER"))
				snprintf(value, sizeof(value), "ifnull(%s + 1, 0)", name);
			else if (!strcmp(type, "BLOB"))
				snprintf(value, sizeof(value), "zeroblob(32)");
			else
				snprintf(value, sizeof(value),
					"CASE %s WHEN '' THEN NULL ELSE ifnull(%s || 'x', '') END",
					name, name);
			snprintf(statement, sizeof(statement),
				"UPDATE record SET %s = %s WHERE id = %lld", name, value,
				(long long)id);
			assert_noticed(f, k, statement, id, "altered");
		}
	}
	sqlite3_finalize(s);
	sqlite3_close(db);
	assert_int_equal(columns, (int)n_record_columns + 2);
}

static void test_every_column_unkeyed(void **state)
{
	struct fixture *f = *state;

	fixture_fill(f->j);
	assert_verifies(f->j);
	assert_every_column_noticed(f, NULL);
}

static void test_every_column_keyed(void **state)
{
	struct fixture *f = *state;

	fixture_keyed(f);
	fixture_fill(f->j);
	assert_verifies(f->j);
	assert_every_column_noticed(f, fixture_key);
}

static void assert_structure_noticed(const struct fixture *f, const uint8_t *k)
{
	assert_noticed(f, k, "DELETE FROM record WHERE id = 7", 7, "record 7 is missing");
	assert_noticed(f, k, "DELETE FROM record WHERE id = 1", 1, "record 1 is missing");
	assert_noticed(f, k, "DELETE FROM record WHERE id < 4", 1, "record 1 is missing");
	assert_noticed(f, k, "DELETE FROM record WHERE id > 14", 15,
		"record 15 and all later ones are missing");
	assert_noticed(f, k, "DELETE FROM record", 1, "missing");
	/* Swapped: first and second place exchanged. */
	assert_noticed(f, k,
		"UPDATE record SET id = 1000 WHERE id = 7; UPDATE record SET id = 7 WHERE id = 8;"
		"UPDATE record SET id = 8 WHERE id = 1000",
		7, "moved");
	/* Inserted: at the end, in the middle (all others moved up), at the beginning. */
	assert_noticed(f, k,
		"INSERT INTO record SELECT 17, kind, at, intent, actor, reason, phase, client, login, server,"
		" database, action, statement, before, after, outcome, detail, level, sources, until,"
		" configuration, previous, hash FROM record WHERE id = 16",
		17, NULL);
	assert_noticed(f, k,
		"UPDATE record SET id = -id WHERE id > 6; UPDATE record SET id = 1 - id WHERE id < 0;"
		"INSERT INTO record SELECT 7, kind, at, intent, actor, reason, phase, client, login, server,"
		" database, action, statement, before, after, outcome, detail, level, sources, until,"
		" configuration, previous, hash FROM record WHERE id = 6",
		7, NULL);
	assert_noticed(f, k, "UPDATE record SET id = 0 WHERE id = 16", 0, "before the beginning");
	/* Cut off in front, and the anchor moved to match. */
	assert_noticed(f, k,
		"UPDATE chain SET id = 4, hash = (SELECT hash FROM record WHERE id = 4) WHERE link = 'anchor';"
		"DELETE FROM record WHERE id <= 4",
		-1, "anchor was altered");
	/* Cut off behind, and the head moved to match: without the key its seal cannot be made. */
	assert_noticed(f, k,
		"UPDATE chain SET id = 12, hash = (SELECT hash FROM record WHERE id = 12) WHERE link = 'head';"
		"DELETE FROM record WHERE id > 12",
		13, "head was altered");
	assert_noticed(f, k, "UPDATE chain SET at = 5 WHERE link = 'anchor'", -1, "anchor");
	assert_noticed(f, k, "UPDATE chain SET at = 5 WHERE link = 'head'", -1, "head");
	assert_noticed(
		f, k, "UPDATE chain SET seal = zeroblob(32) WHERE link = 'head'", -1, "head");
	assert_noticed(f, k, "DELETE FROM chain WHERE link = 'head'", -1, "head is missing");
	/* The definitions: a view that lies, a column nobody hashes. */
	assert_noticed(f, k,
		"DELETE FROM proved; DROP VIEW v_access; UPDATE chain SET at = at;"
		"CREATE VIEW v_access AS SELECT 1 AS id",
		-1, "v_access");
	assert_noticed(f, k, "UPDATE chain SET at = at; ALTER TABLE record ADD COLUMN extra TEXT",
		-1, "record");
	/* A trigger and an index, by names that resemble SQLite's own or are. */
	assert_noticed(f, k,
		"UPDATE chain SET at = at; CREATE TRIGGER sqlitewatch AFTER INSERT ON verification"
		" BEGIN DELETE FROM override; END",
		-1, "sqlitewatch");
	assert_noticed(f, k,
		"PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_x',"
		" 'verification', 0, 'CREATE TRIGGER sqlite_x AFTER INSERT ON verification"
		" BEGIN DELETE FROM override; END'); PRAGMA writable_schema = RESET",
		-1, "sqlite_x");
	assert_noticed(f, k,
		"UPDATE chain SET at = at; CREATE UNIQUE INDEX sqlitewatch ON override (client)",
		-1, "sqlitewatch");
}

static void test_structure(void **state)
{
	struct fixture *f = *state;

	fixture_fill(f->j);
	assert_structure_noticed(f, NULL);
	fixture_keyed(f);
	fixture_fill(f->j);
	assert_structure_noticed(f, fixture_key);
}

static void test_dropped_trigger_is_noticed(void **state)
{
	struct fixture *f = *state;
	int64_t first;
	char why[256];

	fixture_fill(f->j);
	sql(f->path, "DROP TRIGGER record_no_update");
	assert_int_equal(journal_verify(&first, why, f->j), JOURNAL_BROKEN);
	assert_non_null(strstr(why, "record_no_update"));
}

/* Who writes the file without the key has no statement run by the process that has it. */
static void test_planted_trigger_does_nothing(void **state)
{
	struct fixture *f = *state;
	const struct verified v = {.server = "sql07",
		.login = "acme_jane",
		.database = "AcmeProd",
		.level = LEVEL_READ_ONLY,
		.result = VERIFICATION_EXCESS,
		.at = 100};
	struct verified_list list;

	sql(f->path, "CREATE TRIGGER planted AFTER INSERT ON verification BEGIN"
		     " UPDATE verification SET result = 'verified'; END");
	assert_int_equal(verified_save(f->j, &v), 0);
	assert_int_equal(verified_load(&list, f->j), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].result, VERIFICATION_EXCESS);
	verified_list_free(&list);
}

/* A view in place of the table could leave rows out. */
static void test_view_in_place_of_a_table_is_not_read(void **state)
{
	struct fixture *f = *state;
	struct overrides list;

	assert_int_equal(override_add(f->j, "acme", NULL, 100, "root", "lost laptop"), 0);
	sql(f->path, "ALTER TABLE override RENAME TO hidden;"
		     " CREATE VIEW override AS SELECT * FROM hidden WHERE client <> 'acme'");
	assert_int_not_equal(override_read(&list, f->j), 0);
}

static void test_head(void **state)
{
	struct fixture *f = *state;
	uint8_t a[JOURNAL_HASH_SIZE], b[JOURNAL_HASH_SIZE];
	int64_t id;

	assert_int_equal(journal_head(a, &id, f->j), 0);
	assert_int_equal(id, 0);
	write_intent(f->j, "acme", 1);
	assert_int_equal(journal_head(b, &id, f->j), 0);
	assert_int_equal(id, 1);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Neighbouring columns whose texts run together differently are different records. */
static void test_encoding_is_unambiguous(void **state)
{
	struct fixture *f = *state;

	write_intent(f->j, "acme", 1);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){
					 .kind = JOURNAL_EVENT, .client = "ab", .login = "c"}),
		0);
	assert_noticed(
		f, NULL, "UPDATE record SET client = 'a', login = 'bc' WHERE id = 2", 2, "altered");
	assert_noticed(f, NULL, "UPDATE record SET client = NULL, login = 'abc' WHERE id = 2", 2,
		"altered");
	assert_noticed(f, NULL, "UPDATE record SET client = CAST(x'616200' AS TEXT) WHERE id = 2",
		2, "altered");
}

static void test_overrides_must_be_as_recorded(void **state)
{
	struct fixture *f = *state;
	char path[300];

	fixture_keyed(f);
	assert_int_equal(override_add(f->j, "acme", NULL, 10, "root", "a"), 0);
	assert_int_equal(override_remove(f->j, "acme", NULL, 20, "root", "b"), 0);
	assert_int_equal(override_add(f->j, "acme", NULL, 30, "root", "c"), 0);
	assert_int_equal(override_add(f->j, "acme", NULL, 40, "root", "again"), 0);
	assert_int_equal(override_add(f->j, "acme", "acme.jane", 50, "root", "d"), 0);
	assert_verifies(f->j);
	for (int archived = 0; archived < 2; archived++) {
		assert_noticed(
			f, fixture_key, "DELETE FROM override WHERE login IS NULL", 0, "acme");
		assert_noticed(f, fixture_key, "DELETE FROM override WHERE login IS NOT NULL", 0,
			"acme.jane");
		assert_noticed(f, fixture_key, "UPDATE override SET at = 31 WHERE login IS NULL", 0,
			"acme");
		assert_noticed(f, fixture_key,
			"UPDATE override SET login = 'x' WHERE login IS NOT NULL", 0, "acme");
		assert_noticed(f, fixture_key,
			"INSERT INTO override VALUES ('zenith', NULL, 1, 'x', 'y')", 0, "zenith");
		if (archived)
			break;
		write_intent(f->j, "acme", 100);
		snprintf(path, sizeof(path), "%s.archive", f->path);
		assert_int_equal(journal_archive(f->j, 60, path), 0);
		assert_verifies(f->j);
		unlink(path);
	}
	assert_int_equal(override_remove(f->j, "acme", NULL, 200, "root", "end"), 0);
	assert_verifies(f->j);
}

/* The first of two revocations is archived, and carried over behind the second: what is in force is its time. */
static void test_a_revocation_is_carried_behind_another(void **state)
{
	struct fixture *f = *state;
	char path[300];

	fixture_keyed(f);
	assert_int_equal(override_add(f->j, "acme", "acme.jane", 10, "root", "a"), 0);
	assert_int_equal(override_add(f->j, "acme", "acme.jane", 30, "root", "again"), 0);
	assert_verifies(f->j);
	for (int until = 20; until <= 40; until += 20) {
		snprintf(path, sizeof(path), "%s.archive", f->path);
		assert_int_equal(journal_archive(f->j, until, path), 0);
		assert_verifies(f->j);
		unlink(path);
		write_intent(f->j, "acme", 100);
	}
	assert_noticed(f, fixture_key, "UPDATE override SET at = 30", 0, "acme");
	assert_int_equal(override_remove(f->j, "acme", "acme.jane", 200, "root", "end"), 0);
	assert_int_equal(override_add(f->j, "acme", "acme.jane", 210, "root", "b"), 0);
	assert_verifies(f->j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_every_column_unkeyed),
		WITH_JOURNAL(test_every_column_keyed),
		WITH_JOURNAL(test_structure),
		WITH_JOURNAL(test_dropped_trigger_is_noticed),
		WITH_JOURNAL(test_planted_trigger_does_nothing),
		WITH_JOURNAL(test_view_in_place_of_a_table_is_not_read),
		WITH_JOURNAL(test_head),
		WITH_JOURNAL(test_encoding_is_unambiguous),
		WITH_JOURNAL(test_overrides_must_be_as_recorded),
		WITH_JOURNAL(test_a_revocation_is_carried_behind_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
