/* Periods of access out of records: merged, late, unconfirmed, with person and evidence. */
#include "report_fixture.h"

#include "curfew/population.h"

#include <jansson.h>

#define JANE                                                                                       \
	"{\"user\":\"Jane Doe\",\"email\":\"jane@acme.example\",\"ticket\":\"CS-1\",\"approved_by\":\"lead\",\"approved\":100,\"end\":900}"
#define ACCESS(number, when, what, due)                                                            \
	{                                                                                          \
		.id = (number), .kind = JOURNAL_ACCESS, .at = (when), .client = "acme",            \
		.login = "acme.jane.doe", .server = "sql01", .database = "AcmeTest",               \
		.level = (what), .until = (due), .outcome = "verified", .before = JANE,            \
		.after = ACCESS_ALLOWED, .sources = "203.0.113.7"                                  \
	}

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
	const struct journal_entries access = {entries, n}, proofs = {&proof, 1};
	struct population p = {.from = from, .to = to, .at = at};

	assert_int_equal(population_make(&p, &access, &proofs), 0);
	return p;
}

/* Full until 500 and read-only until 900: narrowed 2 seconds late, extended meanwhile, removed 5 seconds late. */
static void test_periods(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "full", 400), ACCESS(2, 300, "full", 500),
		ACCESS(3, 502, "read-only", 900), ACCESS(4, 905, "none", 0)};
	struct population p = make(entries, ARRAY_SIZE(entries), 100, 1000, 1000);
	char *text;

	(void)state;
	assert_int_equal(p.n, 2);
	assert_int_equal(p.items[0].opened, 200);
	assert_int_equal(p.items[0].due, 500);
	assert_int_equal(p.items[0].ended, 502);
	assert_int_equal(p.items[0].late, 2);
	assert_int_equal(p.items[1].late, 5);
	assert_int_equal(p.items[1].proof->id, 90);
	assert_string_equal(p.items[1].person.email, "jane@acme.example");
	assert_true(population_is_late(&p));
	CAPTURED(text, population_print(&p, true, to));
	assert_non_null(strstr(text, "jane@acme.example"));
	assert_non_null(strstr(text, "\"records 3, 4; verification 90\""));
	free(text);
	CAPTURED(text, population_html(&p, "UTC", to));
	assert_harmless(text);
	assert_non_null(strstr(text, "5 seconds"));
	assert_golden("population.html", text);
	free(text);
	json_t *j = population_json(&p);
	assert_int_equal(json_array_size(json_object_get(j, "rows")), 2);
	json_decref(j);
	population_free(&p);
	/* What was over before, and what began after, is not asked for. */
	p = make(entries, ARRAY_SIZE(entries), 502, 600, 1000);
	assert_int_equal(p.n, 1);
	population_free(&p);
	p = make(entries, ARRAY_SIZE(entries), 905, 1000, 1000);
	assert_int_equal(p.n, 0);
	population_free(&p);
	p = make(entries, ARRAY_SIZE(entries), 100, 200, 1000);
	assert_int_equal(p.n, 0);
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
				     all = {proofs, ARRAY_SIZE(proofs)};
	struct population p = {.from = 100, .to = 1000, .at = 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(proofs); i++) {
		proofs[i].kind = JOURNAL_PROOF;
		proofs[i].login = "acme.jane.doe";
		proofs[i].server = "sql01";
		proofs[i].database = "AcmeTest";
		proofs[i].outcome = "verified";
	}
	assert_int_equal(population_make(&p, &access, &all), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.items[0].proof->id, 92);
	assert_null(p.items[1].proof);
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
		cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_formula),
	};
	return cmocka_run_group_tests_name("population", tests, NULL, NULL);
}
