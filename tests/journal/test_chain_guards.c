/* What keeps the chain whole: nothing but appending, one key, and an archive that it goes on from. */
#include "journal_fixture.h"

#include <errno.h>

#include "curfew/state_tables.h"

static const uint8_t other_key[JOURNAL_KEY_SIZE] = {1, 2, 4};

static void assert_refused(const char *path, const char *statement)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, &error), SQLITE_CONSTRAINT);
	assert_string_equal(error, "the journal is append-only");
	sqlite3_free(error);
	sqlite3_close(db);
}

static void test_append_only(void **state)
{
	struct fixture *f = *state;

	fixture_fill(f->j);
	assert_refused(f->path, "UPDATE record SET reason = 'x' WHERE id = 3");
	assert_refused(f->path, "DELETE FROM record WHERE id = 3");
	assert_refused(f->path, "DELETE FROM record");
	assert_refused(f->path, "DELETE FROM chain");
	assert_refused(f->path, "INSERT INTO record (id, kind, at, previous, hash)"
				" VALUES (20, 'event', 1, zeroblob(32), zeroblob(32))");
	assert_verifies(f->j);
}

/* A record put in behind our back with the head left alone: we stop rather than write beside it. */
static void test_write_stops_at_a_strange_head(void **state)
{
	struct fixture *f = *state;

	fixture_fill(f->j);
	sql(f->path, "INSERT INTO record (id, kind, at, previous, hash)"
		     " VALUES (17, 'event', 1, zeroblob(32), zeroblob(32))");
	assert_int_equal(journal_write(NULL, f->j, &(struct journal_entry){.kind = JOURNAL_EVENT}),
		-EBADMSG);
}

static void test_keys(void **state)
{
	struct fixture *f = *state;
	struct journal *j = NULL;
	struct journal_options o = {.path = f->path, .key = fixture_key};
	int64_t first;
	char why[256];

	fixture_fill(f->j);
	/* Made without a key. */
	assert_int_equal(journal_open(&j, &o), -EKEYREJECTED);
	o.read_only = true;
	assert_int_equal(journal_open(&j, &o), -EKEYREJECTED);
	fixture_keyed(f);
	fixture_fill(f->j);
	o.key = other_key;
	assert_int_equal(journal_open(&j, &o), -EKEYREJECTED);
	o.key = NULL;
	assert_int_equal(journal_open(&j, &(struct journal_options){.path = f->path}), -ENOKEY);
	/* An auditor without the key reads, and cannot be told that all is well. */
	assert_int_equal(journal_open(&j, &o), 0);
	struct collected got = {0};
	assert_int_equal(journal_read(j, &(struct journal_filter){.kind = -1}, collect, &got), 0);
	assert_int_equal(got.n, 16);
	collected_free(&got);
	assert_int_equal(journal_verify(&first, why, j), -ENOKEY);
	journal_close(j);
	/* To call a keyed journal an unkeyed one does not get past the key that is configured. */
	sql(f->path, "UPDATE chain_key SET keyed = 0");
	o.key = fixture_key;
	assert_int_equal(journal_open(&j, &o), -EKEYREJECTED);
}

static void test_archive_keeps_the_chain(void **state)
{
	struct fixture *f = *state;
	char path[300], why[256];
	uint8_t hash[JOURNAL_HASH_SIZE];
	struct journal *archive;
	struct collected got = {0};
	int64_t first, id;

	fixture_keyed(f);
	fixture_fill(f->j);
	/* Record 17: an intent that is still open stays; 18 and 19 are a pair that the cut would part. */
	write_intent(f->j, "acme", 500);
	write_intent(f->j, "acme", 500);
	write_outcome(f->j, 18, 600);
	snprintf(path, sizeof(path), "%s.archive", f->path);
	assert_int_equal(journal_archive(f->j, 0, path), JOURNAL_NOTHING);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(journal_archive(f->j, 201, path), 0);
	assert_verifies(f->j);
	/* The intent at 200 (record 9) has its outcome at 201: both stay. */
	assert_int_equal(sql_number(f->path, "SELECT min(id) FROM record"), 9);
	assert_int_equal(
		sql_number(f->path, "SELECT count(*) FROM record WHERE action = 'archive'"), 1);
	assert_int_equal(journal_archive(f->j, 700, path), -EEXIST);
	assert_int_equal(journal_open(&archive,
				 &(struct journal_options){
					 .path = path, .key = fixture_key, .read_only = true}),
		0);
	assert_verifies(archive);
	assert_int_equal(journal_head(hash, &id, archive), 0);
	assert_int_equal(id, 8);
	assert_int_equal(
		journal_write(NULL, archive, &(struct journal_entry){.kind = JOURNAL_EVENT}),
		-EROFS);
	/* What the live file follows is what the archive ends with. */
	uint8_t followed[JOURNAL_HASH_SIZE];
	assert_int_equal(journal_anchor(followed, &id, f->j), 0);
	assert_int_equal(id, 8);
	assert_memory_equal(followed, hash, sizeof(hash));
	journal_close(archive);
	assert_int_equal(
		journal_open(&archive, &(struct journal_options){.path = path, .key = fixture_key}),
		0);
	assert_int_equal(
		journal_write(NULL, archive, &(struct journal_entry){.kind = JOURNAL_EVENT}),
		-EROFS);
	journal_close(archive);
	/* Open for ever: never archived. */
	strcat(path, "2");
	assert_int_equal(journal_archive(f->j, 10000, path), 0);
	assert_verifies(f->j);
	assert_int_equal(journal_unfinished(f->j, collect, &got), 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.items[0].id, 17);
	collected_free(&got);
	/* The second archive follows the first. */
	assert_int_equal(journal_open(&archive,
				 &(struct journal_options){
					 .path = path, .key = fixture_key, .read_only = true}),
		0);
	assert_int_equal(journal_verify(&first, why, archive), 0);
	journal_close(archive);
	unlink(path);
	path[strlen(path) - 1] = '\0';
	unlink(path);
}

static int64_t count_of(const struct fixture *f, const char *action)
{
	char query[128];

	snprintf(query, sizeof(query), "SELECT count(*) FROM record WHERE action = '%s'", action);
	return sql_number(f->path, query);
}

/* An accepted loss keeps a login shut, an accepted finding does not fail an audit, also after an archive. */
static void test_archive_leaves_what_is_in_force(void **state)
{
	struct fixture *f = *state;
	bool accepted = false;
	char path[300];

	for (int i = 1; i < 3; i++) {
		static const char *const actions[] = {
			"accept-finding", "finding", "handover", "start"};
		for (size_t k = 0; k < ARRAY_SIZE(actions); k++)
			assert_int_equal(journal_write(NULL, f->j,
						 &(struct journal_entry){.kind = JOURNAL_EVENT,
							 .at = 10 * i,
							 .login = "acme.jane.doe",
							 .statement = "0123",
							 .action = actions[k]}),
				0);
	}
	assert_int_equal(loss_put(f->j, 30, LOSS_SINCE_UNKNOWN, "gone"), 0);
	assert_int_equal(loss_accept(f->j, 31, "root", "no backup"), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s.in-force-%d", f->path, i);
		assert_int_equal(journal_archive(f->j, 1000, path), 0);
		unlink(path);
		assert_verifies(f->j);
		assert_int_equal(loss_was_accepted(&accepted, f->j), 0);
		assert_true(accepted);
		assert_int_equal(count_of(f, LOSS_NOTICED), 1);
		assert_int_equal(count_of(f, LOSS_ACCEPTED), 1);
		assert_int_equal(count_of(f, "start"), 0);
		assert_int_equal(count_of(f, "handover"), 1);
		assert_int_equal(sql_number(f->path,
					 "SELECT at FROM record WHERE action = 'accept-finding'"),
			20);
		assert_int_equal(
			sql_number(f->path, "SELECT at FROM record WHERE action = 'finding'"), 10);
	}
}

/* An end that nobody confirmed is a question that stays open: the live journal must still ask it. */
static void test_archive_keeps_access_past_its_end(void **state)
{
	struct fixture *f = *state;
	struct collected got = {0};
	char path[300], *client = NULL;
	bool known = false;

	write_access(f->j, "acme", "acme.jane.doe", "AcmeProd", LEVEL_FULL, 100, 200);
	write_access(f->j, "acme", "acme.john.roe", "AcmeProd", LEVEL_FULL, 100, 200);
	write_access(f->j, "acme", "acme.john.roe", "AcmeProd", LEVEL_NONE, 200, 0);
	write_access(f->j, "acme", "acme.ann.lee", "AcmeProd", LEVEL_READ_ONLY, 100, 900);
	/* Twice: what was carried over is carried over again. */
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s.archive%d", f->path, i);
		assert_int_equal(journal_archive(f->j, 300 + i, path), 0);
		assert_verifies(f->j);
		unlink(path);
		assert_int_equal(journal_access_last(f->j, 400, collect, &got), 0);
		assert_int_equal(got.n, 2);
		assert_string_equal(got.items[0].login, "acme.ann.lee");
		assert_non_null(strstr(got.items[0].reason, "in effect when"));
		assert_string_equal(got.items[1].login, "acme.jane.doe");
		assert_int_equal(got.items[1].at, 100);
		assert_int_equal(got.items[1].until, 200);
		assert_non_null(strstr(got.items[1].reason, "not confirmed as ended when"));
		collected_free(&got);
		assert_int_equal(
			journal_client_of(&client, f->j, "sql07", "acme.jane.doe", NULL), 0);
		assert_string_equal(client, "acme");
		free(client);
		client = NULL;
	}
	assert_int_equal(journal_has_client(&known, f->j, "acme"), 0);
	assert_true(known);
}

struct meanwhile {
	struct fixture *f;
	int transactions;
	int64_t archive_from;
};

/* Somebody else commits, who does not wait, when a transaction of the verification has ended. */
static void write_meanwhile(void *context)
{
	struct meanwhile *m = context;
	struct journal *j;
	char path[128];

	m->transactions++;
	assert_int_equal(journal_open(&j, &(struct journal_options){.path = m->f->path}), 0);
	journal_patience(j, 0);
	if (m->archive_from && m->transactions == 2) {
		snprintf(path, sizeof(path), "%s.old", m->f->path);
		assert_int_equal(journal_archive(j, m->archive_from, path), 0);
	} else {
		assert_int_equal(journal_write(NULL, j,
					 &(struct journal_entry){.kind = JOURNAL_EVENT,
						 .at = 10000 + m->transactions}),
			0);
	}
	journal_close(j);
}

/* A verification of a long journal lets others commit, and is none of a moment that never was. */
static void test_verify_lets_others_write(void **state)
{
	struct fixture *f = *state;
	struct meanwhile m = {.f = f};
	int64_t first;
	char why[256];

	assert_int_equal(journal_begin(f->j), 0);
	for (instant_t i = 0; i < 600; i++)
		assert_int_equal(journal_write(NULL, f->j,
					 &(struct journal_entry){.kind = JOURNAL_EVENT, .at = i}),
			0);
	assert_int_equal(journal_commit(f->j), 0);
	sqlite3_rollback_hook(f->j->db, write_meanwhile, &m);
	assert_verifies(f->j);
	assert_in_range(m.transactions, 3, 600);
	/* What was checked, and what is next, is in an archive meanwhile. */
	m = (struct meanwhile){.f = f, .archive_from = 590};
	assert_verifies(f->j);
	assert_in_range(m.transactions, 4, 600);
	sqlite3_rollback_hook(f->j->db, NULL, NULL);
	assert_verifies(f->j);
	/* What is wrong in a later page is found there. */
	sql(f->path, "DROP TRIGGER record_no_update; UPDATE record SET at = at + 1 WHERE id = 595;"
		     "CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN\n"
		     "  SELECT RAISE(ABORT, 'the journal is append-only');\nEND;");
	assert_int_equal(journal_verify(&first, why, f->j), JOURNAL_BROKEN);
	assert_int_equal(first, 595);
	assert_string_equal(why, "record 595 was altered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_append_only),
		WITH_JOURNAL(test_write_stops_at_a_strange_head),
		WITH_JOURNAL(test_keys),
		WITH_JOURNAL(test_archive_keeps_the_chain),
		WITH_JOURNAL(test_archive_leaves_what_is_in_force),
		WITH_JOURNAL(test_archive_keeps_access_past_its_end),
		WITH_JOURNAL(test_verify_lets_others_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
