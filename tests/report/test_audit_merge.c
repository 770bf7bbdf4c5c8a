/* One cause is one finding, with the evidence of all checks; what is only alike stays apart. */
#include "report_fixture.h"

#include "curfew/record.h"

static struct record found(const char *database, const char *name, enum finding_severity severity,
	const char *evidence, const char *remedy)
{
	struct record r = {.kind = RECORD_FINDING, .finding.severity = severity};

	RECORD_SET(&r, server, "sql07");
	RECORD_SET(&r, database, database);
	RECORD_SET(&r, finding.name, name);
	RECORD_SET(&r, detail, evidence);
	RECORD_SET(&r, finding.remedy, remedy);
	return r;
}

static size_t report_make(struct audit_report *a, const struct record *records, size_t n)
{
	static struct program program;
	static const struct grants none;
	const struct audit_input in = {.records = records, .n_records = n, .grants = &none};

	*a = (struct audit_report){.at = GOLDEN_NOW, .zone = "UTC", .program = &program};
	assert_int_equal(audit_build(a, &in), 0);
	return a->n_findings;
}

static void test_one_cause(void **state)
{
	const struct record records[] = {
		found("AcmeTest", "public-grant", FINDING_MEDIUM, "SELECT: GRANT ON SCHEMA::[dbo]",
			"USE [AcmeTest]; REVOKE SELECT ON SCHEMA::[dbo] FROM [public] CASCADE AS [dbo];"),
		found("AcmeTest", "new-permission", FINDING_HIGH,
			"SELECT ON SCHEMA::[dbo] TO [public]: GRANT",
			"USE [AcmeTest]; REVOKE SELECT ON SCHEMA::[dbo] TO [public] CASCADE; -- if it stays"),
		found("AcmeTest", "new-principal", FINDING_LOW, "[ghost]: SQL_USER 0x01",
			"USE [AcmeTest]; DROP USER [ghost];"),
		found("AcmeTest", "loginless-user", FINDING_MEDIUM, "ghost: created 2026-11-28",
			"USE [AcmeTest]; DROP USER [ghost];"),
	};
	struct audit_report a;

	(void)state;
	assert_int_equal(report_make(&a, records, ARRAY_SIZE(records)), 2);
	assert_string_equal(a.findings[0].name, "public-grant");
	assert_string_equal(a.findings[0].also, "new-permission");
	assert_int_equal(a.findings[0].severity, FINDING_HIGH);
	assert_string_equal(a.findings[0].evidence,
		"SELECT: GRANT ON SCHEMA::[dbo]\nSELECT ON SCHEMA::[dbo] TO [public]: GRANT");
	assert_non_null(strstr(a.findings[0].remedy, "AS [dbo]"));
	/* Whichever came first, the check that says what is wrong gives the name. */
	assert_string_equal(a.findings[1].name, "loginless-user");
	assert_string_equal(a.findings[1].also, "new-principal");
	assert_int_equal(a.findings[1].severity, FINDING_MEDIUM);
	audit_free(&a);
}

/* The check is of the server, the baseline of the database. Of two databases it is not the same. */
static void test_setting(void **state)
{
	const struct record records[] = {
		found("", "trustworthy", FINDING_CRITICAL, "AcmeTest: is_trustworthy_on = 1",
			"ALTER DATABASE [AcmeTest] SET TRUSTWORTHY OFF;"),
		found("AcmeTest", "changed-setting", FINDING_MEDIUM, "trustworthy: 1, was 0",
			"USE [AcmeTest]; SELECT * FROM sys.databases WHERE name = N'AcmeTest';"),
		found("AcmeTest", "changed-setting", FINDING_MEDIUM, "chaining: 1, was 0",
			"USE [AcmeTest]; SELECT * FROM sys.databases WHERE name = N'AcmeTest';"),
		found("", "db-chaining", FINDING_MEDIUM, "AcmeTest: is_db_chaining_on = 1",
			"ALTER DATABASE [AcmeTest] SET DB_CHAINING OFF;"),
		found("AcmeProd", "changed-setting", FINDING_MEDIUM, "trustworthy: 1, was 0",
			"USE [AcmeProd]; SELECT * FROM sys.databases WHERE name = N'AcmeProd';"),
	};
	struct audit_report a;

	(void)state;
	assert_int_equal(report_make(&a, records, ARRAY_SIZE(records)), 3);
	assert_string_equal(a.findings[0].name, "trustworthy");
	assert_string_equal(a.findings[0].also, "changed-setting");
	assert_string_equal(a.findings[0].database, "AcmeTest");
	assert_string_equal(
		a.findings[0].evidence, "AcmeTest: is_trustworthy_on = 1\ntrustworthy: 1, was 0");
	assert_string_equal(a.findings[0].remedy, "ALTER DATABASE [AcmeTest] SET TRUSTWORTHY OFF;");
	audit_free(&a);
}

static void test_note_of_two_logins(void **state)
{
	struct record records[] = {
		found("AcmeTest", "not-shown", FINDING_INFO, "equals db_owner", ""),
		found("AcmeTest", "not-shown", FINDING_INFO, "equals db_owner", ""),
		found("AcmeProd", "not-shown", FINDING_INFO, "equals db_owner", ""),
	};
	struct audit_report a;

	(void)state;
	RECORD_SET(&records[0], login, "acme.jane.doe");
	RECORD_SET(&records[1], login, "acme.bob.ray");
	assert_int_equal(report_make(&a, records, ARRAY_SIZE(records)), 2);
	assert_null(a.findings[0].login);
	assert_string_equal(a.findings[0].evidence, "equals db_owner");
	audit_free(&a);
}

/* It was there before: the check of the module would drop it. */
static void test_what_was_changed_is_shown(void **state)
{
	const struct record records[] = {
		found("AcmeTest", "execute-as-module", FINDING_HIGH,
			"[dbo].[Old]: EXECUTE AS OWNER",
			"USE [AcmeTest]; DROP PROCEDURE [dbo].[Old];"),
		found("AcmeTest", "changed-definition", FINDING_HIGH,
			"[dbo].[Old]: SQL_STORED_PROCEDURE 01, was 02",
			"USE [AcmeTest]; SELECT OBJECT_DEFINITION(OBJECT_ID(N'[dbo].[Old]'));"),
		found("AcmeTest", "changed-definition", FINDING_HIGH,
			"[dbo].[Other]: SQL_STORED_PROCEDURE 01, was 02",
			"USE [AcmeTest]; SELECT OBJECT_DEFINITION(OBJECT_ID(N'[dbo].[Other]'));"),
	};
	struct audit_report a;
	char *text;

	(void)state;
	assert_int_equal(report_make(&a, records, ARRAY_SIZE(records)), 2);
	assert_string_equal(a.findings[0].name, "execute-as-module");
	assert_null(strstr(a.findings[0].remedy, "DROP"));
	CAPTURED(text, audit_print(&a, to));
	assert_non_null(strstr(text, "a person must judge"));
	assert_null(strstr(text, "  remedy:"));
	free(text);
	audit_free(&a);
}

static void test_alike_is_not_the_same(void **state)
{
	const struct record records[] = {
		found("AcmeTest", "loginless-user", FINDING_MEDIUM, "ghost: created",
			"USE [AcmeTest]; DROP USER [ghost];"),
		found("AcmeProd", "new-principal", FINDING_HIGH, "[ghost]: SQL_USER",
			"USE [AcmeProd]; DROP USER [ghost];"),
		found("AcmeTest", "new-principal", FINDING_HIGH, "[ghost]] TO [x]: SQL_USER",
			"USE [AcmeTest]; DROP USER [ghost]] TO [x];"),
		found("AcmeTest", "new-permission", FINDING_HIGH, "SELECT TO [a]",
			"USE [AcmeTest]; REVOKE SELECT TO [a] CASCADE; -- if it stays"),
		found("AcmeTest", "grant-option", FINDING_HIGH, "b: SELECT",
			"USE [AcmeTest]; REVOKE SELECT FROM [b] CASCADE AS [dbo];"),
		found("AcmeTest", "name-unreadable", FINDING_MEDIUM, "x",
			"-- no statement can write this name"),
		found("AcmeTest", "new-object", FINDING_HIGH, "y",
			"-- no statement can write this name"),
		found("AcmeTest", "not-shown", FINDING_INFO, "z", NULL),
	};
	struct audit_report a;

	(void)state;
	assert_int_equal(report_make(&a, records, ARRAY_SIZE(records)), ARRAY_SIZE(records));
	for (size_t i = 0; i < a.n_findings; i++)
		assert_null(a.findings[i].also);
	audit_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_cause),
		cmocka_unit_test(test_setting),
		cmocka_unit_test(test_note_of_two_logins),
		cmocka_unit_test(test_what_was_changed_is_shown),
		cmocka_unit_test(test_alike_is_not_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
