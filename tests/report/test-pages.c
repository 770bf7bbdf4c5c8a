/* Timelines, calendars, pages and certificates: golden outputs, and names that try to break out. */
#include "report-fixture.h"

#include <jansson.h>

#define GOLDEN_NOW (GO_LIVE - 12 * DAY)

static char *picture(const struct sample *s, size_t client, const struct overrides *o,
	instant_t now, size_t width)
{
	struct timeline t;
	char *text;

	assert_int_equal(timeline_make(&t, &s->program, &s->clients[client], o, now), 0);
	CAPTURED(text, timeline_print(&t, to, width));
	timeline_free(&t);
	return text;
}

static void test_timeline_text(void **state)
{
	struct sample *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GO_LIVE - 20 * DAY};
	char *all[] = {
		picture(s, 0, NULL, GO_LIVE - 140 * DAY, 100),
		picture(s, 0, NULL, GOLDEN_NOW, 100),
		picture(s, 0, NULL, GO_LIVE + 3 * DAY, 80),
		picture(s, 0, NULL, GO_LIVE + 40 * DAY, 80),
		picture(s, 0, &(struct overrides){&item, 1}, GOLDEN_NOW, 80),
		picture(s, 1, NULL, GOLDEN_NOW, 80),
		picture(s, 2, NULL, GOLDEN_NOW, 1),
	};
	char *joined = NULL;

	(void)state;
	CAPTURED(joined, (fprintf(to, "%s\n%s\n%s\n%s\n%s\n%s\n%s", all[0], all[1], all[2], all[3],
				  all[4], all[5], all[6]) < 0));
	assert_golden("timelines", joined);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		free(all[i]);
	free(joined);
	free(s);
}

/* Bars never overlap, follow one another, end with access, and say what the schedule says. */
static void test_timeline_equals_schedule(void **state)
{
	struct sample *s = sample_new();

	(void)state;
	s->databases[0][0].before_go_live = LEVEL_READ_ONLY;
	for (size_t c = 0; c < 3; c++) {
		struct timeline t;

		assert_int_equal(
			timeline_make(&t, &s->program, &s->clients[c], NULL, GOLDEN_NOW), 0);
		for (instant_t at = s->clients[c].starts - DAY; at < s->clients[c].end + DAY;
			at += 3 * 3600) {
			struct grants g;

			assert_int_equal(schedule_at(&g, &s->program, NULL, at), 0);
			for (size_t i = 0; i < g.n; i++) {
				enum level level = LEVEL_NONE;

				if (g.items[i].client != &s->clients[c])
					continue;
				for (size_t b = 0; b < t.n_bars; b++) {
					const struct timeline_bar *bar = &t.bars[b];

					if (&s->clients[c].databases[bar->database] ==
							g.items[i].database &&
						bar->from <= at && at < bar->until) {
						assert_int_equal(level, LEVEL_NONE);
						level = bar->level;
					}
				}
				assert_int_equal(level, g.items[i].level);
			}
			grants_free(&g);
		}
		timeline_free(&t);
	}
	free(s);
}

/* Nothing of a hostile name may stand as markup, and no control or turning mark as itself. */
static void assert_harmless(const char *page)
{
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "</td><script"));
	assert_null(strstr(page, "<b>Bobby"));
	assert_null(strstr(page, "\"onmouseover"));
	assert_null(strchr(page, '\x1b'));
	assert_null(strstr(page, "\xe2\x80\xae"));
}

static void test_svg(void **state)
{
	struct sample *s = sample_new();
	struct timeline t[3];
	char *text;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			timeline_make(&t[i], &s->program, &s->clients[i], NULL, GOLDEN_NOW), 0);
	CAPTURED(text, timelines_svg(t, 3, to));
	assert_harmless(text);
	assert_golden("timelines.svg", text);
	free(text);
	for (size_t i = 0; i < 3; i++)
		timeline_free(&t[i]);
	free(s);
}

/* Long names and durations, and marks that lie at nearly one instant: the browser's test looks whether words meet. */
static void test_svg_crowded(void **state)
{
	struct sample *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GO_LIVE + DAY / 2};
	struct timeline t[2];
	char *text;

	(void)state;
	s->databases[0][0].name = (char *)"Acme_Corporation_Production_Customer_Relations_2026";
	s->clients[0].timezone = s->clients[1].timezone = (char *)"Pacific/Chatham";
	s->clients[0].approved = s->clients[0].starts = GO_LIVE - DAY / 4;
	s->clients[0].staging_end = GO_LIVE + DAY / 4;
	s->clients[1].name =
		(char *)"an-organisation-whose-name-is-as-long-as-names-of-organisations-may-be";
	assert_int_equal(timeline_make(&t[0], &s->program, &s->clients[0],
				 &(struct overrides){&item, 1}, GO_LIVE - 340 * DAY - 82800),
		0);
	assert_int_equal(timeline_make(&t[1], &s->program, &s->clients[1], NULL,
				 GO_LIVE - 104 * DAY + 82800),
		0);
	CAPTURED(text, timelines_svg(t, 2, to));
	assert_golden("timelines-crowded.svg", text);
	free(text);
	timeline_free(&t[0]);
	timeline_free(&t[1]);
	free(s);
}

static void assert_calendar_lines(const char *text)
{
	const char *line = text;

	while (*line) {
		const char *end = strstr(line, "\r\n");

		assert_non_null(end);
		assert_true(end - line <= 75);
		/* Folded between characters: a continuation never begins within one. */
		assert_true((line[line[0] == ' '] & 0xc0) != 0x80);
		for (const char *p = line; p < end; p++)
			assert_true((unsigned char)*p >= 0x20);
		line = end + 2;
	}
}

static char *calendar(struct sample *s, const struct overrides *o, instant_t now)
{
	struct timeline t[3];
	char *text;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(timeline_make(&t[i], &s->program, &s->clients[i], o, now), 0);
	CAPTURED(text, timelines_ics(t, 3, to, now));
	for (size_t i = 0; i < 3; i++)
		timeline_free(&t[i]);
	return text;
}

static size_t occurrences(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
		n++;
	return n;
}

static void test_calendar(void **state)
{
	struct sample *s = sample_new();
	struct override item = {.client = (char *)"acme", .at = GOLDEN_NOW - 1};
	char *text = calendar(s, NULL, GOLDEN_NOW), *again, *a, *b;
	char uid[64];

	(void)state;
	assert_calendar_lines(text);
	assert_golden("changes.ics", text);
	/* acme: go-live, staging end, end; lumen: end of testing; the third: staging end, end. */
	assert_int_equal(occurrences(text, "BEGIN:VEVENT"), 6);
	/* A go-live that moves keeps its UID. */
	a = strstr(text, "UID:");
	assert_non_null(a);
	snprintf(uid, sizeof(uid), "%.43s", a);
	s->clients[0].go_live += 7 * DAY;
	s->clients[0].staging_end += 7 * DAY;
	s->clients[0].end += 7 * DAY;
	again = calendar(s, NULL, GOLDEN_NOW + 60);
	b = strstr(again, "UID:");
	assert_non_null(b);
	assert_memory_equal(uid, b, strlen(uid));
	assert_non_null(strstr(again, "DTSTART:20261130T150000Z"));
	free(again);
	/* What is revoked has nothing to come. */
	again = calendar(s, &(struct overrides){&item, 1}, GOLDEN_NOW);
	assert_int_equal(occurrences(again, "BEGIN:VEVENT"), 3);
	free(again);
	again = calendar(s, NULL, GO_LIVE + 400 * DAY);
	assert_int_equal(occurrences(again, "BEGIN:VEVENT"), 0);
	free(again);
	free(text);
	free(s);
}

struct audit_sample {
	struct sample *s;
	struct grants g;
	struct audit_server servers[2];
	struct audit_grant grants[6];
	struct audit_report a;
};

static const struct audit_session sessions[] = {
	{"sqltest02", "acme", "acme.jane.doe", "203.0.113.7",
		"Microsoft SQL Server Management Studio - Query", 57, GOLDEN_NOW - 3000, NULL},
	{"sqltest02", "acme", "acme.jane.doe", "192.0.2.66", HOSTILE, 61, GOLDEN_NOW - 60,
		"address is not among this user's sources"},
};
static const struct audit_finding findings[] = {
	{"trigger-changed", FINDING_MEDIUM, "sqltest02", "AcmeTest", "acme", NULL,
		"[dbo].[tr_orders] changed since the baseline of 2026-08-10",
		"-- compare with the baseline, then\nDISABLE TRIGGER [dbo].[tr_orders] ON [dbo].[orders];"},
	{"guest-connect", FINDING_CRITICAL, "sql07", "AcmeProd", NULL, NULL,
		"guest may connect: " HOSTILE,
		"USE [AcmeProd];\nREVOKE CONNECT FROM GUEST; -- " HOSTILE},
	{"new-object", FINDING_INFO, "sqltest02", "AcmeTest", "acme", HOSTILE,
		"[dbo].[report_v2] is new", ""},
};
static const struct audit_proof proofs[] = {
	{"acme", "acme.jane.doe", "sqltest02", "AcmeTest", LEVEL_FULL, "proved",
		"412 objects, none beyond full", GOLDEN_NOW - 20, 812},
	{"acme", "acme.jane.doe", "sql07", "AcmeProd", LEVEL_NONE, "unproved", HOSTILE,
		GOLDEN_NOW - 20, 0},
};
static const struct journal_entry history[] = {
	{.id = 811,
		.kind = JOURNAL_INTENT,
		.at = GOLDEN_NOW - 30,
		.actor = "service",
		.reason = "drift",
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.action = "role-drop",
		.statement = "ALTER ROLE [db_owner] DROP MEMBER [acme.jane.doe];"},
	{.id = 812,
		.kind = JOURNAL_OUTCOME,
		.intent = 811,
		.at = GOLDEN_NOW - 29,
		.actor = "service",
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sqltest02",
		.database = "AcmeTest",
		.action = "role-drop",
		.outcome = "done",
		.detail = HOSTILE},
};

static void audit_sample_make(struct audit_sample *out)
{
	struct sample *s = sample_new();

	out->s = s;
	assert_int_equal(schedule_at(&out->g, &s->program, NULL, GOLDEN_NOW), 0);
	assert_int_equal(out->g.n, 6);
	out->servers[0] = (struct audit_server){&s->servers[0], STATE_UNPROVED,
		"Microsoft SQL Server 2017 (14.0.3456)", "no right to impersonate", 3};
	out->servers[1] = (struct audit_server){
		&s->servers[1], STATE_OK, "Microsoft SQL Server 2017 (14.0.3456)", NULL, 3};
	for (size_t i = 0; i < 6; i++)
		out->grants[i] = (struct audit_grant){.wanted = &out->g.items[i],
			.state = STATE_OK,
			.seen = true,
			.observed = out->g.items[i].level};
	out->grants[0].state = STATE_OVERDUE;
	out->grants[0].observed = LEVEL_FULL;
	out->grants[0].detail = HOSTILE;
	out->grants[5].state = STATE_UNREACHABLE;
	out->grants[5].seen = false;
	out->a = (struct audit_report){.at = GOLDEN_NOW,
		.zone = "America/Chicago",
		.program = &s->program,
		.servers = out->servers,
		.n_servers = 2,
		.grants = out->grants,
		.n_grants = 6,
		.sessions = sessions,
		.n_sessions = ARRAY_SIZE(sessions),
		.findings = findings,
		.n_findings = ARRAY_SIZE(findings),
		.proofs = proofs,
		.n_proofs = ARRAY_SIZE(proofs),
		.history = history,
		.n_history = ARRAY_SIZE(history),
		.head = 812,
		.head_hash = {0xab, 0xcd}};
}

static void audit_sample_free(struct audit_sample *s)
{
	grants_free(&s->g);
	free(s->s);
}

static void test_audit_html(void **state)
{
	struct audit_sample s;
	char *text;

	(void)state;
	audit_sample_make(&s);
	CAPTURED(text, audit_html(&s.a, to));
	assert_harmless(text);
	assert_golden("audit.html", text);
	free(text);
	s.a.client = "acme";
	CAPTURED(text, audit_html(&s.a, to));
	assert_null(strstr(text, "lumen"));
	free(text);
	audit_sample_free(&s);
}

static void test_audit_text(void **state)
{
	struct audit_sample s;
	char *text;

	(void)state;
	audit_sample_make(&s);
	CAPTURED(text, audit_print(&s.a, to));
	assert_null(strchr(text, '\x1b'));
	assert_golden("audit.txt", text);
	free(text);
	/* Nothing at all. */
	s.a = (struct audit_report){.zone = "UTC", .program = s.a.program};
	CAPTURED(text, audit_print(&s.a, to));
	assert_memory_equal(text, "ok  Everything", 14);
	free(text);
	audit_sample_free(&s);
}

static void test_audit_json(void **state)
{
	static const char *const members[] = {
		"at", "state", "servers", "grants", "findings", "sessions", "proofs", "journal"};
	struct audit_sample s;
	json_t *j, *grant;
	size_t n = 0;

	(void)state;
	audit_sample_make(&s);
	j = audit_json(&s.a);
	assert_non_null(j);
	for (void *i = json_object_iter(j); i; i = json_object_iter_next(j, i))
		assert_string_equal(json_object_iter_key(i), members[n++]);
	assert_int_equal(n, ARRAY_SIZE(members));
	assert_string_equal(json_string_value(json_object_get(j, "state")), "overdue");
	assert_int_equal(json_array_size(json_object_get(j, "grants")), 6);
	grant = json_array_get(json_object_get(j, "grants"), 5);
	assert_string_equal(json_string_value(json_object_get(grant, "state")), "unreachable");
	assert_true(json_is_null(json_object_get(grant, "observed")));
	json_decref(j);
	audit_sample_free(&s);
}

static void test_audit_state(void **state)
{
	const struct audit_finding finding = {.severity = FINDING_MEDIUM};
	struct audit_server server = {.state = STATE_UNREACHABLE};
	struct audit_report a = {0};

	(void)state;
	assert_int_equal(audit_state(&a), STATE_OK);
	a.findings = &finding;
	a.n_findings = 1;
	assert_int_equal(audit_state(&a), STATE_DRIFT);
	a.servers = &server;
	a.n_servers = 1;
	assert_int_equal(audit_state(&a), STATE_UNREACHABLE);
}

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
		.outcome = "unproved",
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

static void test_certificate(void **state)
{
	static const struct certificate_item items[] = {
		{"login", "acme.jane.doe", "sql07", NULL, GO_LIVE + 30 * DAY + 2,
			"sys.server_principals: no such SID", 901},
		{"login", HOSTILE, "sqltest02", NULL, GO_LIVE + 30 * DAY + 2, HOSTILE, 902},
		{"user", "acme.jane.doe", "sql07", "AcmeProd", GO_LIVE + 30 * DAY + 2,
			"sys.database_principals: no such SID", 903},
		{"element", "203.0.113.7 to 192.0.2.10:1433", NULL, NULL, GO_LIVE + 30 * DAY + 1,
			"kernel's set read back", 904},
	};
	struct sample *s = sample_new();
	struct certificate c = {.client = &s->clients[2],
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
	free(text);
	CAPTURED(text, certificate_html(&c, to));
	assert_harmless(text);
	assert_golden("certificate.html", text);
	free(text);
	j = certificate_json(&c);
	assert_int_equal(json_array_size(json_object_get(j, "items")), 4);
	json_decref(j);
	free(s);
}

/* A page that could not be written whole is an error, not a shorter page. */
static void test_full_disk(void **state)
{
	struct audit_sample s;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	audit_sample_make(&s);
	assert_int_equal(audit_html(&s.a, full), -5);
	fclose(full);
	audit_sample_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeline_text),
		cmocka_unit_test(test_timeline_equals_schedule),
		cmocka_unit_test(test_svg),
		cmocka_unit_test(test_svg_crowded),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_audit_html),
		cmocka_unit_test(test_audit_text),
		cmocka_unit_test(test_audit_json),
		cmocka_unit_test(test_audit_state),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_full_disk),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
