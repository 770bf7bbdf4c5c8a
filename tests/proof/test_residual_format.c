/* What is said of a finding: built from plain columns, whatever the names hold; every remedy is read by the judge of T-SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proof/residual.h"

#include "../corpus.h"

#define VALUE(bytes)                                                                               \
	{                                                                                          \
		.data = (char *)(bytes), .size = sizeof(bytes) - 1                                 \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		0                                                                                  \
	}

static const struct sql_value hostile[] = {
	VALUE("x\0]\0;\0'\0"), VALUE("b\0"), VALUE("SELECT  "), VALUE("\x01\xab")};
static const struct sql_value half[] = {VALUE("\x00\xd8")};

static void words_are(const char *form, const struct sql_value *v, int n, int rc, const char *text)
{
	_cleanup_free_ char *made = NULL;

	assert_int_equal(words_make(&made, form, v, n), rc);
	assert_string_equal(made, text);
}

static void test_names_and_texts(void **state)
{
	(void)state;
	words_are("%1n|%1q|%1s", hostile, 4, 0, "x];'|[x]];']|N'x];'''");
	words_are("%1w %3t %4x", hostile, 4, 0, "[x]];'].[b] SELECT 01AB");
	/* A column that is not there, and one that is NULL, are empty. */
	words_are("<%9t%9x>", hostile, 4, 0, "<>");
	_cleanup_free_ char *made = NULL;
	assert_int_equal(words_make(&made, "DROP USER %1q", half, 1), WORDS_UNWRITABLE);
	_cleanup_free_ char *bad = NULL;
	assert_true(words_make(&bad, "%1y", half, 1) < 0);
}

static void test_securables(void **state)
{
	static const struct {
		struct sql_value v[6];
		int rc;
		const char *text;
	} cases[] = {
		{{VALUE("0"), NOTHING, NOTHING, NOTHING, NOTHING, VALUE("0")}, 0, ""},
		{{VALUE("100"), NOTHING, NOTHING, NOTHING, NOTHING, VALUE("0")}, 0, ""},
		{{VALUE("1"), VALUE("OBJECT"), VALUE("d\0"), VALUE("t\0"), VALUE("c\0"),
			 VALUE("5")},
			0, " ON OBJECT::[d].[t] ([c])"},
		{{VALUE("101"), VALUE("SERVER ROLE"), NOTHING, VALUE("r\0"), NOTHING, VALUE("9")},
			0, " ON SERVER ROLE::[r]"},
		{{VALUE("105"), VALUE("ENDPOINT"), NOTHING, VALUE("e\0"), NOTHING, VALUE("9")}, 0,
			" ON ENDPOINT::[e]"},
		{{VALUE("108"), NOTHING, NOTHING, NOTHING, NOTHING, VALUE("7")}, WORDS_UNNAMED,
			" on id 7 of class 108"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		words_are("%1o", cases[i].v, 6, cases[i].rc, cases[i].text);
}

/* Columns that fit every remedy: a permission on a schema, and whatever else stands in the same places. */
static const struct sql_value permission[] = {VALUE("g\0"), VALUE("r\0"), VALUE("SELECT"),
	VALUE("GRANT"), VALUE("3"), VALUE("SCHEMA"), NOTHING, VALUE("s\0"), NOTHING};
static const struct sql_value owned[] = {
	VALUE("p\0"), VALUE("1"), VALUE("SCHEMA"), NOTHING, VALUE("s\0"), NOTHING, NOTHING};
static const struct sql_value module[] = {VALUE("s\0"), VALUE("o\0"), VALUE("PROCEDURE"), NOTHING,
	VALUE("CERTIFICATE"), VALUE("c\0")};
static const struct sql_value session[] = {VALUE("a\0"), VALUE("52"), VALUE("60"), NOTHING};
static const struct sql_value endpoint[] = {
	VALUE("ENDPOINT"), VALUE("b\0"), VALUE("c\0"), VALUE("d\0")};
static const struct sql_value denial[] = {VALUE("REVOKE"), VALUE("g\0"), VALUE("r\0"),
	VALUE("CONNECT SQL"), NOTHING, VALUE("100"), NOTHING, NOTHING, NOTHING, NOTHING,
	VALUE("0")};
static const struct sql_value names[] = {VALUE("a\0"), VALUE("b\0"), VALUE("c\0"), VALUE("d\0")};

static void remedies_read(const struct leftover *all)
{
	for (const struct leftover *k = all; k->name; k++) {
		bool granted = strstr(k->remedy, "%5o"), owner = strstr(k->remedy, "%2o");
		const struct sql_value *v = granted			 ? permission
					    : owner			 ? owned
					    : strstr(k->remedy, "%1w")	 ? module
					    : strstr(k->remedy, "%1t::") ? endpoint
					    : strstr(k->remedy, "KILL ") ? session
					    : strstr(k->remedy, "%6o")	 ? denial
									 : names;
		int n = granted ? 9 : owner ? 7 : v == module ? 6 : v == denial ? 11 : 4;
		_cleanup_free_ char *made = NULL;
		assert_int_equal(words_make(&made, k->remedy, v, n), 0);
		assert_null(strchr(made, '%'));
		assert_null(strstr(made, "DROP TABLE"));
		corpus_add(made);
	}
}

/* The login that somebody enters with, and the one that everybody does. */
static void test_a_name_or_null(void **state)
{
	const struct sql_value one[] = {VALUE("a\0"), VALUE("b\0")},
			       all[] = {VALUE("a\0"), NOTHING};

	(void)state;
	words_are("@locallogin = %2u", one, 2, 0, "@locallogin = N'b'");
	words_are("@locallogin = %2u", all, 2, 0, "@locallogin = NULL");
}

static void test_every_remedy(void **state)
{
	(void)state;
	remedies_read(database_leftovers);
	remedies_read(server_leftovers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_texts),
		cmocka_unit_test(test_securables),
		cmocka_unit_test(test_a_name_or_null),
		cmocka_unit_test(test_every_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
