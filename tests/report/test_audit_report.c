/* The audit as a page, as text and as JSON: golden outputs, and names that try to break out. */
#include "report_fixture.h"

#include <jansson.h>

struct audit_sample {
	struct report_fixture *s;
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
		"[dbo].[report_v2]: SQL_STORED_PROCEDURE 1DA2422EDCD9E85779E12E7145B26B0C1D0316483D2996329746CD79580D18C6",
		""},
};
static const struct audit_proof proofs[] = {
	{"acme", "acme.jane.doe", "sqltest02", "AcmeTest", LEVEL_FULL, "verified",
		"412 objects, none beyond full", GOLDEN_NOW - 20, 812},
	{"acme", "acme.jane.doe", "sql07", "AcmeProd", LEVEL_NONE, "unverified", HOSTILE,
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
	struct report_fixture *s = sample_new();

	out->s = s;
	assert_int_equal(schedule_at(&out->g, &s->program, NULL, GOLDEN_NOW), 0);
	assert_int_equal(out->g.n, 6);
	out->servers[0] = (struct audit_server){&s->servers[0], STATE_UNVERIFIED,
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

/* A history without the records that were lost would pass for all that happened. */
static void test_audit_html_names_lost_records(void **state)
{
	struct lost_span span = {
		.has_from = true, .from = 300, .to = 600, .actor = HOSTILE, .reason = "no backup"};
	struct audit_sample s;
	const char *section, *lost;
	char *text;

	(void)state;
	audit_sample_make(&s);
	s.a.lost = (struct lost_records){.items = &span, .n = 1};
	for (; s.a.history; s.a.history = NULL, s.a.n_history = 0) {
		CAPTURED(text, audit_html(&s.a, to));
		assert_harmless(text);
		section = strstr(text, "<h2>History</h2>");
		assert_non_null(section);
		lost = strstr(section,
			"records between 1970-01-01T00:05:00Z and 1970-01-01T00:10:00Z are missing");
		assert_non_null(lost);
		assert_non_null(strstr(lost, "no backup"));
		free(text);
	}
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
	assert_memory_equal(text, "ok  All access", 14);
	free(text);
	audit_sample_free(&s);
}

/* Of what was not read nobody knows that there is nothing. */
static void test_unread_is_not_none(void **state)
{
	struct audit_sample s;
	char *text;

	(void)state;
	audit_sample_make(&s);
	s.a.n_findings = s.a.n_sessions = s.a.n_proofs = 0;
	CAPTURED(text, audit_print(&s.a, to));
	assert_non_null(
		strstr(text, "Findings\nnone seen; Servers and Grants name what was not read"));
	assert_non_null(strstr(text, "Sessions\nnone seen; Servers"));
	free(text);
	CAPTURED(text, audit_html(&s.a, to));
	assert_non_null(strstr(text, "<p>None seen; the tables below name what was not read.</p>"));
	assert_non_null(
		strstr(text, "<p>None seen; Servers and Grants name what was not read.</p>"));
	free(text);
	s.servers[0].state = STATE_OK;
	s.grants[5].state = STATE_OK;
	CAPTURED(text, audit_print(&s.a, to));
	assert_non_null(strstr(text, "Findings\nnone\n"));
	assert_non_null(strstr(text, "Sessions\nnone\n"));
	free(text);
	audit_sample_free(&s);
}

static void test_audit_json(void **state)
{
	static const char *const members[] = {"practice", "at", "state", "since", "older",
		"servers", "grants", "residual", "findings", "sessions", "proofs", "journal"};
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
	const struct audit_finding finding = {.name = "x", .severity = FINDING_MEDIUM};
	const struct journal_entry accept = {.id = 1};
	struct audit_finding not_shown = {.name = AUDIT_NOT_SHOWN, .severity = FINDING_INFO};
	struct audit_server server = {.state = STATE_UNREACHABLE};
	struct audit_report a = {0};

	(void)state;
	assert_int_equal(audit_state(&a), STATE_OK);
	/* What was not shown is not verified, unless somebody accepted that. */
	a.findings = &not_shown;
	a.n_findings = 1;
	assert_int_equal(audit_state(&a), STATE_UNVERIFIED);
	not_shown.accepted = &accept;
	assert_int_equal(audit_state(&a), STATE_OK);
	a.findings = &finding;
	assert_int_equal(audit_state(&a), STATE_DRIFT);
	a.servers = &server;
	a.n_servers = 1;
	assert_int_equal(audit_state(&a), STATE_UNREACHABLE);
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
		cmocka_unit_test(test_audit_html),
		cmocka_unit_test(test_audit_html_names_lost_records),
		cmocka_unit_test(test_audit_text),
		cmocka_unit_test(test_unread_is_not_none),
		cmocka_unit_test(test_audit_json),
		cmocka_unit_test(test_audit_state),
		cmocka_unit_test(test_full_disk),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
