/* Periods of access at their edges: of one second, of a login that goes on, before the first record. */
#include "population_records.h"

#include <jansson.h>

#include "curfew/calendar.h"

/* Granted and removed in one second: a proof of none from before the grant is none of the removal. */
static void test_in_one_second(void **state)
{
	struct journal_entry entries[] = {ACCESS(2, 200, "full", 900), ACCESS(3, 200, "none", 0)};
	struct journal_entry proof = {.id = 1,
		.kind = JOURNAL_PROOF,
		.at = 200,
		.login = "acme.jane.doe",
		.server = "sql01",
		.database = "AcmeTest",
		.level = "none",
		.outcome = "verified"};
	const struct journal_entries access = {entries, 2}, proofs = {&proof, 1}, none = {0};
	const struct population_records records = {&access, &proofs, &none, NULL};
	struct population p = {.from = 200, .to = 300, .at = 1000};

	(void)state;
	assert_int_equal(population_make(&p, &records), 0);
	assert_int_equal(p.n, 1);
	assert_null(p.items[0].proof);
	population_free(&p);
}

/* The same login with no less goes on, whatever the file says of whose it is: only a new password ends the first one's. */
static void test_goes_on(void **state)
{
	struct journal_entry entries[] = {ACCESS(1, 200, "read-only", 900),
		ACCESS(2, 300, "full", 900), ACCESS(3, 400, "full", 900),
		ACCESS(4, 500, "none", 0)};
	struct journal_entry handover = {
		.at = 450, .login = "acme.jane.doe", .server = "sql01", .action = "handover"};
	const struct journal_entries access = {entries, 4}, none = {0}, events = {&handover, 1};
	char *text;

	(void)state;
	entries[2].before =
		"{\"user\":\"June Doe\",\"email\":\"june@acme.example\",\"ticket\":\"CS-1\",\"approved_by\":\"lead\",\"approved\":100,\"end\":900}";
	for (int handed = 0; handed < 2; handed++) {
		const struct population_records records = {
			&access, &none, handed ? &events : &none, NULL};
		struct population p = {.from = 100, .to = 1000, .at = 1000};

		assert_int_equal(population_make(&p, &records), 0);
		assert_int_equal(p.n, 3);
		assert_true(p.items[0].continues);
		assert_false(p.items[0].passed_on);
		assert_int_equal(p.items[1].passed_on, !handed);
		assert_int_equal(population_row_ended(&p.items[1]), handed);
		assert_true(population_row_ended(&p.items[2]));
		assert_int_equal(population_is_late(&p), !handed);
		CAPTURED(text, population_print(&p, true, to));
		assert_non_null(strstr(text, "goes on as the next row"));
		assert_int_equal(strstr(text, "another person has the login") != NULL, !handed);
		free(text);
		json_t *j = population_json(&p);
		json_t *row = json_array_get(json_object_get(j, "rows"), 0);
		assert_true(json_is_null(json_object_get(row, "ended")));
		assert_true(json_is_true(json_object_get(row, "continues")));
		row = json_array_get(json_object_get(j, "rows"), 1);
		assert_int_equal(json_is_true(json_object_get(row, "passed_on")), !handed);
		assert_true(json_is_false(json_object_get(j, "unrecorded")));
		json_decref(j);
		population_free(&p);
	}
}

#define JUNE                                                                                       \
	"{\"user\":\"June Roe\",\"email\":\"june@apex.example\",\"ticket\":\"CS-2\",\"approved_by\":\"lead\",\"approved\":100,\"end\":2000}"

/* A login that is written in the files goes on under another client, with its password: nothing was removed at the server. */
static void test_goes_on_under_another_client(void **state)
{
	static const struct {
		const char *person, *level;
		bool handed, gone, passed_on;
		instant_t from, ended, passed_until;
		int64_t late;
		const char *text;
	} cases[] = {
		{JANE, "full", false, false, false, 100, 400, 0, 0, "goes on under client apex"},
		{JUNE, "full", false, false, true, 100, 0, 0, 1100, "another person has the login"},
		{JUNE, "read-only", false, false, true, 100, 0, 0, 1100, "without a new password"},
		{JUNE, "full", false, true, true, 100, 0, 1500, 600, "until it had nothing there"},
		{JUNE, "full", true, true, false, 100, 950, 0, 0, "; handover 9"},
		/* Whoever knows the password has access after the record. */
		{JUNE, "full", false, false, true, 1900, 0, 0, 1100,
			"another person has the login"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct journal_entry entries[] = {ACCESS(1, 200, "full", 900),
			ACCESS(2, 400, "none", 0), ACCESS(3, 400, "full", 3000),
			ACCESS(4, 1500, "none", 0)};
		struct journal_entry handovers[] = {
			{.id = 8, .at = 300, .login = "acme.jane.doe", .action = "handover"},
			{.id = 9, .at = 950, .login = "acme.jane.doe", .action = "handover"}};
		const struct journal_entries access = {entries, cases[i].gone ? 4 : 3}, none = {0},
					     events = {handovers, cases[i].handed ? 2 : 1};
		const struct population_records records = {&access, &none, &events, NULL};
		struct population p = {
			.client = "acme", .from = cases[i].from, .to = 2000, .at = 2000};
		char *text;

		entries[2].client = entries[3].client = "apex";
		entries[2].before = entries[3].before = cases[i].person;
		entries[2].level = cases[i].level;
		assert_int_equal(population_make(&p, &records), 0);
		assert_int_equal(p.n, 1);
		assert_int_equal(p.items[0].passed_on, cases[i].passed_on);
		assert_int_equal(population_row_ended(&p.items[0]), !cases[i].passed_on);
		assert_int_equal(p.items[0].late, cases[i].late);
		CAPTURED(text, population_print(&p, true, to));
		assert_non_null(strstr(text, cases[i].text));
		free(text);
		json_t *j = population_json(&p);
		json_t *row = json_array_get(json_object_get(j, "rows"), 0);
		char at[INSTANT_TEXT_MAX];
		assert_string_equal(json_string_value(json_object_get(row, "moved_to")), "apex");
		if (cases[i].ended)
			assert_string_equal(json_string_value(json_object_get(row, "ended")),
				instant_format(at, cases[i].ended));
		if (cases[i].passed_until)
			assert_string_equal(
				json_string_value(json_object_get(row, "passed_on_until")),
				instant_format(at, cases[i].passed_until));
		json_decref(j);
		population_free(&p);
	}
}

/* Nobody knows of a time before the first record. */
static void test_before_the_first_record(void **state)
{
	struct population p = {
		.from = 100, .to = 1000, .at = 1000, .unrecorded = true, .first = 500};
	char *text;

	(void)state;
	CAPTURED(text, population_html(&p, "UTC", to));
	assert_null(strstr(text, "state good"));
	assert_non_null(strstr(text, "the journal begins at 1970-01-01T00:08:20Z"));
	free(text);
	CAPTURED(text, population_print(&p, false, to));
	assert_non_null(strstr(text, "Not known: the journal begins at 1970-01-01T00:08:20Z"));
	free(text);
	/* A file without a row, or a list without one, would say that nobody had access. */
	struct lost_span span = {.has_from = true, .from = 600, .to = 700, .until = INT64_MAX};
	p.lost.items = &span;
	p.lost.n = 1;
	CAPTURED(text, population_print(&p, true, to));
	assert_non_null(strstr(text, "Not known: the journal begins at 1970-01-01T00:08:20Z"));
	assert_non_null(strstr(text, "records between"));
	free(text);
	json_t *j = population_json(&p);
	assert_true(json_is_true(json_object_get(j, "unrecorded")));
	json_decref(j);
}

/* Not all rows, so no good page: another client had the database, or records are missing. */
static void test_what_is_not_listed(void **state)
{
	const struct journal_entry former = {
		.client = HOSTILE, .server = "sql01", .database = "AcmeTest"};
	const struct journal_entry *formers[] = {&former};
	struct lost_span span = {.to = 600, .until = INT64_MAX};
	struct population p = {.client = "apex", .from = 100, .to = 1000, .at = 1000};
	char *text;

	(void)state;
	p.lost = (struct lost_records){.items = &span, .n = 1};
	CAPTURED(text, population_html(&p, "UTC", to));
	assert_null(strstr(text, "state good"));
	free(text);
	p.lost.n = 0;
	p.former = formers;
	p.n_former = 1;
	CAPTURED(text, population_html(&p, "UTC", to));
	assert_harmless(text);
	assert_null(strstr(text, "state good"));
	assert_non_null(strstr(text, "database AcmeTest on sql01, which client apex has now, was"));
	free(text);
	CAPTURED(text, population_print(&p, false, to));
	assert_non_null(strstr(text, "Not listed: database AcmeTest on sql01"));
	free(text);
	json_t *j = population_json(&p);
	assert_int_equal(json_array_size(json_object_get(j, "former_clients")), 1);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_one_second),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_goes_on_under_another_client),
		cmocka_unit_test(test_before_the_first_record),
		cmocka_unit_test(test_what_is_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
