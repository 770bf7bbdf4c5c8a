/* Every character there is, through every way in which text from outside is shown. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "curfew/text.h"
#include "program/names.h"
#include "program/visible_text.h"

/* Written anew, and not from the table under test: what moves a cursor, turns lines around, or has no width. */
static bool obeyed(uint32_t c)
{
	static const uint32_t turning[] = {0xad, 0x61c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e,
		0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2066,
		0x2067, 0x2068, 0x2069, 0x206f, 0xfeff, 0xe0001, 0xe0041, 0xe007f};
	bool is = c < 0x20 || c == 0x7f || (c >= 0x80 && c <= 0x9f);

	for (size_t i = 0; i < ARRAY_SIZE(turning); i++)
		is = is || turning[i] == c;
	return is;
}

static void assert_harmless(const char *text, bool lines)
{
	const char *p = text;
	uint32_t c;

	while ((c = text_next(&p)) != 0)
		if (obeyed(c) && !(lines && c == '\n'))
			fail_msg("U+%04X is in \"%s\"", (unsigned)c, text);
}

static void test_every_character_is_harmless(void **state)
{
	(void)state;
	for (uint32_t c = 1; c < 0x110000; c++) {
		char one[8] = "";
		if (c >= 0xd800 && c < 0xe000)
			continue;
		one[utf8_encode(one, c)] = '\0';
		char *shown = text_shown(one);
		assert_non_null(shown);
		assert_harmless(shown, false);
		assert_true(*shown != '\0');
		/* What is harmless is left as it is. */
		if (!obeyed(c) && !character_is_hidden(c))
			assert_string_equal(shown, one);
		free(shown);
	}
}

static void test_bytes_that_are_no_text_are_harmless(void **state)
{
	static const char *const bytes[] = {
		"\x9b[31m", "\xff\xfe", "a\xc2", "\xed\xa0\x80", "\xf4\x90\x80\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
		char *shown = text_shown(bytes[i]);
		assert_harmless(shown, false);
		assert_non_null(strstr(shown, "\xef\xbf\xbd"));
		free(shown);
	}
}

static void test_a_line_stays_one_line(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	text_printf(to, "%s: %s\n", "sql01", "down\nsql02: ok\x1b[2K\xe2\x80\xae");
	text_printf(to, "%s", "no end\n");
	fclose(to);
	assert_string_equal(text, "sql01: down\u240asql02: ok\u241b[2K<U+202E>\nno end\u240a");
	free(text);
}

static void test_json_keeps_what_it_escapes(void **state)
{
	static const char hostile[] = "a\x1b[2K\x7f\xc2\x9b"
				      "\u202e\u2028\U000e0041\u00fc\U0001f600\"\\\n";
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	json_t *whole = json_string(hostile);
	char *dumped = json_dumps(whole, JSON_ENCODE_ANY);

	(void)state;
	text_print_json(to, dumped);
	fclose(to);
	assert_harmless(text, true);
	json_t *again = json_loads(text, JSON_DECODE_ANY, NULL);
	assert_string_equal(json_string_value(again), hostile);
	assert_non_null(strstr(text, "\u00fc"));
	json_decref(again);
	json_decref(whole);
	free(text);
	free(dumped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_character_is_harmless),
		cmocka_unit_test(test_bytes_that_are_no_text_are_harmless),
		cmocka_unit_test(test_a_line_stays_one_line),
		cmocka_unit_test(test_json_keeps_what_it_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
