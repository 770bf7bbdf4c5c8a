/* Names as bytes: nothing that a server can send breaks a reading, and no two names become one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "../program/random.h"
#include "sql/name.h"

#include "../corpus.h"

#define DECODES(bytes, text)                                                                       \
	do {                                                                                       \
		_cleanup_free_ char *got = name_decode((bytes), sizeof(bytes) - 1);                \
		assert_non_null(got);                                                              \
		assert_string_equal(got, (text));                                                  \
	} while (0)

static void test_names_are_decoded(void **state)
{
	(void)state;
	DECODES("", "");
	DECODES("a\0b\0", "ab");
	DECODES("\351\0\254\040", "\303\251\342\202\254");
	DECODES("\075\330\000\336", "\360\237\230\200");
	/* NUL would cut the name short, and make it another one. */
	DECODES("a\0\0\0b\0", "a\357\277\275b");
	DECODES("\377\377", "\357\277\277");
}

static void test_half_a_pair_stays_what_it_is(void **state)
{
	(void)state;
	DECODES("a\0\000\330b\0", "a\355\240\200b");
	DECODES("a\0\000\330", "a\355\240\200");
	DECODES("\000\334\000\330", "\355\260\200\355\240\200");
	DECODES("\000\330\000\330\000\334", "\355\240\200\360\220\200\200");
	assert_null(name_decode("abc", 3));
	assert_null(name_decode(NULL, 0));
}

static void test_no_two_names_become_one(void **state)
{
	static const unsigned units[] = {'a', 0xe9, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xfffe, 0x20ac};
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char bytes[2][12];
		size_t size[2];
		for (int k = 0; k < 2; k++) {
			size[k] = 2 * prng_below(&p, 7);
			for (size_t n = 0; n < size[k]; n += 2) {
				unsigned unit = units[prng_below(&p, ARRAY_SIZE(units))];
				bytes[k][n] = (char)(unit & 0xff);
				bytes[k][n + 1] = (char)(unit >> 8);
			}
		}
		_cleanup_free_ char *a = name_decode(bytes[0], size[0]);
		_cleanup_free_ char *b = name_decode(bytes[1], size[1]);
		bool same = size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]);
		assert_non_null(a);
		assert_non_null(b);
		assert_int_equal(!strcmp(a, b), same);
	}
}

static char *sendable(const char *batch)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	batch_write_sendable(to, batch, NULL);
	assert_int_equal(fclose(to), 0);
	corpus_add(text);
	return text;
}

static void test_a_batch_names_what_cannot_be_written(void **state)
{
	(void)state;
	_cleanup_free_ char *plain = sendable("DROP USER [o'brien\360\237\230\200];");
	_cleanup_free_ char *half = sendable("DROP USER [o'b\355\240\200];");

	assert_string_equal(plain, "DROP USER [o'brien\360\237\230\200];");
	assert_string_equal(half,
		"DECLARE @batch nvarchar(max) = CAST(N'' AS nvarchar(max)) + N'DROP USER [o''b' + CAST(0x00D8 AS nchar(1)) + "
		"N'];'; EXEC sys.sp_executesql @batch;");
	assert_true(name_is_whole("\355\237\277 \356\200\200"));
	assert_false(name_is_whole("a\355\277\277"));
	assert_false(name_is_whole("\355\240\200"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_decoded),
		cmocka_unit_test(test_half_a_pair_stays_what_it_is),
		cmocka_unit_test(test_no_two_names_become_one),
		cmocka_unit_test(test_a_batch_names_what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
