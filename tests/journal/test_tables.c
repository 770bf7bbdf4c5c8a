/* The tables beside the chain: a journal of the first version comes up to date, and whoever changes one is noticed. */
#include "journal_fixture.h"

#include <errno.h>

#include "curfew/state_tables.h"
#include "journal/schema.h"

/* A file as version 1 made it, with something in every table that it had. */
static void first_version_make(const char *path)
{
	struct journal j = {.path = (char *)path, .version = 1};

	assert_int_equal(sqlite3_open(path, &j.db), SQLITE_OK);
	assert_int_equal(functions_define(j.db), SQLITE_OK);
	assert_int_equal(database_execute(&j, schema_steps[0]), 0);
	assert_int_equal(
		database_execute(&j, "PRAGMA application_id = 0x43524657; PRAGMA user_version = 1"),
		0);
	assert_int_equal(chain_create(&j), 0);
	assert_int_equal(override_add(&j, "acme", NULL, 3, "root", "contract"), 0);
	write_access(&j, "acme", "acme.jane", "AcmeProd", LEVEL_FULL, 4, 9);
	assert_int_equal(ledger_put(&j, &(struct identity){.server = "sql07",
						.login = "acme.jane",
						.sid = (const uint8_t *)"\1\2",
						.sid_size = 2,
						.created = 2}),
		0);
	assert_int_equal(verified_level_save(&j, &(struct verified_level){"sql07", "acme.jane",
							 "AcmeProd", LEVEL_FULL, 5}),
		0);
	assert_int_equal(
		database_execute(&j,
			"INSERT INTO baseline VALUES ('sql07', 'AcmeProd', 6);"
			"INSERT INTO baseline_item VALUES ('sql07', 'AcmeProd', 'object', '[dbo].[p]', 'ab')"),
		0);
	database_keep_nothing(&j);
	assert_int_equal(sqlite3_close(j.db), SQLITE_OK);
}

static void test_first_version(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct journal_options o = {.path = path, .read_only = true};
	struct journal *j;
	struct identities ids = {0};

	snprintf(path, sizeof(path), "%s/old.db", f->folder);
	first_version_make(path);
	/* Read as it is. */
	assert_int_equal(journal_open(&j, &o), 0);
	assert_verifies(j);
	journal_close(j);
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 1);
	/* Written: brought up to date, once, and whole. */
	o.read_only = false;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(journal_open(&j, &o), 0);
		assert_verifies(j);
		assert_int_equal(ledger_read(&ids, j), 0);
		assert_int_equal(ids.n, 1);
		identities_free(&ids);
		journal_close(j);
	}
	assert_int_equal(sql_number(path, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM record WHERE kind = 'state'"), 1);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM record WHERE kind <> 'state'"), 2);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM proved"), 1);
}

/* An upgrade that cannot be finished leaves the file as it was. */
static void test_interrupted_upgrade(void **state)
{
	struct fixture *f = *state;
	char path[128];
	struct journal_options o = {.path = path};
	struct journal *j;

	snprintf(path, sizeof(path), "%s/old.db", f->folder);
	first_version_make(path);
	sql(path, "CREATE TABLE passed (x)");
	assert_true(journal_open(&j, &o) < 0);
	assert_int_equal(sql_number(path, "PRAGMA user_version"), 1);
	sql(path, "DROP TABLE passed");
	assert_int_equal(journal_open(&j, &o), 0);
	assert_verifies(j);
	journal_close(j);
}

static void tables_fill(struct journal *j)
{
	const struct baseline_item items[] = {
		{"object", "[dbo].[p]", "ab"}, {"object", "[dbo].[q]", "cd"}};

	assert_int_equal(ledger_put(j, &(struct identity){.server = "s",
					       .login = "l",
					       .sid = (const uint8_t *)"\1",
					       .sid_size = 1}),
		0);
	assert_int_equal(
		verified_level_save(j, &(struct verified_level){"s", "l", "d", LEVEL_READ_ONLY, 5}),
		0);
	assert_int_equal(baseline_put(j, "s", "d", 6, items, 2), 0);
	assert_int_equal(override_add(j, "acme", "acme.jane", 7, "root", "why"), 0);
	const struct verified v = {"s", "k", "d", {{7}, 1}, LEVEL_FULL, VERIFICATION_VERIFIED,
		"00ff", 8, 7, "2026-08-10T09:00:00"};
	assert_int_equal(verified_save(j, &v), 0);
	assert_int_equal(passed_put(j, &(struct passed){(char *)"acme", PASSED_GO_LIVE, 9,
					       (char *)"CS-1", 2}),
		0);
	/* A database's name may have a colon. */
	assert_int_equal(
		passed_put(j, &(struct passed){(char *)"acme", PASSED_STAGING_END, 10,
				      (char *)"CS-1", 2, (char *)"sql01", (char *)"Acme:Test"}),
		0);
	struct source trusted = {0};
	struct endpoint endpoint = {0};
	assert_int_equal(source_parse(&trusted, "192.0.2.0/28"), 0);
	assert_int_equal(endpoint_parse(&endpoint, "192.0.2.10:1433"), 0);
	const struct server server = {.name = (char *)"s",
		.endpoints = &endpoint,
		.n_endpoints = 1,
		.trusted = &trusted,
		.n_trusted = 1};
	assert_int_equal(guards_save(j, &server), 0);
	assert_int_equal(loss_put(j, 10, LOSS_SINCE_UNKNOWN, "gone"), 0);
}

static void test_memory(void **state)
{
	struct fixture *f = *state;
	struct verified_list v;
	struct kept_guards g;
	struct overrides o;
	char *why, source[SOURCE_TEXT_MAX];
	instant_t at;

	tables_fill(f->j);
	assert_int_equal(verified_load(&v, f->j), 0);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.items[0].sid.bytes[0], 7);
	assert_int_equal(v.items[0].level, LEVEL_FULL);
	assert_int_equal(v.items[0].result, VERIFICATION_VERIFIED);
	assert_string_equal(v.items[0].fingerprint, "00ff");
	struct verified again = v.items[0];
	again.result = VERIFICATION_EXCESS;
	assert_int_equal(verified_save(f->j, &again), 0);
	verified_list_free(&v);
	assert_int_equal(verified_load(&v, f->j), 0);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.items[0].result, VERIFICATION_EXCESS);
	verified_list_free(&v);
	assert_int_equal(override_read(&o, f->j), 0);
	assert_int_equal(o.n_passed, 2);
	assert_int_equal(o.passed[0].what, PASSED_GO_LIVE);
	assert_string_equal(o.passed[0].ticket, "CS-1");
	assert_null(o.passed[0].database);
	assert_int_equal(o.passed[1].what, PASSED_STAGING_END);
	assert_string_equal(o.passed[1].server, "sql01");
	assert_string_equal(o.passed[1].database, "Acme:Test");
	overrides_free(&o);
	assert_int_equal(guards_load(&g, f->j), 0);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.items[0].n_trusted, 1);
	assert_string_equal(source_format(source, &g.items[0].trusted[0]), "192.0.2.0/28");
	assert_false(g.items[0].held);
	assert_int_equal(guards_hold(f->j, &g.items[0]), 0);
	assert_verifies(f->j);
	assert_int_equal(guards_drop(f->j, "s", &g.items[0].endpoint), 0);
	assert_int_equal(guards_hold(f->j, &g.items[0]), 0);
	kept_guards_free(&g);
	assert_int_equal(guards_load(&g, f->j), 0);
	assert_int_equal(g.n, 1);
	assert_true(g.items[0].held);
	assert_int_equal(g.items[0].n_trusted, 1);
	assert_int_equal(guards_drop(f->j, "s", &g.items[0].endpoint), 0);
	kept_guards_free(&g);
	assert_int_equal(guards_load(&g, f->j), 0);
	assert_int_equal(g.n, 0);
	kept_guards_free(&g);
	/* A loss stays what it was first, until it is accepted; that is on record. */
	assert_int_equal(loss_put(f->j, 11, LOSS_SINCE_UNKNOWN, "other"), 0);
	assert_int_equal(loss_read(&at, &why, f->j), 0);
	assert_int_equal(at, 10);
	assert_string_equal(why, "gone");
	free(why);
	assert_int_equal(loss_accept(f->j, 12, "root", "restored by hand"), 0);
	assert_int_equal(loss_accept(f->j, 12, "root", "again"), -ENOENT);
	assert_int_equal(loss_read(&at, &why, f->j), -ENOENT);
	/* Forgotten: a database, then the server with its identities. */
	assert_int_equal(memory_forget(f->j, "s", "d", 13, "root", "dropped with the machine"), 0);
	assert_int_equal(memory_forget(f->j, "s", "d", 13, "root", "x"), -ENOENT);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM verification"), 0);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM ledger WHERE removed = 0"), 1);
	assert_int_equal(memory_forget(f->j, "s", NULL, 14, "root", "scrapped"), 0);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM ledger WHERE removed = 14"), 1);
	assert_int_equal(
		sql_number(f->path, "SELECT count(*) FROM record WHERE action = 'forget'"), 2);
	assert_verifies(f->j);
}

/* A head that was kept elsewhere: of this journal, of an older copy, of one that was emptied. */
static void test_holds(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[JOURNAL_HASH_SIZE], later[JOURNAL_HASH_SIZE];
	int64_t id, then;
	bool holds;
	char path[128];

	write_access(f->j, "acme", "l", "d", LEVEL_FULL, 10, 1000);
	assert_int_equal(journal_head(hash, &id, f->j), 0);
	write_access(f->j, "acme", "l", "d", LEVEL_READ_ONLY, 100, 1000);
	assert_int_equal(journal_head(later, &then, f->j), 0);
	assert_int_equal(journal_holds(&holds, f->j, hash, id), 0);
	assert_true(holds);
	assert_int_equal(journal_holds(&holds, f->j, later, id), 0);
	assert_false(holds);
	assert_int_equal(journal_holds(&holds, f->j, later, then + 1), 0);
	assert_false(holds);
	snprintf(path, sizeof(path), "%s/archive.db", f->folder);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	assert_int_equal(journal_holds(&holds, f->j, hash, id), 0);
	assert_true(holds);
	assert_int_equal(journal_holds(&holds, f->j, later, then), 0);
	assert_true(holds);
}

static void test_tampering(void **state)
{
	struct fixture *f = *state;
	static const char *const changes[] = {"DELETE FROM ledger", "UPDATE ledger SET removed = 9",
		"UPDATE proved SET level = 'none'", "DELETE FROM proved",
		"INSERT INTO proved VALUES ('s', 'm', 'd', 'full', 1)",
		"DELETE FROM baseline_item WHERE name = '[dbo].[q]'",
		"UPDATE baseline_item SET hash = 'ab'",
		"INSERT INTO baseline_item VALUES ('s', 'd', 'object', '[dbo].[planted]', 'ef')",
		"DELETE FROM baseline", "UPDATE baseline SET digest = zeroblob(32)",
		"UPDATE override SET reason = 'other'",
		"INSERT INTO verification VALUES ('s', 'm', 'd', x'01', 'full', 'verified', '', 1, 7, '')",
		"INSERT INTO passed VALUES ('acme', 'end', 1, 't', 1)",
		"INSERT INTO guard VALUES ('s', '192.0.2.1:1433', '0.0.0.0/0', 0)",
		"UPDATE verification SET result = 'verified', level = 'none'", "DELETE FROM passed",
		"UPDATE guard SET trusted = '0.0.0.0/0'", "UPDATE guard SET held = 1",
		"DELETE FROM loss"};

	tables_fill(f->j);
	assert_verifies(f->j);
	assert_notices(f, changes, ARRAY_SIZE(changes));
}

/* One record for a batch, none for a batch that changes nothing beside the chain, and none in a history. */
static void test_digests(void **state)
{
	struct fixture *f = *state;
	struct collected got = {0};

	assert_int_equal(journal_begin(f->j), 0);
	tables_fill(f->j);
	write_intent(f->j, "acme", 8);
	assert_int_equal(journal_commit(f->j), 0);
	write_intent(f->j, "acme", 9);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = JOURNAL_STATE}, collect, &got),
		0);
	assert_int_equal(got.n, 1);
	assert_int_equal(strlen(got.items[0].after), 2 * JOURNAL_HASH_SIZE);
	collected_free(&got);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = -1}, collect, &got), 0);
	/* The revocation, the loss, and two intents. */
	assert_int_equal(got.n, 4);
	collected_free(&got);
	/* What was undone left no digest behind. */
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(
		verified_level_save(f->j, &(struct verified_level){"s", "x", "d", LEVEL_FULL, 9}),
		0);
	journal_rollback(f->j);
	assert_verifies(f->j);
}

/* The live journal keeps a digest when the records that had the last one are archived. */
static void test_archived(void **state)
{
	struct fixture *f = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/archive.db", f->folder);
	tables_fill(f->j);
	write_access(f->j, "acme", "l", "d", LEVEL_FULL, 100, 1000);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	assert_verifies(f->j);
	journal_close(f->j);
	f->j = NULL;
	sql(f->path, "DELETE FROM ledger");
	assert_int_equal(journal_open(&f->j, &(struct journal_options){.path = f->path}), 0);
	char why[256];
	int64_t first;
	assert_int_equal(journal_verify(&first, why, f->j), JOURNAL_BROKEN);
}

/* An older copy in its place, an emptied journal, none at all: noticed by the head that lies beside it. */
static void test_head_copy(void **state)
{
	struct fixture *f = *state;
	char command[400];
	struct journal_options o = {.path = f->path};
	char *why;
	instant_t at;

	for (int loss = 0; loss < 3; loss++) {
		write_access(f->j, "acme", "l", "d", LEVEL_FULL, 10, 1000);
		assert_int_equal(head_copy_save(f->j), 0);
		assert_int_equal(head_copy_check(f->j), 0);
		assert_int_equal(loss_read(&at, &why, f->j), -ENOENT);
		snprintf(command, sizeof(command), "cp '%s' '%s.old'", f->path, f->path);
		assert_int_equal(system(command), 0);
		write_access(f->j, "acme", "l", "d", LEVEL_NONE, 11, 0);
		/* Later records are no loss; what could not be kept leaves the former head. */
		assert_int_equal(head_copy_check(f->j), 0);
		assert_int_equal(loss_read(&at, &why, f->j), -ENOENT);
		assert_int_equal(head_copy_save(f->j), 0);
		journal_close(f->j);
		snprintf(command, sizeof(command),
			loss == 0   ? "mv '%s.old' '%s'"
			: loss == 1 ? ": '%s'; : > '%s'"
				    : ": '%s'; rm '%s'",
			f->path, f->path);
		assert_int_equal(system(command), 0);
		assert_int_equal(journal_open(&f->j, &o), 0);
		assert_int_equal(head_copy_check(f->j), 0);
		assert_int_equal(loss_read(&at, &why, f->j), 0);
		free(why);
		assert_int_equal(loss_accept(f->j, 20, "root", "so be it"), 0);
		assert_int_equal(head_copy_save(f->j), 0);
		assert_int_equal(head_copy_check(f->j), 0);
		assert_int_equal(loss_read(&at, &why, f->j), -ENOENT);
		assert_verifies(f->j);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_first_version),
		WITH_JOURNAL(test_interrupted_upgrade),
		WITH_JOURNAL(test_memory),
		WITH_JOURNAL(test_holds),
		WITH_JOURNAL(test_tampering),
		WITH_JOURNAL(test_digests),
		WITH_JOURNAL(test_archived),
		WITH_JOURNAL(test_head_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
