/* Passwords that nobody knows: long, of every kind that policies ask for, never the same, harmless in T-SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include <sodium.h>

#include "curfew/sql.h"

#define MANY 2000

static void test_policy(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++) {
		char *password = sql_password_new();
		bool upper = false, lower = false, digit = false, other = false;

		assert_non_null(password);
		assert_int_equal(strlen(password), 32);
		for (const char *c = password; *c; c++) {
			upper = upper || isupper((unsigned char)*c);
			lower = lower || islower((unsigned char)*c);
			digit = digit || isdigit((unsigned char)*c);
			other = other || ispunct((unsigned char)*c);
			/* Nothing that ends a string, or that a connection string reads as its own. */
			assert_null(strchr("'\"[]{};=\\ ", *c));
		}
		assert_true(upper && lower && digit && other);
		assert_true(isalpha((unsigned char)password[0]));
		sodium_free(password);
	}
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void test_never_the_same(void **state)
{
	static char all[MANY][33];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		char *password = sql_password_new();

		assert_non_null(password);
		memcpy(all[i], password, sizeof(all[i]));
		sodium_free(password);
	}
	qsort(all, MANY, sizeof(all[0]), text_compare);
	for (int i = 1; i < MANY; i++)
		assert_string_not_equal(all[i - 1], all[i]);
}

/* Every place after the first four takes every kind: none is fixed. */
static void test_places_vary(void **state)
{
	bool seen[33][256] = {{false}};

	(void)state;
	for (int i = 0; i < MANY; i++) {
		char *password = sql_password_new();

		assert_non_null(password);
		for (size_t k = 0; k < 32; k++)
			seen[k][(unsigned char)password[k]] = true;
		sodium_free(password);
	}
	for (size_t k = 0; k < 32; k++) {
		size_t n = 0;
		for (size_t c = 0; c < 256; c++)
			n += seen[k][c];
		/* 24, 24, 8 and 5 characters of a kind; 61 where any may stand. */
		assert_true(k < 4 ? n >= 5 : n > 50);
	}
}

/* As a server's message repeats its statement, which is cut at some length. */
static void test_a_cut_message_tells_it(void **state)
{
	static const char text[] = "CREATE LOGIN [a] WITH PASSWORD = N'Kd7-mmPq_2zz'";
	char cut[sizeof(text)];

	(void)state;
	snprintf(cut, sizeof(cut), "%.*s", 44, text);
	assert_true(sql_password_is_told(text, "Kd7-mmPq_2zz"));
	assert_true(sql_password_is_told(cut, "Kd7-mmPq_2zz"));
	assert_false(sql_password_is_told(text, "Kd8-mmPq_2zz"));
	assert_false(sql_password_is_told(text, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_never_the_same),
		cmocka_unit_test(test_places_vary),
		cmocka_unit_test(test_a_cut_message_tells_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
