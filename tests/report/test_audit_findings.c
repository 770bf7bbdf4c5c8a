/* What an audit says of passwords, addresses, packets, and findings that it leaves out. */
#include "report_fixture.h"

#include <jansson.h>

#include "curfew/record.h"

#define CREATED (GOLDEN_NOW - 10 * DAY)

struct scene {
	struct report_fixture *s;
	struct grants grants;
	struct record records[2];
	struct audit_report a;
	struct audit_input in;
	struct firewall_state network;
};

/* Jane's login on sqltest02; what else was seen is the caller's. */
static void scene_make(struct scene *t, enum record_kind kind)
{
	*t = (struct scene){.s = sample_new()};
	assert_int_equal(schedule_at(&t->grants, &t->s->program, NULL, GOLDEN_NOW), 0);
	t->records[0] = (struct record){.kind = RECORD_LOGIN};
	t->records[0].identity.created = CREATED;
	t->records[1] = (struct record){.kind = kind};
	for (size_t i = 0; i < 2; i++) {
		RECORD_SET(&t->records[i], server, "sqltest02");
		RECORD_SET(&t->records[i], client, "acme");
		RECORD_SET(&t->records[i], login, "acme.jane.doe");
	}
	t->a = (struct audit_report){.at = GOLDEN_NOW, .zone = "UTC", .program = &t->s->program};
	t->in = (struct audit_input){.records = t->records, .n_records = 2, .grants = &t->grants};
	t->network = (struct firewall_state){.present = true, .intact = true};
	t->in.network = &t->network;
}

static size_t findings_of(struct scene *t)
{
	assert_int_equal(audit_build(&t->a, &t->in), 0);
	const size_t n = t->a.n_findings;

	audit_free(&t->a);
	t->a = (struct audit_report){.at = GOLDEN_NOW, .zone = "UTC", .program = &t->s->program};
	return n;
}

static void scene_free(struct scene *t)
{
	grants_free(&t->grants);
	free(t->s);
}

/* A handover explains a password of that server, and of the login as it is now. */
static void test_password(void **state)
{
	struct journal_entry handover = {.kind = JOURNAL_EVENT,
		.at = CREATED + DAY,
		.login = "Acme.Jane.Doe",
		.server = "sqltest02"};
	const struct journal_entries handovers = {&handover, 1};
	struct scene t;

	(void)state;
	scene_make(&t, RECORD_FINDING);
	RECORD_SET(&t.records[1], finding.name, "password-set");
	t.records[1].finding.severity = FINDING_MEDIUM;
	t.in.handovers = &handovers;
	assert_int_equal(findings_of(&t), 0);
	handover.server = "sql07";
	assert_int_equal(findings_of(&t), 1);
	handover.server = "sqltest02";
	handover.at = CREATED - DAY;
	assert_int_equal(findings_of(&t), 1);
	t.in.handovers = NULL;
	assert_int_equal(findings_of(&t), 1);
	scene_free(&t);
}

/* An address whose time has passed is none of the user's any more: neither of a session, nor on the page. */
static void test_address(void **state)
{
	instant_t ends[] = {GOLDEN_NOW + 60, SOURCE_NO_END, SOURCE_NO_END};
	struct scene t;
	char *text;

	(void)state;
	scene_make(&t, RECORD_SESSION);
	sample_source(&t.s->sources[0], "198.51.100.9", 32);
	t.s->users[0][0].source_ends = ends;
	RECORD_SET(&t.records[1], session.address, "198.51.100.9");
	assert_int_equal(findings_of(&t), 0);
	ends[0] = GOLDEN_NOW;
	assert_int_equal(findings_of(&t), 1);
	t.s->users[0][0].n_sources = 1;
	t.a.client = "acme";
	assert_int_equal(audit_build(&t.a, &t.in), 0);
	t.a.n_sessions = t.a.n_findings = 0;
	CAPTURED(text, audit_html(&t.a, to));
	assert_null(strstr(text, "198.51.100.9"));
	free(text);
	ends[0] = GOLDEN_NOW + 60;
	CAPTURED(text, audit_html(&t.a, to));
	assert_non_null(strstr(text, "198.51.100.9</code> (until "));
	free(text);
	audit_free(&t.a);
	scene_free(&t);
}

/* Packets that nobody counted are not none, and what is left out is not gone. */
static void test_what_is_not_there(void **state)
{
	const struct firewall_state network = {0};
	struct scene t;

	(void)state;
	scene_make(&t, RECORD_LOGIN);
	for (int read = 0; read < 2; read++) {
		t.in.network = read ? &network : NULL;
		assert_int_equal(audit_build(&t.a, &t.in), 0);
		t.a.since = read ? GOLDEN_NOW - DAY : 0;
		t.a.n_older = (size_t)read;
		json_t *j = audit_json(&t.a);
		const json_t *grant = json_array_get(json_object_get(j, "grants"), 0);
		assert_int_equal(json_is_integer(json_object_get(grant, "packets")), read);
		assert_int_equal(json_is_integer(json_object_get(j, "older")), read);
		assert_int_equal(json_is_string(json_object_get(j, "since")), read);
		json_decref(j);
		audit_free(&t.a);
	}
	t.a = (struct audit_report){.zone = "UTC", .program = &t.s->program, .n_older = 1};
	char *text;
	CAPTURED(text, audit_html(&t.a, to));
	assert_non_null(strstr(text, "state warn"));
	assert_non_null(strstr(text, "older findings are not listed"));
	assert_non_null(strstr(text, "The journal has no records."));
	free(text);
	t.a.archived = 900;
	CAPTURED(text, audit_html(&t.a, to));
	assert_non_null(strstr(text, "The records up to 900 are in archives"));
	assert_non_null(strstr(text, "The journal has no other records."));
	free(text);
	scene_free(&t);
}

/* Nobody is blocked by a packet filter without its table; and one that was not read shows nothing. */
static void test_network(void **state)
{
	struct scene t;

	(void)state;
	scene_make(&t, RECORD_LOGIN);
	assert_int_equal(findings_of(&t), 0);
	t.network.intact = false;
	assert_int_equal(findings_of(&t), 2);
	t.network = (struct firewall_state){0};
	assert_int_equal(audit_build(&t.a, &t.in), 0);
	assert_string_equal(t.a.findings[0].name, AUDIT_UNGUARDED);
	audit_free(&t.a);
	t.in.network = NULL;
	t.a = (struct audit_report){.at = GOLDEN_NOW, .zone = "UTC", .program = &t.s->program};
	assert_int_equal(audit_build(&t.a, &t.in), 0);
	assert_int_equal(t.a.n_findings, 1);
	assert_string_equal(t.a.findings[0].name, AUDIT_NOT_SHOWN);
	audit_free(&t.a);
	t.a = (struct audit_report){.at = GOLDEN_NOW, .zone = "UTC", .program = &t.s->program};
	t.s->program.settings.firewall.enabled = false;
	assert_int_equal(findings_of(&t), 0);
	scene_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_what_is_not_there),
	};
	return cmocka_run_group_tests_name("findings of an audit", tests, NULL, NULL);
}
