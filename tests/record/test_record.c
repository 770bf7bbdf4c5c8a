/* Texts of records: cut at characters, cleaned, and checked when they come from elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "curfew/record.h"

static void texts_are_cut_at_characters(void **state)
{
	static const struct {
		const char *text, *kept;
	} cases[] = {{"abcdefg", "abcdefg"}, {"abcdefgh", "abcdefg"}, {"abcdefgé", "abcdefg"},
		{"abcdefé", "abcdef"}, {"abcdeé", "abcdeé"}, {"abcde€", "abcde"},
		{"abcd€", "abcd€"}, {"abcd😀x", "abcd"}, {"abc😀", "abc😀"}, {"", ""}, {NULL, ""}};
	char field[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(field, 'z', sizeof(field));
		record_set(field, sizeof(field), cases[i].text);
		assert_string_equal(field, cases[i].kept);
		for (size_t k = strlen(field); k < sizeof(field); k++)
			assert_int_equal(field[k], 0);
	}
}

static void broken_bytes_become_question_marks(void **state)
{
	char field[16];

	(void)state;
	record_set(field, sizeof(field),
		"a\xff\xc3"
		"b\xe2\x82");
	assert_string_equal(field, "a??b??");
	record_set(field, sizeof(field), "\xed\xa0\x80|\xf4\x90\x80\x80|\xc1\x81");
	assert_string_equal(field, "???|????|??");
}

static void what_was_set_passes_the_check(void **state)
{
	struct record r = {.kind = RECORD_NOTE};
	char text[1024];

	(void)state;
	srand(7);
	for (int round = 0; round < 2000; round++) {
		size_t n = (size_t)rand() % sizeof(text);
		for (size_t i = 0; i < n; i++)
			text[i] = (char)(rand() % 255 + 1);
		text[n ? n - 1 : 0] = '\0';
		RECORD_SET(&r, login, text);
		RECORD_PRINTF(&r, detail, "%s/%d", text, round);
		assert_null(record_check(&r));
	}
}

static void the_check_clears_what_stands_behind_a_text(void **state)
{
	struct record r = {.kind = RECORD_NOTE};

	(void)state;
	memset(r.reason, 'x', sizeof(r.reason));
	strcpy(r.reason, "short");
	assert_null(record_check(&r));
	for (size_t i = 5; i < sizeof(r.reason); i++)
		assert_int_equal(r.reason[i], 0);
	r.kind = 0;
	assert_string_equal(record_check(&r), "kind");
}

static void states_have_names(void **state)
{
	(void)state;
	for (unsigned s = STATE_OK; s <= STATE_OVERDUE; s++)
		assert_string_not_equal(state_name((enum state)s), "unknown");
	for (unsigned s = FINDING_INFO; s <= FINDING_CRITICAL; s++)
		assert_string_not_equal(finding_severity_name((enum finding_severity)s), "unknown");
	assert_string_equal(state_name((enum state)99), "unknown");
	assert_string_equal(finding_severity_name((enum finding_severity)99), "unknown");
	assert_string_equal(state_name(STATE_OVERDUE), "overdue");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_cut_at_characters),
		cmocka_unit_test(broken_bytes_become_question_marks),
		cmocka_unit_test(what_was_set_passes_the_check),
		cmocka_unit_test(the_check_clears_what_stands_behind_a_text),
		cmocka_unit_test(states_have_names),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
