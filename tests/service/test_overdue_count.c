/* Which access counts as overdue, by the journal alone. */
#include "../report/report_fixture.h"
#include "../journal/journal_fixture.h"
#include "curfew/state_copy.h"

#include "service/overdue_count.h"

#define NOW 1795446000

static struct overdue overdue_at(struct journal *j, const struct program *p, instant_t now)
{
	const struct overrides none = {0};
	struct overdue found = {.n = 77};
	struct grants grants;

	struct state_copy *copy = NULL;

	if (j)
		assert_int_equal(state_copy_read(&copy, j), 0);
	assert_int_equal(schedule_at(&grants, p, &none, now), 0);
	overdue_count(&found, copy, &grants, now);
	grants_free(&grants);
	state_copy_free(copy);
	return found;
}

static size_t overdue_of(struct journal *j)
{
	const struct program nobody = {0};

	return overdue_at(j, &nobody, NOW).n;
}

static void login_put(struct journal *j, uint8_t sid, instant_t removed)
{
	const struct identity i = {.server = "sql01",
		.login = "acme.jane.doe",
		.sid = &sid,
		.sid_size = 1,
		.created = NOW - 500,
		.removed = removed};

	assert_int_equal(ledger_put(j, &i), 0);
}

/* Removed and made again, as often as it likes: what counts is the one that is there. */
static void test_a_login_that_was_made_again(void **state)
{
	struct fixture *f = *state;
	const struct verified_level p = {.server = "sql01",
		.login = "acme.jane.doe",
		.database = "AcmeTest",
		.level = LEVEL_FULL,
		.at = NOW - 100};

	const struct program nobody = {0};

	assert_int_equal(verified_level_save(f->j, &p), 0);
	login_put(f->j, 1, 0);
	assert_int_equal(overdue_of(f->j), 1);
	assert_string_equal(overdue_at(f->j, &nobody, NOW).first, "acme.jane.doe on sql01");
	for (uint8_t former = 2; former < 9; former++) {
		login_put(f->j, former, NOW - 400);
		assert_int_equal(overdue_of(f->j), 1);
	}
	assert_int_equal(ledger_remove(f->j, "sql01", "acme.jane.doe", NOW - 50), 0);
	assert_int_equal(overdue_of(f->j), 0);
}

/* Nothing says that it was removed. */
static void test_a_login_of_which_nothing_is_known(void **state)
{
	struct fixture *f = *state;
	const struct verified_level p = {.server = "sql01",
		.login = "acme.jane.doe",
		.database = "AcmeTest",
		.level = LEVEL_READ_ONLY,
		.at = NOW - 100};

	assert_int_equal(verified_level_save(f->j, &p), 0);
	assert_int_equal(overdue_of(f->j), 1);
}

/* Its database users are gone, and the server refuses to drop it. */
static void test_a_login_that_left_the_files(void **state)
{
	struct fixture *f = *state;
	const struct verified_level p = {.server = "sql01",
		.login = "acme.jane.doe",
		.database = "AcmeTest",
		.level = LEVEL_NONE,
		.at = NOW - 100};

	assert_int_equal(verified_level_save(f->j, &p), 0);
	login_put(f->j, 1, 0);
	assert_int_equal(overdue_of(f->j), 1);
	const struct program nobody = {0};
	assert_int_equal(overdue_at(f->j, &nobody, NOW + 20).age, 120);
	assert_int_equal(ledger_remove(f->j, "sql01", "acme.jane.doe", NOW - 50), 0);
	assert_int_equal(overdue_of(f->j), 0);
}

static void verified_put(
	struct journal *j, const char *server, const char *database, enum verification result)
{
	const struct verified v = {.server = server,
		.login = "acme.jane.doe",
		.database = database,
		.level = LEVEL_NONE,
		.result = result,
		.at = NOW};

	assert_int_equal(verified_save(j, &v), 0);
}

/* At the end of all access nothing may be left: neither the login nor a user of a database. Before it the login may be
 * there, also where it has no level yet. */
static void test_what_is_left_after_the_end(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	const struct client *c = &s->clients[0];
	const uint8_t sid = 1;
	const struct identity login = {.server = "sql07",
		.login = "ACME.jane.doe",
		.sid = &sid,
		.sid_size = 1,
		.created = GOLDEN_NOW};

	s->program.n_clients = 1;
	assert_int_equal(ledger_put(f->j, &login), 0);
	assert_int_equal(overdue_at(f->j, &s->program, c->go_live - DAY).n, 0);
	assert_int_equal(overdue_at(f->j, &s->program, c->end - 1).n, 0);
	const struct overdue found = overdue_at(f->j, &s->program, c->end + 60);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.age, 60);
	/* Seen where it was looked for: the grant counts, and its login not once more. */
	verified_put(f->j, "sql07", "AcmeProd", VERIFICATION_EXCESS);
	assert_int_equal(overdue_at(f->j, &s->program, c->end + 60).n, 1);
	assert_int_equal(ledger_remove(f->j, "sql07", "ACME.jane.doe", c->end + 90), 0);
	verified_put(f->j, "sql07", "AcmeProd", VERIFICATION_VERIFIED);
	assert_int_equal(overdue_at(f->j, &s->program, c->end + 120).n, 0);
	/* A user of the staging database, whose end is earlier. */
	verified_put(f->j, "sqltest02", "AcmeTest", VERIFICATION_EXCESS);
	assert_int_equal(overdue_at(f->j, &s->program, c->staging_end - 1).n, 0);
	assert_int_equal(overdue_at(f->j, &s->program, c->staging_end + 60).n, 1);
	free(s);
}

/* A server returns names in its own letter case: what was seen there counts in each. */
static void test_what_is_left_counts_in_any_letter_case(void **state)
{
	struct fixture *f = *state;
	struct report_fixture *s = sample_new();
	const struct client *c = &s->clients[0];

	s->program.n_clients = 1;
	verified_put(f->j, "sql07", "AcmeProd", VERIFICATION_VERIFIED);
	assert_int_equal(overdue_at(f->j, &s->program, c->end + 60).n, 0);
	verified_put(f->j, "sql07", "ACMEPROD", VERIFICATION_EXCESS);
	assert_int_equal(overdue_at(f->j, &s->program, c->end + 60).n, 1);
	free(s);
}

/* Without a journal nobody knows: that is not that nothing is overdue, nor that what was is over. */
static void test_what_nobody_knows_is_unknown(void **state)
{
	struct fixture *f = *state;
	const struct program nobody = {0};
	const struct overdue found = overdue_at(NULL, &nobody, NOW);

	assert_true(found.unknown);
	assert_int_equal(found.n, 77);
	assert_false(overdue_at(f->j, &nobody, NOW).unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_what_nobody_knows_is_unknown, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_login_that_was_made_again, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_login_of_which_nothing_is_known, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_login_that_left_the_files, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_left_after_the_end, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_what_is_left_counts_in_any_letter_case,
			fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests_name("overdue", tests, NULL, NULL);
}
