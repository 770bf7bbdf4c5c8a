/* Edits of a client file's text, by table as people write files. */
#include "program/edit.h"
#include "program/edit_check.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <libconfig.h>

static void test_edits_by_table(void **state)
{
	static const struct {
		const char *name, *text;
		struct edit edit;
		const char *expected; /* NULL: refused with `result` */
		int result;
	} rows[] = {
		{"a value", "client = {\n\tgo_live = \"1\"; # agreed\n};\n",
			{EDIT_SET, "client", "go_live", NULL, 0, "\"2\""},
			"client = {\n\tgo_live = \"2\"; # agreed\n};\n", 0},
		{"a value in two parts", "client = { a = \"1\" /* x */\n \"2\"; b = 1; };",
			{EDIT_SET, "client", "a", NULL, 0, "\"3\""},
			"client = { a = \"3\"; b = 1; };", 0},
		{"a setting behind another",
			"client = {\n\ta = 1; # one\n#\tb = 2;\n\tc = 3;\n};\n",
			{EDIT_SET, "client", "b", "a", 0, "\"2\""},
			"client = {\n\ta = 1; # one\n\tb = \"2\";\n#\tb = 2;\n\tc = 3;\n};\n", 0},
		{"a setting at the end", "client = {\n\ta = 1;\n};\n",
			{EDIT_SET, "client", "b", "none", 0, "\"2\""},
			"client = {\n\ta = 1;\n\tb = \"2\";\n};\n", 0},
		{"among others on a line", "client = { a = 1; c = 3; };",
			{EDIT_SET, "client", "b", "a", 0, "\"2\""},
			"client = { a = 1; b = \"2\"; c = 3; };", 0},
		{"into an empty group", "client = { };",
			{EDIT_SET, "client", "b", NULL, 0, "\"2\""}, "client = { b = \"2\"; };", 0},
		{"behind a comment that goes on", "client = {\n\ta = 1; /* one\n\ttwo */\n};\n",
			{EDIT_SET, "client", "b", "a", 0, "\"2\""},
			"client = {\n\ta = 1; b = \"2\"; /* one\n\ttwo */\n};\n", 0},
		{"lines of another system", "client = {\r\n\ta = 1;\r\n};\r\n",
			{EDIT_SET, "client", "b", "a", 0, "\"2\""},
			"client = {\r\n\ta = 1;\r\n\tb = \"2\";\r\n};\r\n", 0},
		{"without an end of line", "a = 1", {EDIT_SET, "", "b", NULL, 0, "2"},
			"a = 1\nb = 2;", 0},
		{"without a semicolon", "client = {\n\ta = 1\n}",
			{EDIT_SET, "client", "b", "a", 0, "2"}, "client = {\n\ta = 1\n\tb = 2;\n}",
			0},
		{"a setting taken out with its line", "client = {\n\ta = 1;\n\tb = 2;\n};\n",
			{EDIT_UNSET, "client", "a", NULL, 0, NULL}, "client = {\n\tb = 2;\n};\n",
			0},
		{"its comment stays", "client = {\n\ta = 1; # why\n\tb = 2;\n};\n",
			{EDIT_UNSET, "client", "a", NULL, 0, NULL},
			"client = {\n\t# why\n\tb = 2;\n};\n", 0},
		{"a setting taken out of a line", "client = { a = 1; b = 2; };",
			{EDIT_UNSET, "client", "a", NULL, 0, NULL}, "client = { b = 2; };", 0},
		{"nothing to take out", "client = { a = 1; };",
			{EDIT_UNSET, "client", "b", NULL, 0, NULL}, "client = { a = 1; };", 0},
		{"an element on a line", "s = ( \"a\" );", {EDIT_ADD, "s", NULL, NULL, 0, "\"b\""},
			"s = ( \"a\", \"b\" );", 0},
		{"an element on a line of its own",
			"s = (\n\t\"a\", # home\n\t\"b\"  # office\n);\n",
			{EDIT_ADD, "s", NULL, NULL, 0, "\"c\""},
			"s = (\n\t\"a\", # home\n\t\"b\",  # office\n\t\"c\"\n);\n", 0},
		{"into an empty list", "s = ();", {EDIT_ADD, "s", NULL, NULL, 0, "\"b\""},
			"s = ( \"b\" );", 0},
		{"a group among strings", "s = [ \"a\" ];",
			{EDIT_ADD, "s", NULL, NULL, 0, "{ x = \"b\"; }"},
			"s = ( \"a\", { x = \"b\"; } );", 0},
		{"one put in the place of a string", "s = [ \"a\", \"b\" ];",
			{EDIT_REPLACE, "s", NULL, NULL, 0, "{ x = \"b\"; }"},
			"s = ( { x = \"b\"; }, \"b\" );", 0},
		{"the first taken out", "s = ( \"a\", \"b\" );",
			{EDIT_REMOVE, "s", NULL, NULL, 0, NULL}, "s = ( \"b\" );", 0},
		{"the last taken out", "s = ( \"a\", \"b\" );",
			{EDIT_REMOVE, "s", NULL, NULL, 1, NULL}, "s = ( \"a\" );", 0},
		{"the only one taken out", "s = ( \"a\" );",
			{EDIT_REMOVE, "s", NULL, NULL, 0, NULL}, "s = ( );", 0},
		{"a line taken out", "s = (\n\t\"a\",\n\t\"b\",\n\t\"c\"\n);\n",
			{EDIT_REMOVE, "s", NULL, NULL, 1, NULL}, "s = (\n\t\"a\",\n\t\"c\"\n);\n",
			0},
		{"the last line taken out", "s = (\n\t\"a\", # home\n\t\"b\" # office\n);\n",
			{EDIT_REMOVE, "s", NULL, NULL, 1, NULL},
			"s = (\n\t\"a\" # home\n\t# office\n);\n", 0},
		{"lines taken out", "s = (\n\t{\n\t\ta = 1;\n\t},\n\t{ a = 2; }\n);\n",
			{EDIT_REMOVE, "s", NULL, NULL, 0, NULL}, "s = (\n\t{ a = 2; }\n);\n", 0},
		{"one put in the place of another", "s = ( { a = 1; }, { a = 2; } );",
			{EDIT_REPLACE, "s", NULL, NULL, 1, "{ a = 3; }"},
			"s = ( { a = 1; }, { a = 3; } );", 0},
		{"deep", "client = { users = ( { s = ( \"a\" ); }, { s = ( \"b\" ); } ); };",
			{EDIT_ADD, "client.users.[1].s", NULL, NULL, 0, "\"c\""},
			"client = { users = ( { s = ( \"a\" ); }, { s = ( \"b\", \"c\" ); } ); };",
			0},
		/* What looks like a setting, and is none. */
		{"in a comment", "# a = 1;\n/* a = 1; */ // a = 1;\na = 1;\n",
			{EDIT_SET, "", "a", NULL, 0, "2"},
			"# a = 1;\n/* a = 1; */ // a = 1;\na = 2;\n", 0},
		{"in a string", "b = \"a = 1; } \\\" # \"; a = 1;",
			{EDIT_SET, "", "a", NULL, 0, "2"}, "b = \"a = 1; } \\\" # \"; a = 2;", 0},
		{"in another group", "x = { a = 1; }; a = 1;", {EDIT_SET, "", "a", NULL, 0, "2"},
			"x = { a = 1; }; a = 2;", 0},
		{"a name that begins so", "ab = 1; a = 1;", {EDIT_SET, "", "a", NULL, 0, "2"},
			"ab = 1; a = 2;", 0},
		/* Refused. */
		{"no such list", "a = 1;", {EDIT_ADD, "s", NULL, NULL, 0, "1"}, NULL, -ENOENT},
		{"no list", "a = 1;", {EDIT_ADD, "a", NULL, NULL, 0, "1"}, NULL, -ENOENT},
		{"no such element", "s = ( 1 );", {EDIT_REMOVE, "s", NULL, NULL, 1, NULL}, NULL,
			-ENOENT},
		{"a value that says more", "a = 1;", {EDIT_SET, "", "a", NULL, 0, "2; b = 3"}, NULL,
			-EBADMSG},
		{"a value that begins a comment", "a = 1; b = 2;",
			{EDIT_SET, "", "a", NULL, 0, "2 #"}, NULL, -EBADMSG},
		{"a value that is none", "a = 1;", {EDIT_SET, "", "a", NULL, 0, "("}, NULL,
			-EBADMSG},
		{"no end", "a = { b = 1;", {EDIT_SET, "a", "b", NULL, 0, "2"}, NULL, -EINVAL},
		{"an open string", "a = \"x", {EDIT_SET, "", "a", NULL, 0, "2"}, NULL, -EINVAL},
		{"an open comment", "a = 1; /* x", {EDIT_SET, "", "a", NULL, 0, "2"}, "a = 2; /* x",
			0},
		{"not a setting", "= 1;", {EDIT_SET, "", "a", NULL, 0, "2"}, NULL, -EINVAL},
		{"twice", "a = 1; a = 1;", {EDIT_SET, "", "a", NULL, 0, "2"}, NULL, -EBADMSG},
		{"too deep", "a = ((((((((((((((((((1))))))))))))))))));",
			{EDIT_SET, "", "b", NULL, 0, "2"}, NULL, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *out = NULL;
		int r = edit_apply(&out, rows[i].text, &rows[i].edit);

		if (r != rows[i].result)
			fail_msg("%s: %d, not %d", rows[i].name, r, rows[i].result);
		if (rows[i].expected && !streq(out, rows[i].expected))
			fail_msg("%s: <<%s>>, not <<%s>>", rows[i].name, out, rows[i].expected);
		free(out);
	}
}

/* The judge itself: a text that differs in anything else is refused. */
static void test_another_change_is_refused(void **state)
{
	const struct edit set = {EDIT_SET, "client", "a", NULL, 0, "\"2\""};
	static const char before[] = "client = { a = \"1\"; b = \"1\"; s = ( \"x\", \"y\" ); };";
	static const char *const wrong[] = {
		"client = { a = \"1\"; b = \"1\"; s = ( \"x\", \"y\" ); };",
		"client = { a = \"2\"; b = \"2\"; s = ( \"x\", \"y\" ); };",
		"client = { a = \"2\"; s = ( \"x\", \"y\" ); };",
		"client = { a = \"2\"; b = \"1\"; s = ( \"y\", \"x\" ); };",
		"client = { a = \"2\"; b = \"1\"; s = ( \"x\", \"y\" ); c = 1; };",
		"client = { a = \"2\"; b = 1; s = ( \"x\", \"y\" ); };",
		"client = { a = \"2\"; b = \"1\"; s = ( \"x,y\" ); };",
		"client = { a = \"2\"; b = \"1\"; s = ( \"x\", \"y\" ); }; d = 1;",
		"client = { a = \"2\"; b = \"1\"; s = ( \"x\", \"y\" );",
	};

	(void)state;
	assert_int_equal(
		edit_check(before, "# new\nclient={b=\"1\",a=\"2\",s=[\"x\",\"y\"]}", &set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (edit_check(before, wrong[i], &set) != -EBADMSG)
			fail_msg("taken: %s", wrong[i]);
}

static void test_quotes_are_read_back(void **state)
{
	static const char *const texts[] = {
		"", "a", "\"", "\\", "a\"; b = \"c", "Zo\xc3\xab \\\" # /* "};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *quoted = edit_quote(texts[i]), *line = NULL;
		const char *back = NULL;
		config_t c;

		config_init(&c);
		assert_true(asprintf(&line, "a = %s;", quoted) >= 0);
		assert_true(config_read_string(&c, line));
		assert_int_equal(config_setting_length(config_root_setting(&c)), 1);
		assert_true(config_lookup_string(&c, "a", &back));
		assert_string_equal(back, texts[i]);
		config_destroy(&c);
	}
}

static void test_managed_files_are_known(void **state)
{
	(void)state;
	assert_int_equal(
		edit_managed_line("# One client.\n# Ansible managed: do not edit\nclient = {"), 2);
	assert_int_equal(edit_managed_line("/* Managed by Puppet */ client = {"), 1);
	assert_int_equal(edit_managed_line("\n\n// DO NOT EDIT"), 3);
	assert_int_equal(edit_managed_line("# One client\nclient = { # managed by hand\n"), 0);
	assert_int_equal(edit_managed_line("client = { name = \"do not edit\"; };"), 0);
	assert_int_equal(edit_managed_line(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits_by_table),
		cmocka_unit_test(test_another_change_is_refused),
		cmocka_unit_test(test_quotes_are_read_back),
		cmocka_unit_test(test_managed_files_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
