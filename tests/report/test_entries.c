/* Records of the journal as text, at every width. */
#include "report_fixture.h"

static const struct journal_entry entries[] = {
	{.id = 8,
		.kind = JOURNAL_EVENT,
		.at = GOLDEN_NOW - 90,
		.actor = "root (uid 0), sudo by ops7",
		.reason = "a laptop was stolen at the airport in Chicago; Jane called at 02:10, "
			  "ticket CS-50117",
		.client = "acme",
		.login = "acme.jane.doe",
		.action = "revoke",
		.outcome = "done"},
	{.id = 9,
		.kind = JOURNAL_INTENT,
		.at = GOLDEN_NOW - 89,
		.actor = "service",
		.reason = "revoked",
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.action = "member-drop",
		.statement = "USE [AcmeTest]; ALTER ROLE [curfew_full] DROP MEMBER "
			     "[acme.jane.doe];"},
	{.id = 10,
		.kind = JOURNAL_INTENT,
		.at = GOLDEN_NOW - 89,
		.actor = "service",
		.reason = "revoked",
		.client = "acme",
		.login = "jane",
		.server = "sql07",
		.action = "login-drop",
		.statement = "DROP LOGIN [jane];"},
	{.id = 11,
		.kind = JOURNAL_OUTCOME,
		.intent = 9,
		.at = GOLDEN_NOW - 89,
		.actor = "service",
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.action = "member-drop",
		.outcome = "done"},
	{.id = 12,
		.kind = JOURNAL_OUTCOME,
		.intent = 10,
		.at = GOLDEN_NOW - 80,
		.actor = "service",
		.client = "acme",
		.login = "jane",
		.server = "sql07",
		.action = "login-drop",
		.outcome = "failed",
		.detail = "15434: Could not drop login, the user is currently logged in. " HOSTILE},
	/* Its intent lies before what was asked for. */
	{.id = 13,
		.kind = JOURNAL_OUTCOME,
		.intent = 7,
		.at = GOLDEN_NOW - 80,
		.actor = "service",
		.server = "sql07",
		.action = "role-create",
		.outcome = "done"},
	{.id = 14,
		.kind = JOURNAL_INTENT,
		.at = GOLDEN_NOW - 79,
		.actor = "service",
		.server = "sql07",
		.database = "AcmeProd",
		.action = "role-create",
		.statement = "CREATE ROLE [curfew_full];"},
	{.id = 15,
		.kind = JOURNAL_ACCESS,
		.at = GOLDEN_NOW - 79,
		.actor = "service",
		.reason = "drift",
		.client = "lumen",
		.login = "lumen.zoe.angstroem",
		.server = "sql07",
		.database = "\xe6\x9d\xb1\xe4\xba\xac\xe6\x94\xaf\xe5\xba\x97",
		.level = "read-only",
		.sources = "203.0.113.7, 198.51.100.0/29, 2001:db8:7::/64",
		.until = GO_LIVE},
	{.id = 100,
		.kind = JOURNAL_PROOF,
		.at = GOLDEN_NOW - 79,
		.client = "lumen",
		.login = "lumen.zoe.angstroem",
		.server = "sql07",
		.database = "AcmeProd",
		.level = "none",
		.outcome = "unverified",
		.detail = "no right to impersonate"},
	{.id = 101,
		.kind = JOURNAL_EVENT,
		.at = GOLDEN_NOW,
		.actor = HOSTILE,
		.reason = "one " HOSTILE " two",
		.action = "clock-reset",
		.before = "2031-01-01T00:00:00Z",
		.after = "2026-11-11T15:00:00Z"},
};

/* What was not confirmed to be allowed has its addresses too. */
static void test_the_network(void **state)
{
	struct journal_entry e = {.after = ACCESS_UNCONFIRMED, .sources = "203.0.113.7"};

	(void)state;
	char *text = access_text(access_network_write, &e);
	assert_string_equal(text, "not confirmed: 203.0.113.7");
	free(text);
	e.after = ACCESS_ALLOWED;
	text = access_text(access_network_write, &e);
	assert_string_equal(text, "203.0.113.7");
	free(text);
}

/* Who asked and why are there, at every width; lines keep to it, and nothing is lost by breaking them. */
static void test_entries(void **state)
{
	char *narrow, *wide, *whole, *joined, *a, *b;
	size_t n = 0;

	(void)state;
	CAPTURED(narrow, entries_print(entries, ARRAY_SIZE(entries), to, 80));
	CAPTURED(wide, entries_print(entries, ARRAY_SIZE(entries), to, 120));
	CAPTURED(whole, entries_print(entries, ARRAY_SIZE(entries), to, 0));
	assert_null(strchr(wide, '\x1b'));
	assert_null(strstr(wide, "\xe2\x80\xae"));
	CAPTURED(joined, (fprintf(to, "%s\n%s\n%s", narrow, wide, whole) < 0));
	assert_golden("entries.txt", joined);
	assert_non_null(strstr(whole,
		"by root (uid 0), sudo by ops7: a laptop was stolen at the airport in Chicago; "
		"Jane called at 02:10, ticket CS-50117\n"));
	for (const char *line = narrow; *line; line += strcspn(line, "\n") + 1) {
		size_t cells = 0, length = strcspn(line, "\n");

		for (size_t i = 0; i < length; i++)
			cells += ((unsigned char)line[i] & 0xc0) != 0x80;
		assert_true(cells <= 80);
	}
	/* Word for word the same. */
	a = narrow;
	b = whole;
	for (char *word; (word = strtok_r(NULL, " \n", &a)) != NULL; n++)
		assert_string_equal(word, strtok_r(NULL, " \n", &b));
	assert_null(strtok_r(NULL, " \n", &b));
	assert_true(n > 100);
	free(narrow);
	free(wide);
	free(whole);
	free(joined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_network),
		cmocka_unit_test(test_entries),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
