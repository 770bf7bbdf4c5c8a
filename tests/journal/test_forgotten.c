/* What a proof could not read, and an operator's decision about it. */
#include "journal_fixture.h"

#include "curfew/clock_resets.h"
#include "curfew/state_tables.h"

static void assert_repeated(struct fixture *f, const struct journal_entry *e, bool wanted)
{
	bool repeated = !wanted;

	assert_int_equal(journal_proof_is_repeated(&repeated, f->j, e), 0);
	assert_int_equal(repeated, wanted);
}

/* What a pass could not verify again is on record once; a change of the login, or another answer, is a new one. */
static void test_repeated_proofs(void **state)
{
	struct fixture *f = *state;
	struct journal_entry e = {.kind = JOURNAL_PROOF,
		.at = 10,
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "s",
		.database = "d",
		.outcome = "unverified",
		.level = "none",
		.detail = "incomplete, databases not read: [Copy], [Other copy]"};
	struct journal_entry other = e, change = {.kind = JOURNAL_INTENT,
						.at = 20,
						.client = "acme",
						.login = "ACME.jane.doe",
						.server = "s",
						.action = "login-drop"};
	bool told = false;

	assert_repeated(f, &e, false);
	assert_int_equal(journal_write(NULL, f->j, &e), 0);
	assert_repeated(f, &e, true);
	other.detail = "incomplete, databases not read: [Copy]";
	assert_repeated(f, &other, false);
	other = e;
	other.client = "apex";
	assert_repeated(f, &other, false);
	other.client = "Acme";
	assert_repeated(f, &other, true);
	other = e;
	other.outcome = "verified";
	assert_repeated(f, &other, false);
	other = e;
	other.database = "d2";
	assert_repeated(f, &other, false);
	assert_int_equal(journal_write(NULL, f->j, &other), 0);
	assert_repeated(f, &e, true);
	assert_int_equal(journal_write(NULL, f->j, &change), 0);
	assert_repeated(f, &e, false);

	assert_int_equal(journal_unread_was_told(&told, f->j, "s", "Other copy"), 0);
	assert_true(told);
	assert_int_equal(journal_unread_was_told(&told, f->j, "s", "other copy"), 0);
	assert_false(told);
	assert_int_equal(journal_unread_was_told(&told, f->j, "s2", "Copy"), 0);
	assert_false(told);
}

/* An operator's decision about a database, until access is given there. */
static void test_forgotten_databases(void **state)
{
	struct fixture *f = *state;
	struct forgotten_databases d;

	assert_int_equal(unread_forget(f->j, "sql07", "Copy", 10, "root", "a copy"), 0);
	assert_int_equal(unread_forget(f->j, "sql07", "Copy", 11, "root", "said again"), 0);
	assert_int_equal(unread_forget(f->j, "sql07", NULL, 12, "root", "the server"), 0);
	write_access(f->j, "acme", "l", "Test", LEVEL_FULL, 9, 1000);
	assert_int_equal(unread_forget(f->j, "sql07", "Test", 13, "root", "gone"), 0);
	assert_int_equal(forgotten_databases_read(&d, f->j), 0);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.items[0].server, "sql07");
	assert_string_equal(d.items[0].database, "Copy");
	assert_string_equal(d.items[1].database, "Test");
	forgotten_databases_free(&d);
	write_access(f->j, "acme", "l", "copy", LEVEL_READ_ONLY, 20, 1000);
	assert_int_equal(forgotten_databases_read(&d, f->j), 0);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.items[0].database, "Test");
	forgotten_databases_free(&d);
	assert_verifies(f->j);
}

static void assert_forgotten(struct fixture *f, const char *database)
{
	struct forgotten_databases d;

	assert_int_equal(forgotten_databases_read(&d, f->j), 0);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.items[0].database, database);
	forgotten_databases_free(&d);
}

/* An archive carries a decision over that is in force, and brings none back: the access that ended it has ended, and is
 * archived alone. */
static void test_archive_and_forgotten(void **state)
{
	struct fixture *f = *state;
	char path[128];

	assert_int_equal(unread_forget(f->j, "sql07", "Copy", 10, "root", "a copy"), 0);
	assert_int_equal(unread_forget(f->j, "sql07", "Test", 11, "root", "gone"), 0);
	write_access(f->j, "acme", "l", "copy", LEVEL_FULL, 20, 1000);
	write_access(f->j, "acme", "l", "copy", LEVEL_NONE, 30, 0);
	assert_forgotten(f, "Test");
	write_intent(f->j, "acme", 100);
	snprintf(path, sizeof(path), "%s.old", f->path);
	assert_int_equal(journal_archive(f->j, 50, path), 0);
	assert_forgotten(f, "Test");
	assert_verifies(f->j);
}

/* Decided while the clock was ahead: access that was given behind its correction ends the decision, before the time that the
 * decision bears has come, and also where an archive has taken the correction. */
static void test_forgotten_while_the_clock_was_ahead(void **state)
{
	struct fixture *f = *state;
	const struct journal_entry reset = {.kind = JOURNAL_EVENT,
		.at = 5000,
		.action = CLOCK_RESET,
		.detail = CLOCK_RESET_DETAIL "50, was 5000"};
	struct forgotten_databases d;
	char path[128];

	assert_int_equal(unread_forget(f->j, "sql07", "Copy", 5000, "root", "a copy"), 0);
	assert_int_equal(unread_forget(f->j, "sql07", "Test", 5000, "root", "gone"), 0);
	assert_int_equal(journal_write(NULL, f->j, &reset), 0);
	write_access(f->j, "acme", "l", "copy", LEVEL_FULL, 60, 70);
	assert_forgotten(f, "Test");
	write_access(f->j, "acme", "l", "copy", LEVEL_NONE, 70, 0);
	write_intent(f->j, "acme", 6000);
	snprintf(path, sizeof(path), "%s.old", f->path);
	assert_int_equal(journal_archive(f->j, 5500, path), 0);
	assert_forgotten(f, "Test");
	write_access(f->j, "acme", "l", "Test", LEVEL_FULL, 80, 90);
	assert_int_equal(forgotten_databases_read(&d, f->j), 0);
	assert_int_equal(d.n, 0);
	forgotten_databases_free(&d);
	assert_verifies(f->j);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_repeated_proofs),
		WITH_JOURNAL(test_forgotten_databases),
		WITH_JOURNAL(test_archive_and_forgotten),
		WITH_JOURNAL(test_forgotten_while_the_clock_was_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
