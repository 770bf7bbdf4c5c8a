/* The checks that stand in front of each change: of a database's and of the server's triggers, and of a login's SID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sql/statement.h"

#include "../corpus.h"

#define DATABASE "Acme]Test"

/* A guard that throws for every trigger but those of the digests. */
static void refuses_beside(const char *text, const char *digests, const char *end)
{
	char expected[64];

	corpus_add(text);
	snprintf(expected, sizeof(expected), "NOT IN (%s))%s THROW 50002, ", digests, end);
	assert_non_null(strstr(text, expected));
	/* Of an encrypted or CLR trigger there is nothing to compare. */
	assert_non_null(strstr(text, "(m.definition IS NULL OR "));
}

/* A trigger that was not there, or had another text, when the database was read. */
static void test_guard(void **state)
{
	struct observed_trigger trigger = {.name = (char *)"guard"};
	struct observed_database d = {.name = (char *)DATABASE};
	const char *const digests[] = {"0x", "0xabab"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(digests); i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);
		assert_non_null(f);
		assert_int_equal(statement_write_guard(f, &d), 0);
		assert_int_equal(fclose(f), 0);
		refuses_beside(text, digests[i], "))");
		assert_ptr_equal(
			strstr(text,
				"SET LOCK_TIMEOUT 0;\nBEGIN TRY\nUSE [Acme]]Test]; IF DB_NAME() = N'Acme]Test' "
				"AND (EXISTS ("),
			text);
		/* Only where one fires on what Curfew does. */
		assert_non_null(strstr(text, "AND NOT (EXISTS (SELECT 1 FROM sys.trigger_events"));
		snprintf(trigger.digest, sizeof(trigger.digest), "abab");
		d.triggers = &trigger;
		d.n_triggers = 1;
	}
}

/* Whoever controls the database may hide a trigger from the agent login by a denial. */
static void test_guard_that_may_be_blind(void **state)
{
	const struct observed_database d = {.name = (char *)DATABASE, .tells_visibility = true};
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	assert_non_null(f);
	assert_int_equal(statement_write_guard(f, &d), 0);
	assert_int_equal(fclose(f), 0);
	corpus_add(text);
	assert_non_null(strstr(text,
		"AND (COALESCE(HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'VIEW DEFINITION'),\n"
		"    HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'VIEW DEFINITION'), 0) <> 1\n"
		"  OR EXISTS (SELECT 1 FROM sys.triggers"));
}

/* The name must still be that of the login that was read. */
static void test_login_guard(void **state)
{
	const struct sid sids[] = {{.size = 0}, {.bytes = {0xab, 0xcd}, .size = 2}};
	static const char *const wanted[] = {NULL,
		"IF EXISTS (SELECT 1 FROM sys.server_principals AS p WHERE p.name = N'acme.jane' AND p.sid <> 0xABCD) THROW 50002"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sids); i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);
		assert_non_null(f);
		statement_write_login_guard(f, "acme.jane", &sids[i]);
		assert_int_equal(fclose(f), 0);
		if (wanted[i])
			assert_non_null(strstr(text, wanted[i]));
		else
			assert_string_equal(text, "");
	}
}

/* Of the server's triggers those that were read and are reviewed may run. */
static void test_server_guard(void **state)
{
	struct observed_trigger triggers[] = {{.name = (char *)"known", .digest = "abab"},
		{.name = (char *)"new", .digest = "cdcd"}};
	struct observed_server o = {.triggers = triggers, .n_triggers = 2};
	char *names[] = {(char *)"known"};
	const struct strings lists[] = {{0}, {.items = names, .n = 1}};
	const char *const digests[] = {"0x", "0xabab"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);
		assert_non_null(f);
		statement_write_server_guard(f, &o, &lists[i]);
		assert_int_equal(fclose(f), 0);
		refuses_beside(text, digests[i], ")");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_guard_that_may_be_blind),
		cmocka_unit_test(test_login_guard),
		cmocka_unit_test(test_server_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
