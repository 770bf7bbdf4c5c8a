/* What is asked of the journal by a login's name, by which index, and what an auditor's view says of present access. */
#include "journal_fixture.h"

#include <time.h>

#include "curfew/clock_resets.h"
#include "curfew/state_tables.h"
#include "journal/schema.h"

/* The plans of the statements that ran, as SQLite explains them. */
struct plans {
	char *queries[8];
	size_t n;
};

static int statement_seen(unsigned type, void *context, void *statement, void *text)
{
	struct plans *p = context;

	(void)type;
	(void)text;
	assert_true(p->n < ARRAY_SIZE(p->queries));
	p->queries[p->n] = strdup(sqlite3_sql(statement));
	assert_non_null(p->queries[p->n++]);
	return 0;
}

static void assert_plan(struct journal *j, const char *query, const char *wanted)
{
	char explain[1024];
	sqlite3_stmt *s;
	size_t steps = 0;

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", query);
	assert_int_equal(sqlite3_prepare_v2(j->db, explain, -1, &s, NULL), SQLITE_OK);
	for (; sqlite3_step(s) == SQLITE_ROW; steps++)
		if (!strstr((const char *)sqlite3_column_text(s, 3), wanted))
			fail_msg("%s: %s", query, sqlite3_column_text(s, 3));
	assert_int_equal(steps, 1); /* no sorting of what was found */
	sqlite3_finalize(s);
}

static void assert_client_at(
	struct journal *j, const char *login, const char *database, const char *client)
{
	char *found = NULL;

	assert_int_equal(journal_client_of(&found, j, "sql07", login, database), 0);
	if (client)
		assert_string_equal(found, client);
	else
		assert_null(found);
	free(found);
}

static void assert_client(struct journal *j, const char *login, const char *client)
{
	assert_client_at(j, login, NULL, client);
}

/* Each question by a login's name finds its rows by an index, also where it finds nothing. */
static void test_each_question_has_its_index(void **state)
{
	struct fixture *f = *state;
	struct plans p = {0};
	char *person = NULL;
	bool given = true, has = true;
	static const char *const wanted[] = {
		"USING INDEX record_access_login (server=? AND login=?)",
		"USING INDEX record_login_client (server=? AND login=?)",
		"USING INDEX record_access_login (server=? AND login=?)",
		"USING INDEX record_access_login (server=?)",
		"(link=?)",
		"USING INDEX record_client (client=?)",
	};

	sqlite3_trace_v2(f->j->db, SQLITE_TRACE_STMT, statement_seen, &p);
	assert_client(f->j, "acme.jane", NULL);
	assert_int_equal(journal_person_of(&person, f->j, "sql07", "acme.jane"), 0);
	assert_null(person);
	assert_int_equal(journal_access_was_given(&given, f->j, "sql07", "AcmeProd"), 0);
	assert_false(given);
	assert_int_equal(journal_has_client(&has, f->j, "acme"), 0);
	assert_false(has);
	sqlite3_trace_v2(f->j->db, 0, NULL, NULL);
	assert_int_equal(p.n, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < p.n; i++) {
		assert_plan(f->j, p.queries[i], wanted[i]);
		free(p.queries[i]);
	}
}

/* The last access decides, by its time; without one the last record; a login's case does not count. */
static void test_client_of(void **state)
{
	struct fixture *f = *state;

	write_access(f->j, "acme", "x.jane", "d", LEVEL_FULL, 20, 100);
	write_access(f->j, "beta", "X.Jane", "d", LEVEL_NONE, 10, 0);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT,
					 .at = 30,
					 .client = "gamma",
					 .server = "sql07",
					 .login = "x.jane"}),
		0);
	assert_client(f->j, "X.JANE", "acme");
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT,
					 .client = "gamma",
					 .server = "sql07",
					 .login = "x.bo"}),
		0);
	assert_client(f->j, "X.Bo", "gamma");
}

/* A person works for two clients by one login. That the access of one ended says nothing of the other's database. */
static void test_client_of_a_database(void **state)
{
	struct fixture *f = *state;

	write_access(f->j, "beta", "jane", "BetaTest", LEVEL_FULL, 10, 100);
	write_access(f->j, "acme", "jane", "AcmeTest", LEVEL_FULL, 20, 100);
	write_access(f->j, "acme", "jane", "AcmeTest", LEVEL_NONE, 30, 0);
	assert_client(f->j, "jane", "acme");
	assert_client_at(f->j, "jane", "betatest", "beta");
	assert_client_at(f->j, "jane", "AcmeTest", "acme");
	/* No record is about it: the login's own decide. */
	assert_client_at(f->j, "jane", "Other", "acme");
}

static int place_count(void *n, const char *server, const char *login, const char *database)
{
	assert_string_equal(server, "sql07");
	assert_string_equal(login, "jane");
	assert_string_equal(database, "D");
	++*(size_t *)n;
	return 0;
}

static void assert_places(struct journal *j, const char *client, size_t expected)
{
	size_t n = 0;

	assert_int_equal(journal_client_places(j, client, place_count, &n), 0);
	assert_int_equal(n, expected);
}

static void person_write(struct journal *j, const char *client, const char *person, instant_t at)
{
	assert_int_equal(journal_write(NULL, j,
				 &(struct journal_entry){.kind = JOURNAL_ACCESS,
					 .client = client,
					 .login = "jane",
					 .server = "sql07",
					 .database = "D",
					 .level = "full",
					 .before = person,
					 .at = at}),
		0);
}

/* What a clock recorded that was ahead came before what was recorded behind its correction, and after what was before it. */
static void test_client_of_after_a_correction(void **state)
{
	struct fixture *f = *state;
	char *person = NULL;

	person_write(f->j, "acme", "Jane", 10);
	person_write(f->j, "beta", "Bob", 5000);
	person_write(f->j, "gamma", "Eve", 4000);
	assert_client(f->j, "jane", "beta");
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT,
					 .at = 5000,
					 .action = CLOCK_RESET,
					 .detail = CLOCK_RESET_DETAIL "50, was 5000"}),
		0);
	assert_client(f->j, "jane", "gamma");
	assert_places(f->j, "beta", 0);
	assert_places(f->j, "gamma", 1);
	person_write(f->j, "delta", "Ann", 60);
	assert_client_at(f->j, "jane", "D", "delta");
	assert_places(f->j, "gamma", 0);
	assert_places(f->j, "delta", 1);
	assert_int_equal(journal_person_of(&person, f->j, "sql07", "Jane"), 0);
	assert_string_equal(person, "Ann");
	free(person);
}

/* The last version without the indexes. */
#define BEFORE 5

/* A file of the version before gets the indexes and the view, and stays whole; one that is only read is used as it is. */
static void test_upgrade(void **state)
{
	struct fixture *f = *state;
	uint8_t before[JOURNAL_HASH_SIZE];
	struct journal_options o = {.path = f->path, .read_only = true};
	int64_t id;
	static const char *const counts[] = {
		"SELECT count(*) FROM sqlite_schema WHERE name LIKE 'record_%login%'",
		"SELECT count(*) FROM pragma_table_info('v_access_now') WHERE name = 'state'"};

	journal_close(f->j);
	sqlite3 *db;
	unlink(f->path);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	struct journal j = {.path = f->path, .version = BEFORE, .db = db};
	assert_int_equal(functions_define(db), SQLITE_OK);
	for (int v = 1; v <= BEFORE; v++)
		assert_int_equal(database_execute(&j, schema_steps[v - 1]), 0);
	assert_int_equal(
		database_execute(&j, "PRAGMA application_id = 0x43524657; PRAGMA user_version = 5"),
		0);
	assert_int_equal(chain_create(&j), 0);
	write_access(&j, "acme", "x.jane", "d", LEVEL_FULL, 20, 100);
	assert_int_equal(journal_head(before, &id, &j), 0);
	database_keep_nothing(&j);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	for (int upgraded = 0; upgraded < 2; upgraded++) {
		bool holds = false;

		o.read_only = !upgraded;
		assert_int_equal(journal_open(&f->j, &o), 0);
		assert_verifies(f->j);
		assert_client(f->j, "X.Jane", "acme");
		assert_int_equal(journal_holds(&holds, f->j, before, id), 0);
		assert_true(holds);
		assert_int_equal(sql_number(f->path, "PRAGMA user_version"),
			upgraded ? SCHEMA_VERSION : BEFORE);
		assert_int_equal(sql_number(f->path, counts[0]), upgraded ? 2 : 0);
		assert_int_equal(sql_number(f->path, counts[1]), upgraded);
		if (!upgraded)
			journal_close(f->j);
	}
}

static void write_now(struct journal *j, const char *login, const char *level, const char *outcome,
	instant_t at, instant_t until)
{
	assert_int_equal(journal_write(NULL, j,
				 &(struct journal_entry){.kind = JOURNAL_ACCESS,
					 .client = "acme",
					 .login = login,
					 .server = "sql07",
					 .database = "d",
					 .level = level,
					 .at = at,
					 .until = until,
					 .outcome = outcome,
					 .sources = "203.0.113.7"}),
		0);
}

/* Who opens the file with sqlite3 sees whose end has come without anybody having seen the access gone. */
static void test_the_view_of_present_access(void **state)
{
	struct fixture *f = *state;
	instant_t now = (instant_t)time(NULL), day = 86400;
	static const char *const one[] = {
		"login = 'in' AND state = 'verified' AND level = 'full'",
		("login = 'late' AND state = 'overdue' AND level = 'full'"
		 " AND until > '2001' AND until < strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"),
		"login = 'more' AND state = 'excess' AND level = 'none' AND until IS NULL",
		"login = 'old' AND state IS NULL",
	};
	char query[400];

	write_now(f->j, "in", "full", "verified", now - day, now + day);
	write_now(f->j, "late", "full", "verified", now - 2 * day, now - day);
	write_now(f->j, "more", "none", "excess", now - day, 0);
	write_now(f->j, "gone", "full", "verified", now - 2 * day, now - day);
	write_now(f->j, "gone", "none", "verified", now - day + 5, 0);
	write_now(f->j, "coming", "full", "verified", now + day, now + 2 * day);
	write_now(f->j, "old", "read-only", NULL, now - day, now + day);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM v_access_now"), ARRAY_SIZE(one));
	for (size_t i = 0; i < ARRAY_SIZE(one); i++) {
		snprintf(
			query, sizeof(query), "SELECT count(*) FROM v_access_now WHERE %s", one[i]);
		if (sql_number(f->path, query) != 1)
			fail_msg("no such row: %s", one[i]);
	}
}

static void assert_actor(struct journal *j, const char *login, const char *expected)
{
	_cleanup_free_ char *actor = override_actor(j, "acme", login);

	if (expected)
		assert_string_equal(actor, expected);
	else
		assert_null(actor);
}

/* Who revokes again changes nothing, and an archive carries the revocation over with its operator. */
static void test_who_revoked(void **state)
{
	struct fixture *f = *state;
	const struct journal_filter events = {.client = "acme", .kind = JOURNAL_EVENT};
	struct collected got = {0};
	char path[300];

	assert_actor(NULL, NULL, NULL);
	assert_int_equal(
		override_add(f->j, "acme", "acme.jane.doe", 10, "alice", "lost laptop"), 0);
	assert_int_equal(override_add(f->j, "acme", "acme.jane.doe", 20, "bob", "left"), 0);
	assert_actor(f->j, "ACME.jane.doe", "alice");
	assert_actor(f->j, "acme.john.roe", NULL);
	assert_actor(f->j, NULL, NULL);
	snprintf(path, sizeof(path), "%s.old", f->path);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	assert_verifies(f->j);
	assert_actor(f->j, "acme.jane.doe", "alice");
	assert_int_equal(journal_read(f->j, &events, collect, &got), 0);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.items[0].actor, "alice");
	collected_free(&got);
	assert_int_equal(override_remove(f->j, "acme", "acme.jane.doe", 60, "alice", "found"), 0);
	assert_actor(f->j, "acme.jane.doe", NULL);
	unlink(path);
}

/* The records of access that ended are in the archive alone. */
static void test_an_archive_may_tell_of_access(void **state)
{
	struct fixture *f = *state;
	char path[300];
	bool given = true;

	write_access(f->j, "acme", "acme.jane.doe", "AcmeProd", LEVEL_FULL, 10, 20);
	write_access(f->j, "acme", "acme.jane.doe", "AcmeProd", LEVEL_NONE, 20, 20);
	assert_int_equal(journal_access_was_given(&given, f->j, "sql07", "AcmeTest"), 0);
	assert_false(given);
	assert_int_equal(journal_access_was_given(&given, f->j, "sql07", "AcmeProd"), 0);
	assert_true(given);
	snprintf(path, sizeof(path), "%s.old", f->path);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	given = false;
	assert_int_equal(journal_access_was_given(&given, f->j, "sql07", "AcmeProd"), 0);
	assert_true(given);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_each_question_has_its_index),
		WITH_JOURNAL(test_client_of),
		WITH_JOURNAL(test_client_of_a_database),
		WITH_JOURNAL(test_client_of_after_a_correction),
		WITH_JOURNAL(test_who_revoked),
		WITH_JOURNAL(test_an_archive_may_tell_of_access),
		WITH_JOURNAL(test_upgrade),
		WITH_JOURNAL(test_the_view_of_present_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
