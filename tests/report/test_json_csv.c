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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
