/* Names, logins and the nearest word. */
#include "program/names.h"
#include "program/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static char *repeat(const char *text, int n)
{
	char *out = calloc((size_t)n, strlen(text) + 1);

	assert_non_null(out);
	for (int i = 0; i < n; i++)
		strcat(out, text);
	return out;
}

static void test_faults_by_table(void **state)
{
	static const struct {
		const char *name;
		bool is_fine;
	} rows[] = {
		{"acme", true},
		{"Acme Ltd. & Söhne", true},
		{"李雷", true},
		{"a]]b'c\"d;--", true},
		{"", false},
		{" acme", false},
		{"acme ", false},
		{"ac\tme", false},
		{"ac\nme", false},
		{"ac\x1b[2Jme", false},
		{"ac\x7fme", false},
		{"ac\xc2\x85me", false},	 /* next line, a C1 control */
		{"ac\xe2\x80\xaeme", false},	 /* right-to-left override */
		{"ac\xe2\x80\x8bme", false},	 /* zero-width space */
		{"ac\xef\xbb\xbfme", false},	 /* byte order mark */
		{"ac\xffme", false},		 /* no UTF-8 at all */
		{"ac\xc3", false},		 /* cut short */
		{"ac\xc0\xafme", false},	 /* overlong */
		{"ac\xe0\x80\xafme", false},	 /* overlong */
		{"ac\xed\xa0\x80me", false},	 /* half of a surrogate pair */
		{"ac\xf4\x90\x80\x80me", false}, /* beyond Unicode */
		{"ac\xf8\x88\x80\x80\x80me", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((name_fault(rows[i].name) == NULL) != rows[i].is_fine)
			fail_msg("row %zu: %s", i, rows[i].name);
}

static void test_length_in_utf16(void **state)
{
	static const struct {
		const char *text;
		int fits;
	} rows[] = {{"a", 128}, {"ä", 128}, {"李", 128}, {"\xf0\x9f\x90\x98", 64}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *fits = repeat(rows[i].text, rows[i].fits);
		_cleanup_free_ char *longer = repeat(rows[i].text, rows[i].fits + 1);

		assert_null(name_fault(fits));
		assert_string_equal(name_fault(longer), "is longer than 128 characters");
	}
}

static void test_emails_by_table(void **state)
{
	static const struct {
		const char *text;
		bool is_email;
	} rows[] = {
		{"jane.doe@acme.example", true},
		{"j@a.b", true},
		{"jane+sql@sub.acme.example", true},
		{"o'brien@acme.example", true},
		{"jane", false},
		{"@acme.example", false},
		{"jane@", false},
		{"jane@acme", false},
		{"jane@.example", false},
		{"jane@acme.", false},
		{"jane@acme..example", false},
		{"jane@-acme.example", false},
		{"jane@acme-.example", false},
		{"jane@@acme.example", false},
		{"jane@doe@acme.example", false},
		{".jane@acme.example", false},
		{"jane.@acme.example", false},
		{"jane..doe@acme.example", false},
		{"jane doe@acme.example", false},
		{"jane@acme example", false},
		{"<jane@acme.example>", false},
		{"jäne@acme.example", false},
		{"jane@acme.example\n", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (name_is_email(rows[i].text) != rows[i].is_email)
			fail_msg("%s", rows[i].text);
}

static void test_logins_by_table(void **state)
{
	static const struct {
		const char *client, *first, *last;
		const char *login; /* NULL: none can be made */
	} rows[] = {
		{"acme", "Jane", "Doe", "acme.jane.doe"},
		{"ACME", "JANE", "DOE", "acme.jane.doe"},
		{"Müller GmbH", "Jürgen", "Groß", "mullergmbh.jurgen.gross"},
		{"acme", "Łukasz", "Żółć", "acme.lukasz.zolc"},
		{"acme", "Þór", "Ørsted", "acme.thor.orsted"},
		{"acme", "Anna-Maria", "O'Brien", "acme.anna-maria.obrien"},
		{"acme", "Seán", "O’Neill", "acme.sean.oneill"},
		{"acme", "Anna Maria", "van der Berg", "acme.annamaria.vanderberg"},
		{"Acme Ltd.", "J.", "Doe", "acmeltd.j.doe"},
		{"acme", "...", "Doe", NULL},
		{"acme", "李", "雷", NULL},
		{"acme", "Иван", "Doe", NULL},
		{"acme", "Jane李", "Doe", NULL},
		{"acme", "Jane?", "Doe", "acme.jane.doe"},
		{"acme", "!!!", "Doe", NULL},
		{"3M", "R2", "D2", "3m.r2.d2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *login = NULL;
		int r = login_make(&login, rows[i].client, rows[i].first, rows[i].last);

		if (r != (rows[i].login ? 0 : LOGIN_UNSPEAKABLE))
			fail_msg("%s %s: %d %s", rows[i].first, rows[i].last, r,
				login ? login : "-");
		if (rows[i].login)
			assert_string_equal(login, rows[i].login);
		else
			assert_null(login);
	}
}

static void test_login_faults_by_table(void **state)
{
	static const struct {
		const char *login;
		bool is_fine;
	} rows[] = {
		{"acme.jane.doe", true},
		{"jane@acme", true},
		{"sa", false},
		{"SA", false},
		{"sa1", true},
		{"##MS_PolicyEventProcessingLogin##", false},
		{"#jane", true},
		{"ACME\\jane", false},
		{"dbo", false},
		{"Guest", false},
		{"db_owner", false},
		{"sysadmin", false},
		{"public", false},
		{"", false},
		{"jane\n", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((login_fault(rows[i].login) == NULL) != rows[i].is_fine)
			fail_msg("%s", rows[i].login);
}

static void test_folding(void **state)
{
	static const struct {
		const char *name, *folded;
	} rows[] = {
		{"ACME.Jane", "acme.jane"},
		{"MÜLLER", "müller"},
		{"ŻÓŁĆ", "żółć"},
		{"ИВАН", "иван"},
		{"", ""},
		{"[]`@{}", "[]`@{}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *folded = name_fold(rows[i].name);

		assert_string_equal(folded, rows[i].folded);
	}
}

static void test_plain_names_and_hosts(void **state)
{
	(void)state;
	assert_true(name_is_plain("sql01"));
	assert_true(name_is_plain("SQL-01_test.a"));
	assert_false(name_is_plain(""));
	assert_false(name_is_plain(".hidden"));
	assert_false(name_is_plain("-option"));
	assert_false(name_is_plain("a/b"));
	assert_false(name_is_plain("a b"));
	assert_false(name_is_plain("ä"));
	assert_true(name_is_host("sql01"));
	assert_true(name_is_host("sql_01.acme.example"));
	assert_false(name_is_host(""));
	assert_false(name_is_host("sql01."));
	assert_false(name_is_host("sql01:1433"));
	assert_false(name_is_host("sql 01"));
	assert_false(name_is_host("-sql"));
}

static void test_nearest_by_table(void **state)
{
	static const char *const words[] = {"go_live", "starts", "timezone", "users"};
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{"golive", "go_live"},
		{"GO_LIVE", "go_live"},
		{"start", "starts"},
		{"time_zone", "timezone"},
		{"user", "users"},
		{"usres", "users"},
		{"colour", NULL},
		{"x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *found = nearest_word(rows[i].word, words, ARRAY_SIZE(words));

		if (!found || !rows[i].nearest)
			assert_ptr_equal(found, rows[i].nearest);
		else
			assert_string_equal(found, rows[i].nearest);
	}
	assert_int_equal(edit_distance("", ""), 0);
	assert_int_equal(edit_distance("kitten", "sitting"), 3);
	assert_int_equal(edit_distance("", "abc"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults_by_table),
		cmocka_unit_test(test_length_in_utf16),
		cmocka_unit_test(test_emails_by_table),
		cmocka_unit_test(test_logins_by_table),
		cmocka_unit_test(test_login_faults_by_table),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_plain_names_and_hosts),
		cmocka_unit_test(test_nearest_by_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
