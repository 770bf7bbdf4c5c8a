/* Texts of records: cut at characters, cleaned, and checked when they come from elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>
#include "record/fields.h"
#include "curfew/unread_names.h"

static void test_texts_are_cut_at_characters(void **state)
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

static void test_broken_bytes_become_question_marks(void **state)
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

static void test_what_was_set_crosses_the_channel(void **state)
{
	struct record r = {.kind = RECORD_NOTE}, back;
	uint8_t packed[RECORD_PACKED_MAX] = {0};
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
		assert_null(record_unpack(&back, packed, record_pack(packed, &r)));
		assert_string_equal(back.login, r.login);
		assert_string_equal(back.detail, r.detail);
	}
}

static void test_only_what_is_used_crosses_the_channel(void **state)
{
	struct record r = {.kind = RECORD_NOTE}, back;
	uint8_t packed[RECORD_PACKED_MAX];

	(void)state;
	memset(r.detail, 'x', sizeof(r.detail));
	strcpy(r.detail, "short");
	r.finding.severity = FINDING_HIGH; /* not a note's */
	size_t size = record_pack(packed, &r);
	assert_true(size < 100);
	memset(&back, 'z', sizeof(back));
	assert_null(record_unpack(&back, packed, size));
	for (size_t i = 5; i < sizeof(back.detail); i++)
		assert_int_equal(back.detail[i], 0);
	assert_int_equal(back.finding.severity, 0);
	/* Every byte counts. */
	for (size_t n = 0; n < size; n++)
		assert_non_null(record_unpack(&back, packed, n));
	packed[0] = 0;
	assert_string_equal(record_unpack(&back, packed, size), "kind");
	packed[0] = RECORD_KINDS;
	assert_string_equal(record_unpack(&back, packed, size), "kind");
}

/* The widest record of each kind has room, and comes back as it went, by bytes and by JSON. */
static void test_every_kind_comes_back(void **state)
{
	static struct record r, back;
	static char text[RECORD_JSON_MAX];
	uint8_t packed[RECORD_PACKED_MAX], again[RECORD_PACKED_MAX];

	(void)state;
	for (unsigned kind = RECORD_SERVER; kind < RECORD_KINDS; kind++) {
		const struct record_type *type = record_type((enum record_kind)kind);

		memset(&r, 0, sizeof(r));
		r.kind = (enum record_kind)kind;
		for (const struct field *f = type->fields; f->name; f++) {
			char *field = (char *)&r + f->offset;

			if (f->type == FIELD_TEXT)
				memset(field, 'w', f->size - 1);
			else if (f->type == FIELD_SID)
				memset(field, SID_MAX, f->size);
			else if (field_is_text(f))
				assert_true(field_set_text(f, &r, "192.0.2.10:1433",
					f->type == FIELD_SOURCE ? 10 : 15));
			else
				assert_true(field_set_number(
					f, &r, f->type == FIELD_WORD ? f->last : INT32_MAX));
		}
		size_t size = record_pack(packed, &r);
		assert_true(size <= RECORD_PACKED_MAX);
		assert_null(record_unpack(&back, packed, size));
		assert_int_equal(record_pack(again, &back), size);
		assert_memory_equal(packed, again, size);
		json_t *json = record_json(&r);
		assert_int_equal(record_parse(&back, json), 0);
		assert_true(record_json_text(text, &r) < sizeof(text));
		json_t *read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_equal(read, json));
		json_decref(read);
		json_decref(json);
		assert_int_equal(record_pack(again, &back), size);
		assert_memory_equal(packed, again, size);
	}
}

/* What JSON must escape, at its greatest length; and each byte that a text can have. */
static void test_json_text_is_that_of_the_objects(void **state)
{
	static const char fills[] = "\x01\"\\\x7f";
	static struct record r;
	static char text[RECORD_JSON_MAX];

	(void)state;
	for (unsigned kind = RECORD_SERVER; kind < RECORD_KINDS; kind++)
		for (const char *fill = fills; *fill; fill++) {
			const struct record_type *type = record_type((enum record_kind)kind);

			memset(&r, 0, sizeof(r));
			r.kind = (enum record_kind)kind;
			for (const struct field *f = type->fields; f->name; f++)
				if (f->type == FIELD_TEXT)
					memset((char *)&r + f->offset, *fill, f->size - 1);
			for (unsigned c = 1; fill == fills && c < 127; c++)
				r.detail[c] = (char)c;
			record_set(r.client, sizeof(r.client), "M\u00fcller \u2713");
			size_t size = record_json_text(text, &r);
			assert_int_equal(size, strlen(text));
			assert_true(size < sizeof(text));
			json_t *json = record_json(&r), *read = json_loads(text, 0, NULL);
			assert_true(json_equal(read, json));
			json_decref(read);
			json_decref(json);
		}
}

static void test_results_of_older_journals_are_read(void **state)
{
	static const struct {
		const char *word;
		enum verification is;
	} cases[] = {{"verified", VERIFICATION_VERIFIED}, {"proved", VERIFICATION_VERIFIED},
		{"excess", VERIFICATION_EXCESS}, {"refuted", VERIFICATION_EXCESS},
		{"unverified", VERIFICATION_UNVERIFIED}, {"unproved", VERIFICATION_UNVERIFIED}};
	enum verification found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(verification_parse(&found, cases[i].word));
		assert_int_equal(found, cases[i].is);
	}
	assert_false(verification_parse(&found, "done"));
	assert_false(verification_parse(&found, NULL));
}

/* No name is cut, and what had no room is counted. */
static void test_unread_databases_are_named(void **state)
{
	static const char *const names[] = {"Copy", "Other copy", "Third"};
	char text[80] = "incomplete; ";

	(void)state;
	unread_names_write(text, sizeof(text), UNREAD_NAMES, names, 3);
	assert_string_equal(text, "incomplete; databases not read: [Copy], [Other copy], [Third]");
	assert_true(unread_names_have(text, "Third"));
	assert_false(unread_names_have(text, "Thir"));
	assert_false(unread_names_have(text, "copy"));
	assert_false(unread_names_have("[Third] was renamed", "Third"));
	assert_false(unread_names_forgotten(text, "Third"));
	text[0] = '\0';
	unread_names_write(text, 62, UNREAD_FORGOTTEN, names, 3);
	assert_string_equal(text, UNREAD_FORGOTTEN "[Copy] and 2 more");
	assert_true(unread_names_forgotten(text, "Copy"));
	assert_true(unread_names_forgotten(text, "Third"));
	text[0] = '\0';
	unread_names_write(text, 40, UNREAD_FORGOTTEN, names, 2);
	assert_string_equal(text, UNREAD_FORGOTTEN "2");
	assert_true(unread_names_forgotten(text, "Copy"));
	text[0] = '\0';
	unread_names_write(text, sizeof(text), UNREAD_FORGOTTEN, names, 2);
	assert_false(unread_names_forgotten(text, "Third"));
}

/* "login-create" is a word of records; a sentence says what is done. */
static void test_changes_are_said_in_plain_words(void **state)
{
	(void)state;
	for (unsigned k = 0; k < CHANGE_KINDS; k++) {
		const char *plain = change_plain((enum change_kind)k);

		assert_non_null(plain);
		assert_non_null(strchr(plain, ' '));
	}
	assert_string_equal(change_plain(CHANGE_LOGIN_CREATE), "create the login");
	assert_string_equal(change_plain((enum change_kind)99), "unknown");
}

static void test_states_have_names(void **state)
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
		cmocka_unit_test(test_texts_are_cut_at_characters),
		cmocka_unit_test(test_broken_bytes_become_question_marks),
		cmocka_unit_test(test_what_was_set_crosses_the_channel),
		cmocka_unit_test(test_only_what_is_used_crosses_the_channel),
		cmocka_unit_test(test_every_kind_comes_back),
		cmocka_unit_test(test_json_text_is_that_of_the_objects),
		cmocka_unit_test(test_results_of_older_journals_are_read),
		cmocka_unit_test(test_unread_databases_are_named),
		cmocka_unit_test(test_changes_are_said_in_plain_words),
		cmocka_unit_test(test_states_have_names),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
