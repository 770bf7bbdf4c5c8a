/* Periods of access out of records: merged, late, unconfirmed, with person and evidence. */
#include "population_records.h"

#include <jansson.h>

static struct population make(
	struct journal_entry *entries, size_t n, instant_t from, instant_t to, instant_t at)
{
	static struct journal_entry proof = {.id = 90,
		.kind = JOURNAL_PROOF,
		.at = 905,
		.login = "acme.jane.doe",
		.server = "sql01",
		.database = "AcmeTest",
		.level = "none",
		.outcome = "verified"};
	const struct journal_entries access = {entries, n}, proofs = {&proof, 1}, none = {0};
	const struct population_records records = {&access, &proofs, &none, NULL};
	struct population p = {.from = from, .to = to, .at = at};

	assert_int_equal(population_make(&p, &records), 0);
	return p;
}

/* Full until 500 and read-only until 900: narrowed 70 seconds late, extended meanwhile, removed 2 minutes late. */
static void test_periods(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400), ACCESS(2, 300, "full", 500),
		ACCESS(3, 570, "read-only", 900), ACCESS(4, 1020, "none", 0)};
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1100, 1100);
	char *text;

	(void)state;
	assert_int_equal(p.n, 2);
	assert_int_equal(p.items[0].opened, 200);
	assert_int_equal(p.items[0].due, 500);
	assert_int_equal(p.items[0].ended, 570);
	assert_int_equal(p.items[0].late, 70);
	assert_int_equal(p.items[1].late, 120);
	assert_int_equal(p.items[1].proof->id, 90);
	assert_string_equal(p.items[1].person.email, "jane@acme.example");
	assert_true(population_is_late(&p));
	CAPTURED(text, population_print(&p, true, to));
	assert_non_null(strstr(text, "jane@acme.example"));
	assert_non_null(strstr(text, "\"records 3, 4; verification 90\""));
	free(text);
	CAPTURED(text, population_html(&p, "UTC", to));
	assert_harmless(text);
	assert_non_null(strstr(text, "2 minutes"));
	assert_golden("population.html", text);
	free(text);
	json_t *j = population_json(&p);
	assert_int_equal(json_array_size(json_object_get(j, "rows")), 2);
	json_decref(j);
	population_free(&p);
	/* What was over before, and what began after, is not asked for. */
	p = make(entries, ARRAY_SIZE(entries), 571, 600, 1000);
	assert_int_equal(p.n, 1);
	population_free(&p);
	/* Times are whole seconds: who was seen to have it in the first one of the period had it then. */
	p = make(entries, ARRAY_SIZE(entries), 1020, 1100, 1100);
	assert_int_equal(p.n, 1);
	population_free(&p);
	p = make(entries, ARRAY_SIZE(entries), 1021, 1100, 1100);
	assert_int_equal(p.n, 0);
	population_free(&p);
	p = make(entries, ARRAY_SIZE(entries), 100, 200, 1000);
	assert_int_equal(p.n, 0);
	population_free(&p);
	/* Until now: also what was opened in this very second. */
	p = make(entries, ARRAY_SIZE(entries), 100, 200, 200);
	assert_int_equal(p.n, 1);
	population_free(&p);
}

/* Only what was verified at or below the level that access ended to is evidence that it ended. */
static void test_proof_of_access(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 500),
		ACCESS(2, 500, "read-only", 900), ACCESS(3, 905, "none", 0)};
	struct journal_entry proofs[] = {{.id = 90, .at = 500, .level = "full"},
		{.id = 91, .at = 501, .level = NULL}, {.id = 92, .at = 502, .level = "read-only"},
		{.id = 93, .at = 906, .level = "read-only"}};
	const struct journal_entries access = {entries, ARRAY_SIZE(entries)},
				     all = {proofs, ARRAY_SIZE(proofs)}, none = {0};
	const struct population_records records = {&access, &all, &none, NULL};
	struct population p = {.from = 100, .to = 1000, .at = 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++) {
		proofs[i].kind = JOURNAL_PROOF;
		proofs[i].login = "acme.jane.doe";
		proofs[i].server = "sql01";
		proofs[i].database = "AcmeTest";
		proofs[i].outcome = "verified";
	}
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.items[0].proof->id, 92);
	assert_null(p.items[1].proof);
	population_free(&p);
}

/* A pass that began in time is not late while the server answers, for a minute; it writes the verification first. */
static void test_a_minute(void **state)
{
	struct journal_entry entries[] = {
		ACCESS(1, 200, "full", 900), ACCESS(2, 900 + POPULATION_PASS, "none", 0)};
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);

	(void)state;
	assert_int_equal(p.items[0].ended, 900 + POPULATION_PASS);
	assert_int_equal(p.items[0].late, 0);
	assert_int_equal(p.items[0].proof->id, 90);
	population_free(&p);
	entries[1].at++;
	p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);
	assert_int_equal(p.items[0].late, POPULATION_PASS + 1);
	population_free(&p);
}

/* The clock was ahead for some minutes, and what was recorded then confirms nothing. */
static void test_records_of_the_future(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 900), ACCESS(2, 5000, "none", 0),
		ACCESS(3, 300, "full", 900)};
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 800);

	(void)state;
	assert_int_equal(p.n, 1);
	assert_int_equal(p.items[0].ended, 0);
	assert_false(population_is_late(&p));
	population_free(&p);
}

/* Nobody has seen it end: that is not an end. On time is not late; open before its end is neither. */
static void test_unconfirmed(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400)};
	struct population p = make(entries, 1, 100, 1000, 1000);

	(void)state;
	assert_int_equal(p.n, 1);
	assert_int_equal(p.items[0].ended, 0);
	assert_int_equal(p.items[0].late, 600);
	population_free(&p);
	p = make(entries, 1, 100, 1000, 300);
	assert_int_equal(p.items[0].late, 0);
	assert_false(population_is_late(&p));
	population_free(&p);
	/* More than is scheduled is an access, whatever the roles say. */
	entries[0].level = "none";
	entries[0].outcome = "excess";
	entries[0].until = 0;
	p = make(entries, 1, 100, 1000, 1000);
	assert_int_equal(p.n, 1);
	population_free(&p);
}

/* A pass finds on the day after that a server refuses to reduce it: that is no end, and moves no due time. */
static void test_seen_and_not_reduced(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400), ACCESS(2, 450, "full", 900),
		ACCESS(3, 600, "read-only", 900), ACCESS(4, 900, "none", 0),
		ACCESS(5, 960, "none", 0)};
	char *text;

	(void)state;
	entries[1].outcome = "excess";
	entries[3].outcome = "excess";
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.items[0].due, 400);
	assert_int_equal(p.items[0].ended, 600);
	assert_int_equal(p.items[0].late, 200);
	CAPTURED(text, population_print(&p, true, to));
	assert_non_null(strstr(text, "\"full, excess\""));
	free(text);
	assert_int_equal(p.items[1].late, 0);
	/* The login was still there, for a minute. */
	assert_int_equal(p.items[2].due, 900);
	assert_int_equal(p.items[2].late, 60);
	population_free(&p);
	/* Not even that is confirmed. */
	p = make(entries, ARRAY_SIZE(entries) - 1, 100, 1000, 1000);
	assert_int_equal(p.items[2].ended, 0);
	assert_int_equal(p.items[2].late, 100);
	population_free(&p);
}

/* What was scheduled again after its end was open without an approval until then. */
static void test_extended_after_the_end(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400), ACCESS(2, 470, "full", 800),
		ACCESS(3, 800, "none", 0)};
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);

	(void)state;
	assert_int_equal(p.n, 2);
	assert_int_equal(p.items[0].late, 70);
	assert_int_equal(p.items[1].opened, 470);
	assert_int_equal(p.items[1].late, 0);
	population_free(&p);
}

/* More than is scheduled for a while, another person, another approval: each is a row of its own. */
static void test_rows_of_their_own(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "read-only", 900),
		ACCESS(2, 300, "read-only", 900), ACCESS(3, 350, "read-only", 900),
		ACCESS(4, 400, "read-only", 900), ACCESS(5, 500, "read-only", 900),
		ACCESS(6, 900, "none", 0)};

	(void)state;
	entries[1].outcome = "excess";
	entries[3].before = entries[4].before =
		"{\"user\":\"June Doe\",\"email\":\"june@acme.example\",\"ticket\":\"CS-1\",\"approved_by\":\"lead\",\"approved\":100,\"end\":900}";
	entries[4].before =
		"{\"user\":\"June Doe\",\"email\":\"june@acme.example\",\"ticket\":\"CS-2\",\"approved_by\":\"lead\",\"approved\":450,\"end\":900}";
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);
	assert_int_equal(p.n, 5);
	assert_int_equal(p.items[0].late, 0);
	assert_int_equal(p.items[1].late, 50);
	assert_string_equal(p.items[2].person.email, "jane@acme.example");
	assert_string_equal(p.items[3].person.email, "june@acme.example");
	assert_string_equal(p.items[3].person.ticket, "CS-1");
	assert_string_equal(p.items[4].person.ticket, "CS-2");
	assert_int_equal(p.items[4].late, 0);
	population_free(&p);
}

/* The verification of a later removal is none of this one. */
static void test_given_again(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400), ACCESS(2, 400, "none", 0),
		ACCESS(3, 500, "full", 900), ACCESS(4, 900, "none", 0)};
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);

	(void)state;
	assert_null(p.items[0].proof);
	assert_int_equal(p.items[1].proof->id, 90);
	population_free(&p);
}

/* Revoked while the server was down: due then, whatever the files say, until it was taken back. */
static void test_revoked(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 5000)};
	struct journal_entry events[] = {
		{.at = 1000, .client = "acme", .login = "acme.john.roe", .action = "revoke"},
		{.at = 2000, .client = "acme", .action = "revoke"},
		{.at = 2000 + POPULATION_PASS, .client = "acme", .action = "reinstate"}};
	const struct program nobody = {0};
	const struct journal_entries access = {entries, 1}, proofs = {0},
				     all = {events, ARRAY_SIZE(events)};
	struct population_records records = {&access, &proofs, &all, NULL};
	struct population p = {.from = 100, .to = 4000, .at = 3000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		events[i].kind = JOURNAL_EVENT;
	assert_int_equal(population_make(&p, &records), 0);
	assert_false(population_is_late(&p));
	population_free(&p);
	events[2].at++;
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.items[0].late, POPULATION_PASS + 1);
	population_free(&p);
	/* A client file that is back gives back what its removal took away. */
	events[1].action = "client-removed";
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.items[0].late, 1000);
	population_free(&p);
	events[2].action = "client-added";
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.items[0].late, POPULATION_PASS + 1);
	population_free(&p);
	events[1].action = "revoke";
	events[2].client = "other";
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.items[0].due, 2000);
	assert_int_equal(p.items[0].late, 1000);
	assert_true(population_is_late(&p));
	population_free(&p);
	/* Taken out of its client's file: since when is not known. */
	events[1].login = "acme.john.roe";
	records.program = &nobody;
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.items[0].late, 0);
	assert_true(population_is_late(&p));
	population_free(&p);
}

/* A formula in a name stays text. */
static void test_formula(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400)};
	char *text;

	(void)state;
	entries[0].database = "=HYPERLINK(\"http://x\")";
	struct population p = make(entries, 1, 100, 1000, 1000);
	CAPTURED(text, population_print(&p, true, to));
	assert_non_null(strstr(text, "\"'=HYPERLINK("));
	free(text);
	population_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_proof_of_access),
		cmocka_unit_test(test_a_minute),
		cmocka_unit_test(test_records_of_the_future),
		cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_seen_and_not_reduced),
		cmocka_unit_test(test_extended_after_the_end),
		cmocka_unit_test(test_rows_of_their_own),
		cmocka_unit_test(test_given_again),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_formula),
	};
	return cmocka_run_group_tests_name("population", tests, NULL, NULL);
}
