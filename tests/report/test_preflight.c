/* Of what a check and an audit report, what a preflight says of it. */
#include "report_fixture.h"

#include "curfew/preflight.h"

static struct record finding(const char *name, enum finding_severity severity, const char *login)
{
	struct record r = {.kind = RECORD_FINDING};

	r.finding.severity = severity;
	RECORD_SET(&r, server, "sql01");
	RECORD_SET(&r, login, login);
	RECORD_SET(&r, finding.name, name);
	RECORD_SET(&r, finding.remedy, "KILL 51");
	RECORD_SET(&r, detail, "evidence");
	return r;
}

/* Everything that would hold a removal up, by its name; and of the audit nothing else. */
static void test_findings(void **state)
{
	static const char *const hinder[] = {"server-trigger", "ddl-trigger", "ddl-closure",
		"database-owner", "server-owner", "agent-job", "activated-task", "queue-activation",
		"startup-procedure", "long-transaction", "bound-session", "in-doubt"};
	static const char *const harmless[] = {"linked-server", "synonym-outward", "password-set"};
	struct preflight_line l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hinder); i++) {
		const struct record r = finding(hinder[i], FINDING_MEDIUM, "");

		assert_true(preflight_line(&l, &r));
		assert_int_equal(l.result, CHECK_FAIL);
		assert_string_equal(l.name, hinder[i]);
		assert_non_null(l.why);
		assert_string_equal(l.fix, "KILL 51");
	}
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		const struct record r = finding(harmless[i], FINDING_CRITICAL, "");

		assert_false(preflight_line(&l, &r));
	}
}

/* What somebody reviewed is shown and is no fault; what another than a user of ours owns hinders nobody. */
static void test_exceptions(void **state)
{
	const struct record reviewed = finding("server-trigger", FINDING_INFO, ""),
			    theirs = finding("foreign-owner", FINDING_MEDIUM, ""),
			    ours = finding("foreign-owner", FINDING_MEDIUM, "acme.jane");
	struct preflight_line l;

	(void)state;
	assert_true(preflight_line(&l, &reviewed));
	assert_int_equal(l.result, CHECK_OK);
	assert_false(preflight_line(&l, &theirs));
	assert_true(preflight_line(&l, &ours));
	assert_int_equal(l.result, CHECK_FAIL);
}

/* Not seen is never "there is nothing". */
static void test_unseen(void **state)
{
	static const enum state bad[] = {STATE_UNREAD, STATE_UNVERIFIED, STATE_OVERDUE};
	static const enum state good[] = {STATE_OK, STATE_WAITING, STATE_DRIFT};
	struct record grant = {.kind = RECORD_GRANT}, server = {.kind = RECORD_SERVER},
		      note = {.kind = RECORD_NOTE};
	struct preflight_line l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		grant.state = bad[i];
		assert_true(preflight_line(&l, &grant));
		assert_int_equal(l.result, CHECK_FAIL);
		assert_string_equal(l.name, state_name(bad[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		grant.state = good[i];
		assert_false(preflight_line(&l, &grant));
	}
	server.state = STATE_UNREACHABLE;
	assert_true(preflight_line(&l, &server));
	assert_int_equal(l.result, CHECK_FAIL);
	server.state = STATE_OK;
	assert_false(preflight_line(&l, &server));
	note.state = STATE_UNVERIFIED;
	assert_true(preflight_line(&l, &note));
	note.state = STATE_OK;
	assert_false(preflight_line(&l, &note));
}

static void test_words(void **state)
{
	struct record r = {.kind = RECORD_CHECK, .check = {.result = CHECK_FAIL}};
	struct preflight_line l;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	RECORD_SET(&r, server, "sql01");
	RECORD_SET(&r, check.name, "certificate");
	RECORD_SET(&r, check.fix, "renew it");
	RECORD_SET(&r, detail, "valid until \033[2Jtomorrow");
	assert_true(preflight_line(&l, &r));
	preflight_line_write(to, &l);
	assert_int_equal(fclose(to), 0);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "certificate [sql01]: valid until "));
	assert_non_null(strstr(text, "; renew it\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
