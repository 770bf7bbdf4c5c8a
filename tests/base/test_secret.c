/* Files of secrets as people, editors, and Windows write them. */
#include "curfew/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define TEXT(literal) literal, sizeof(literal) - 1

static void test_a_secret_is_the_first_line(void **state)
{
	static const struct {
		enum secret_use use;
		const char *file;
		size_t n;
		const char *secret, *fault; /* NULL: none */
	} rows[] = {
		{SECRET_SQL, TEXT("pass word"), "pass word", NULL},
		{SECRET_SQL, TEXT("password\n"), "password", NULL},
		{SECRET_SQL, TEXT("password\r\n"), "password", NULL},
		{SECRET_SQL, TEXT("password\r"), "password", NULL},
		{SECRET_SQL, TEXT("password\r\r\nsecond line\n"), "password", NULL},
		{SECRET_SQL, TEXT("p\xc3\xa4ss\n"), "p\xc3\xa4ss", NULL},
		{SECRET_SQL, TEXT(""), NULL, "is empty"},
		{SECRET_SQL, TEXT("\npassword\n"), NULL, "has an empty first line"},
		{SECRET_SQL, TEXT("\r\npassword\r\n"), NULL, "has an empty first line"},
		{SECRET_SQL, TEXT("\xef\xbb\xbfpassword\n"), NULL, "starts with a byte order mark"},
		{SECRET_SQL, TEXT("\xff\xfep\0a\0\n\0"), NULL, "is UTF-16"},
		{SECRET_SQL, TEXT("\xfe\xff\0p\0a\0\n"), NULL, "is UTF-16"},
		{SECRET_SQL, TEXT("p\0a\0\n\0"), NULL, "contains a zero byte"},
		{SECRET_SQL, TEXT("password\n\0"), NULL, "contains a zero byte"},
		{SECRET_SQL, TEXT("pass\rword\n"), NULL, "has a carriage return"},
		{SECRET_SQL, TEXT("p\xe4ss\n"), NULL, "is not UTF-8"},
		{SECRET_MAIL, TEXT("p\xe4ss\n"), "p\xe4ss", NULL},
		{SECRET_MAIL, TEXT("\xef\xbb\xbfpassword\n"), NULL,
			"starts with a byte order mark"},
		{SECRET_KEY, TEXT("0123456789abcdef0123456789abcde\r\n"), NULL,
			"is shorter than 32"},
		{SECRET_KEY,
			TEXT("\xef\xbb\xbf"
			     "0123456789abcdef0123456789abc\r\n"),
			NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[SECRET_BYTES];

		memcpy(text, rows[i].file, rows[i].n);
		const char *fault = secret_line(text, rows[i].n, rows[i].use);
		if (!rows[i].fault != !fault ||
			(fault && strncmp(fault, rows[i].fault, strlen(rows[i].fault)) != 0))
			fail_msg("row %zu: %s", i, fault ? fault : "no fault");
		if (rows[i].secret)
			assert_string_equal(text, rows[i].secret);
	}
}

static const char *fault_of_length(size_t n, enum secret_use use)
{
	char text[SECRET_BYTES];

	memset(text, 'x', n);
	return secret_line(text, n, use);
}

static void test_a_secret_is_never_cut_off(void **state)
{
	(void)state;
	assert_null(fault_of_length(128, SECRET_SQL));
	assert_non_null(strstr(fault_of_length(129, SECRET_SQL), "longer than 128 bytes"));
	assert_null(fault_of_length(SECRET_BYTES - 2, SECRET_MAIL));
	/* As many as are read of a file: it may have more. */
	assert_non_null(strstr(fault_of_length(SECRET_BYTES - 1, SECRET_MAIL), "more than 1022"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_secret_is_the_first_line),
		cmocka_unit_test(test_a_secret_is_never_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
