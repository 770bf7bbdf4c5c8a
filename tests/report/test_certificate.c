/* A certificate as text, as a page and as JSON: golden outputs, and names that try to break out. */
#include "report_fixture.h"
#include "curfew/progress.h"

#include <jansson.h>

/* Evidence has room on a sheet. A table is as wide as its names. */
static void assert_page(const char *text)
{
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		bool named = strncmp(line, "  NAME", 6) == 0 ||
			     memmem(line, (size_t)(end - line), "<script>", 8);

		assert_true(named || end - line <= 80);
	}
}

static void test_certificate(void **state)
{
	static const struct certificate_item items[] = {
		{"login", "acme.jane.doe", "sql07", NULL, GO_LIVE + 30 * DAY + 2,
			"sys.server_principals: no such SID", 901},
		{"login", HOSTILE, "sqltest02", NULL, GO_LIVE + 30 * DAY + 2, HOSTILE, 902},
		{"user", "acme.jane.doe", "sql07", "AcmeProd", GO_LIVE + 30 * DAY + 2,
			"sys.server_principals, sys.dm_exec_sessions and sys.database_principals of 7 databases read: no "
			"login, no session, no user",
			903},
		{"element", "203.0.113.7 to 192.0.2.10:1433", NULL, NULL, GO_LIVE + 30 * DAY + 1,
			"kernel's set read back", 904},
		/* Without a record it says what there is instead. */
		{"element", "203.0.113.8", NULL, NULL, GO_LIVE + 31 * DAY, "kernel's set read back",
			0, "observed now"},
	};
	struct report_fixture *s = sample_new();
	struct certificate c = {.client = &s->clients[2],
		.ended = s->clients[2].end,
		.at = GO_LIVE + 31 * DAY,
		.items = items,
		.n = ARRAY_SIZE(items),
		.head = 910,
		.head_hash = {1, 2, 3},
		.configuration = "feed"};
	char *text;
	json_t *j;

	(void)state;
	CAPTURED(text, certificate_print(&c, to));
	assert_null(strchr(text, '\x1b'));
	assert_golden("certificate.txt", text);
	assert_page(text);
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_harmless(text);
	assert_golden("certificate.html", text);
	free(text);
	j = certificate_json(&c);
	assert_int_equal(json_array_size(json_object_get(j, "items")), 5);
	assert_true(json_is_false(json_object_get(j, "practice")));
	json_decref(j);
	free(s);
}

/* What was made in a practice state is taken for no certificate. */
static void test_practice(void **state)
{
	struct report_fixture *s = sample_new();
	struct certificate c = {
		.client = &s->clients[0], .practice = true, .at = GO_LIVE + 31 * DAY};
	char *text;
	json_t *j;

	(void)state;
	CAPTURED(text, certificate_print(&c, to));
	assert_memory_equal(text, PRACTICE_MARK, strlen(PRACTICE_MARK));
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_non_null(strstr(text, "<title>PRACTICE: "));
	assert_non_null(strstr(text, ">" PRACTICE_MARK "<"));
	free(text);
	j = certificate_json(&c);
	assert_true(json_is_true(json_object_get(j, "practice")));
	json_decref(j);
	free(s);
}

/* What remains of the customizations is on it, with the report that lists them; and nothing where none was sampled. */
static void test_customizations(void **state)
{
	struct report_fixture *s = sample_new();
	const struct sample_tally left = {GO_LIVE + 20 * DAY, 1, 2, 4, 1, 4, 1, 1, 3};
	struct certificate c = {.client = &s->clients[0], .at = GO_LIVE + 31 * DAY};
	char *text;
	json_t *j;

	(void)state;
	for (int known = 0; known < 2; known++) {
		c.custom = known ? &left : NULL;
		CAPTURED(text, certificate_print(&c, to));
		assert_int_equal(strstr(text, "Customizations that remain:") != NULL, known);
		assert_int_equal(
			strstr(text, "3 of 7 custom objects are left after go-live") != NULL,
			known);
		assert_int_equal(
			strstr(text, "`curfew inventory acme --html FILE`") != NULL, known);
		assert_page(text);
		free(text);
		CAPTURED(text, certificate_html(&c, to));
		assert_int_equal(
			strstr(text, "<h2>Customizations that remain</h2>") != NULL, known);
		free(text);
		j = certificate_json(&c);
		assert_int_equal(json_integer_value(json_object_get(
					 json_object_get(j, "customizations"), "left")),
			known ? 3 : 0);
		json_decref(j);
	}
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_practice),
		cmocka_unit_test(test_customizations),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
