/* CSV of what is JSON: the same members in each row, quoted, and harmless in a spreadsheet. */
#include "report_fixture.h"

#include <jansson.h>

static void test_rows(void **state)
{
	static const char *const members[] = {"name", "n", "yes", "list", "none", NULL};
	json_t *rows = json_pack("[{s:s, s:i, s:b, s:[s,s], s:n}, {s:s, s:s}]", "name",
		"=cmd|' /C calc'!A0", "n", -7, "yes", 1, "list", "a", "b \"c\"", "none", "name",
		"-1+1", "other", "not asked for");
	char *text;

	(void)state;
	assert_non_null(rows);
	CAPTURED(text, json_print_csv(rows, members, to));
	assert_string_equal(text,
		"\"name\",\"n\",\"yes\",\"list\",\"none\"\r\n"
		"\"'=cmd|' /C calc'!A0\",\"'-7\",\"true\",\"a, b \"\"c\"\"\",\"\"\r\n"
		"\"'-1+1\",\"\",\"\",\"\",\"\"\r\n");
	free(text);
}

/* A file without rows still says what its columns are. */
static void test_member(void **state)
{
	static const char *const members[] = {"what", "at", NULL};
	char *text;

	(void)state;
	CAPTURED(text, json_member_csv(json_pack("{s:[]}", "items"), "items", members, to));
	assert_string_equal(text, "\"what\",\"at\"\r\n");
	free(text);
	CAPTURED(text, json_member_csv(json_pack("{s:[{s:s}]}", "items", "what", "login"), "items",
			       members, to));
	assert_string_equal(text, "\"what\",\"at\"\r\n\"login\",\"\"\r\n");
	free(text);
}

/* What a server or a person wrote reaches a terminal as what it looks like; lines of a text stay lines. */
static void test_hostile(void **state)
{
	static const char *const members[] = {"program", NULL};
	char *text;

	(void)state;
	CAPTURED(text, json_print_csv(json_pack("[{s:s}]", "program",
					      "\x1b]0;owned\x07\r\"\xc2\x9b"
					      "31m\xe2\x80\xae\ttwo\nlines"),
			       members, to));
	assert_string_equal(text, "\"program\"\r\n"
				  "\"\xe2\x90\x9b]0;owned\xe2\x90\x87\xe2\x90\x8d\"\"\xef\xbf\xbd"
				  "31m<U+202E>\xe2\x90\x89two\nlines\"\r\n");
	free(text);
}

/* Of an object the first member goes without its name. */
static void test_objects(void **state)
{
	static const char *const members[] = {"addresses", NULL};
	char *text;

	(void)state;
	CAPTURED(text, json_print_csv(json_pack("[{s:[{s:s,s:s},{s:s,s:s}]}]", "addresses",
					      "address", "198.51.100.9", "until", "today",
					      "address", "198.51.100.10", "until", "noon"),
			       members, to));
	assert_string_equal(text, "\"addresses\"\r\n"
				  "\"198.51.100.9 until today, 198.51.100.10 until noon\"\r\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_member),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
