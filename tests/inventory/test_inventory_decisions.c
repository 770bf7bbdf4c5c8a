/* Decisions go to a spreadsheet and come back: whole, by object, and what does not fit is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "curfew/inventory_report.h"
#include "curfew/report.h"
#include "inventory_scene.h"
#include "program/visible_text.h"

#define HEADER "server,database,type,object,color,decision,replacement,owner,due,note\n"

static void scene(struct inventory *v)
{
	scene_begin(v);
	scene_item(v, "table", 1, "Quiet", "");
	scene_item(v, "procedure", 2, "Busy", "A1");
	scene_item(v, "procedure", 3, "=1+1", "A1");
	scene_item(v, "view", 4, "line\nbreak", "A1");
	scene_use(v, "procedure-stats", 2, 0, SCENE_NOW - 60, 0);
	assert_int_equal(inventory_finish(v, NULL), 0);
}

static bool told(const struct inventory *v, const char *words)
{
	for (size_t i = 0; i < v->n_notices; i++)
		if (strstr(v->notices[i], words))
			return true;
	return false;
}

static void test_words_come_back_as_they_were_written(void **state)
{
	struct inventory v;
	char why[256];

	(void)state;
	scene(&v);
	assert_int_equal(
		inventory_decide(&v,
			HEADER
			"sql01,Acme,table,dbo.Quiet,red,drop,,Jane,2027-01-11,\"a, \"\"b\"\"\nand c\"\n"
			"sql01,Acme,procedure,dbo.=1+1,red,replace,'=HYPERLINK(1),,,\n",
			why),
		0);
	const struct inventory_item *quiet = scene_find(&v, "dbo.Quiet");
	assert_string_equal(quiet->decision, "drop");
	assert_string_equal(quiet->owner, "Jane");
	assert_string_equal(quiet->due, "2027-01-11");
	assert_string_equal(quiet->note, "a, \"b\"\nand c");
	assert_null(quiet->replacement);
	assert_string_equal(scene_find(&v, "dbo.=1+1")->replacement, "=HYPERLINK(1)");
	assert_true(told(&v, "new: 2 objects"));
	assert_int_equal(v.n_notices, 1);
	inventory_free(&v);
}

/* Spreadsheets lose the spaces before a name, and tables show some characters in another form. */
static void test_names_that_are_shown_otherwise_are_found(void **state)
{
	struct inventory v;
	char why[256];

	(void)state;
	scene_begin(&v);
	scene_item_of(&v, "job", 0, 0, "  spaced", "", "", "");
	scene_item(&v, "view", 4, "line\nbreak", "A1");
	assert_int_equal(inventory_finish(&v, NULL), 0);
	_cleanup_free_ char *shown = text_shown("dbo.line\nbreak");
	_cleanup_free_ char *file = NULL;
	assert_true(asprintf(&file,
			    HEADER "sql01,,job,spaced,yellow,keep,,,,\n"
				   "sql01,Acme,view,\"%s\",yellow,drop,,,,\n",
			    shown) > 0);
	assert_int_equal(inventory_decide(&v, file, why), 0);
	assert_string_equal(scene_find(&v, "  spaced")->decision, "keep");
	assert_string_equal(scene_find(&v, "dbo.line\nbreak")->decision, "drop");
	assert_int_equal(v.n_notices, 0);
	inventory_free(&v);
}

static char *csv_of(const struct inventory *v)
{
	const struct inventory_report r = {.inventory = v, .client = "acme", .zone = "UTC"};
	struct text text;

	assert_non_null(text_begin(&text));
	assert_int_equal(inventory_print_csv(&r, text.to), 0);
	return text_end(&text);
}

/* What the program itself writes, it reads again: hostile names and formulas too, and twice is as once. */
static void test_a_file_goes_around(void **state)
{
	struct inventory first, second;
	char why[256];

	(void)state;
	scene(&first);
	assert_int_equal(
		inventory_decide(&first,
			HEADER "sql01,Acme,table,dbo.Quiet,red,keep,-x,@me,2027-01-11,+note\n",
			why),
		0);
	_cleanup_free_ char *written = csv_of(&first);
	scene(&second);
	assert_int_equal(inventory_decide(&second, written, why), 0);
	assert_int_equal(second.n_notices, 0);
	_cleanup_free_ char *again = csv_of(&second);
	assert_string_equal(again, written);
	assert_string_equal(scene_find(&second, "dbo.Quiet")->owner, "@me");
	inventory_free(&first);
	inventory_free(&second);
}

static void test_what_does_not_fit_is_told(void **state)
{
	struct inventory v;
	char why[256];

	(void)state;
	scene(&v);
	assert_int_equal(inventory_decide(&v,
				 HEADER "sql01,Acme,table,dbo.Quiet,green,drop,,,,\n"
					"sql01,Acme,table,dbo.Quiet,red,keep,,,,\n"
					"sql01,Acme,procedure,dbo.Busy,green,drop,,,,\n"
					"sql01,Acme,procedure,dbo.Old,red,keep,,,,\n",
				 why),
		0);
	assert_true(
		told(&v, "conflict: table dbo.Quiet has two rows that differ; the first counts"));
	assert_string_equal(scene_find(&v, "dbo.Quiet")->decision, "drop");
	assert_true(told(&v, "changed: table dbo.Quiet was green and is red: not used for"));
	assert_true(told(&v,
		"conflict: procedure dbo.Busy must be dropped by decision, but is in use: used on"));
	assert_true(told(&v, "gone: procedure dbo.Old; the decision was keep"));
	inventory_free(&v);
}

/* What was decided before stays where a cell is empty, gives way to a file, and is taken back with a word. */
static void test_earlier_decisions(void **state)
{
	struct sample_decision before[] = {
		{"table", "dbo.Quiet", "drop", NULL, "Jane", "2027-01-11", "asked"},
		{"procedure", "dbo.Busy", "drop", NULL, NULL, NULL, NULL},
		{"view", "dbo.Gone", "drop", NULL, NULL, NULL, "went"}};
	struct sample sample = {.server = "sql01",
		.database = "Acme",
		.decisions = before,
		.n_decisions = ARRAY_SIZE(before)};
	const struct samples samples = {&sample, 1};
	struct inventory v;
	struct sample kept;
	char why[256];

	(void)state;
	scene_begin(&v);
	v.samples = &samples;
	scene_item(&v, "table", 1, "Quiet", "");
	scene_item(&v, "procedure", 2, "Busy", "A1");
	scene_item(&v, "procedure", 3, "Free", "A1");
	scene_use(&v, "procedure-stats", 2, 0, SCENE_NOW - 60, 0);
	assert_int_equal(inventory_finish(&v, NULL), 0);
	assert_string_equal(scene_find(&v, "dbo.Quiet")->owner, "Jane");
	assert_int_equal(inventory_decide(&v,
				 HEADER "sql01,Acme,table,dbo.Quiet,red,keep,,,,\n"
					"sql01,Acme,procedure,dbo.Free,red,none,,,,later\n",
				 why),
		0);
	const struct inventory_item *quiet = scene_find(&v, "dbo.Quiet");
	assert_string_equal(quiet->decision, "keep");
	assert_string_equal(quiet->note, "asked");
	assert_true(told(&v, "decided anew: table dbo.Quiet was drop and is keep"));
	/* No row names it, and it is in use by now. */
	assert_true(told(&v, "conflict: procedure dbo.Busy must be dropped by decision"));
	assert_int_equal(inventory_decisions(&kept, &v, "sql01", "Acme"), 0);
	assert_int_equal(kept.n_decisions, 4);
	assert_string_equal(kept.decisions[0].name, "dbo.Busy");
	assert_null(kept.decisions[1].decision);
	assert_string_equal(kept.decisions[1].note, "later");
	assert_string_equal(kept.decisions[3].name, "dbo.Gone");
	assert_string_equal(kept.decisions[3].note, "went");
	inventory_sample_clear(&kept);
	assert_int_equal(
		inventory_decide(&v, HEADER "sql01,Acme,table,dbo.Quiet,red,none,,,,\n", why), 0);
	assert_null(quiet->decision);
	inventory_free(&v);
}

static void test_what_cannot_be_meant_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {{"", "the file is empty"}, {"a,b\n", "no column \"server\""},
		{HEADER "sql01,Acme,table,dbo.Quiet,red,delete,,,,\n",
			"line 2: invalid decision \"delete\"; use keep, replace, drop, or none"},
		{HEADER "sql01,Acme,table,dbo.Quiet,red,drop,,,11.1.2027,\n",
			"line 2: invalid date for \"due\": \"11.1.2027\"; use \"2027-01-11\""},
		{HEADER "\"sql01,Acme\n", "a field begins with a quote and has no closing one"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inventory v;
		char why[256];
		scene(&v);
		int rc = inventory_decide(&v, cases[i].text, why);
		assert_int_equal(rc, -EINVAL);
		assert_non_null(strstr(why, cases[i].why));
		inventory_free(&v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_come_back_as_they_were_written),
		cmocka_unit_test(test_names_that_are_shown_otherwise_are_found),
		cmocka_unit_test(test_a_file_goes_around),
		cmocka_unit_test(test_what_does_not_fit_is_told),
		cmocka_unit_test(test_earlier_decisions),
		cmocka_unit_test(test_what_cannot_be_meant_is_refused),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
