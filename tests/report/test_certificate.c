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
		.scheduled_end = s->clients[2].end,
		.program = &s->program,
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
	struct certificate c = {.client = &s->clients[0],
		.scheduled_end = s->clients[0].end,
		.program = &s->program,
		.practice = true,
		.at = GO_LIVE + 31 * DAY};
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
	struct certificate c = {.client = &s->clients[0],
		.scheduled_end = s->clients[0].end,
		.program = &s->program,
		.at = GO_LIVE + 31 * DAY};
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

/* Users of other names still sign in: they are named, and only an acceptance or their removal makes it clean. */
static void test_access_of_others(void **state)
{
	struct report_fixture *s = sample_new();
	const struct journal_entry accepted = {.after = "2027-01-01T00:00:00Z",
		.actor = "root",
		.reason = "CS-9: the application's"};
	struct audit_finding findings[] = {
		{.name = "contained-user",
			.severity = FINDING_HIGH,
			.server = "sql07",
			.database = "AcmeProd",
			.evidence = "eve: created 2026-11-30",
			.remedy = "DROP USER [eve]",
			.also = "new-principal",
			.id = "0a1b2c3d"},
		{.name = "nested-role",
			.also = "changed-definition, new-member",
			.severity = FINDING_MEDIUM,
			.server = "sql07",
			.database = "AcmeProd",
			.evidence = HOSTILE "\nits second line",
			.id = "1a1b2c3d"},
		/* Shown, and no failure, as in an audit. */
		{.name = "new-login",
			.severity = FINDING_LOW,
			.server = "sql07",
			.evidence = "[bob]: SQL_LOGIN",
			.id = "2a1b2c3d"},
		{.name = AUDIT_NOT_SHOWN,
			.severity = FINDING_INFO,
			.server = "sql07",
			.database = "AcmeTest",
			.evidence = "no baseline",
			.id = "3a1b2c3d"},
		/* Not of this section. */
		{.name = AUDIT_NOT_SHOWN,
			.severity = FINDING_INFO,
			.server = "sql07",
			.login = "acme.jane.doe",
			.evidence = "password expires",
			.id = "4a1b2c3d"},
		{.name = "changed-definition",
			.severity = FINDING_HIGH,
			.server = "sql07",
			.database = "AcmeProd",
			.evidence = "[dbo].[OrderAdd]",
			.id = "5a1b2c3d"},
	};
	static const struct certificate_item items[] = {{"user", "acme.jane.doe", "sql07", "Former",
		GO_LIVE + 30 * DAY, "no such user", 901}};
	struct certificate c = {.client = &s->clients[0],
		.scheduled_end = s->clients[0].end,
		.at = GO_LIVE + 31 * DAY,
		.program = &s->program,
		.items = items,
		.n = ARRAY_SIZE(items),
		.findings = findings,
		.n_findings = ARRAY_SIZE(findings)};
	char *text;

	(void)state;
	assert_int_equal(certificate_beside(&c), 3);
	CAPTURED(text, certificate_print(&c, to));
	assert_page(text);
	assert_golden("certificate_others.txt", text);
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_harmless(text);
	assert_non_null(strstr(text, "state warn"));
	assert_null(strstr(text, "state good"));
	assert_non_null(strstr(text, "eve: created 2026-11-30"));
	assert_null(strstr(text, "password expires"));
	free(text);
	json_t *j = certificate_json(&c), *others = json_object_get(j, "not_covered");
	assert_int_equal(json_array_size(json_object_get(others, "found")), 4);
	assert_int_equal(json_array_size(json_object_get(others, "not_searched")), 1);
	json_decref(j);
	for (size_t i = 0; i < ARRAY_SIZE(findings); i++)
		findings[i].accepted = &accepted;
	assert_int_equal(certificate_beside(&c), 0);
	CAPTURED(text, certificate_print(&c, to));
	assert_non_null(strstr(text, "eve: created 2026-11-30"));
	assert_non_null(strstr(
		text, "accepted until 2027-01-01T00:00:00Z by root: CS-9: the application's"));
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_non_null(strstr(text, "state good"));
	free(text);
	free(s);
}

/* What nobody looks for any more is on every page, and never among what was checked. */
static void test_forgotten(void **state)
{
	static const struct certificate_item items[] = {
		{"login", "acme.jane.doe", "sql07", NULL, GO_LIVE + 30 * DAY, "no such SID", 901},
		{CERTIFICATE_FORGOTTEN, "acme.john.roe", "sql01", NULL, GO_LIVE + 20 * DAY, HOSTILE,
			0, "root (uid 0)"},
		{CERTIFICATE_FORGOTTEN, "acme.john.roe", "sql01", "AcmeTest", GO_LIVE + 20 * DAY,
			"CS-5: scrapped", 0, "root (uid 0)"},
	};
	struct report_fixture *s = sample_new();
	struct certificate c = {.client = &s->clients[0],
		.scheduled_end = s->clients[0].end,
		.program = &s->program,
		.at = GO_LIVE + 31 * DAY,
		.items = items,
		.n = ARRAY_SIZE(items)};
	char *text;

	(void)state;
	CAPTURED(text, certificate_print(&c, to));
	assert_page(text);
	assert_non_null(strstr(text, "not verified as removed: 2\n  acme.john.roe on sql01\n"));
	assert_non_null(strstr(text, "  acme.john.roe on sql01/AcmeTest\n"));
	assert_non_null(strstr(text, ", root (uid 0)\n    because: CS-5: scrapped\n"));
	assert_non_null(strstr(text, "Logins verified as removed: 1\n"));
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_harmless(text);
	assert_non_null(strstr(text, "state warn"));
	assert_non_null(strstr(text, "All 1 logins"));
	assert_non_null(strstr(text, "2 more are not looked for any more"));
	assert_non_null(strstr(text, "because: <bdi>CS-5: scrapped</bdi>"));
	free(text);
	free(s);
}

/* What was not looked at was not verified; and whose packet filter it was is said. */
static void test_without_a_filter(void **state)
{
	struct report_fixture *s = sample_new();
	struct certificate c = {.client = &s->clients[0],
		.scheduled_end = s->clients[0].end,
		.at = GO_LIVE + 31 * DAY,
		.host = "gw02",
		.program = &s->program};
	char *text;

	(void)state;
	CAPTURED(text, certificate_print(&c, to));
	assert_non_null(strstr(text, "Allowlist entries verified as removed: 0"));
	assert_non_null(strstr(text, "by host:        gw02\n"));
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_non_null(strstr(text, "sessions, and allowlist entries of"));
	free(text);
	s->program.settings.firewall.enabled = false;
	CAPTURED(text, certificate_print(&c, to));
	assert_non_null(strstr(text, "Allowlist entries: none; this host filters nothing"));
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_non_null(strstr(text, "users, and sessions of"));
	assert_null(strstr(text, "Allowlist entries verified"));
	free(text);
	json_t *j = certificate_json(&c);
	assert_string_equal(json_string_value(json_object_get(j, "host")), "gw02");
	json_decref(j);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_filter),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_practice),
		cmocka_unit_test(test_customizations),
		cmocka_unit_test(test_access_of_others),
		cmocka_unit_test(test_forgotten),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
