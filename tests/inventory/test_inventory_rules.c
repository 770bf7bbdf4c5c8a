/* Whose things are, and which color they have: each rule with what decides it, and what takes it away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inventory_scene.h"

#define DAYS_AGO(n) (SCENE_NOW - (n) * (instant_t)SCENE_DAY)

static void finish(struct inventory *v, const struct vendor *vendor)
{
	assert_int_equal(inventory_finish(v, vendor), 0);
}

static void expect(
	const struct inventory *v, const char *full, enum inventory_color color, const char *words)
{
	const struct inventory_item *i = scene_find(v, full);

	if (i->color != color || !strstr(i->reason, words))
		fail_msg("%s is %s: %s", full, inventory_color_name(i->color), i->reason);
}

static void test_classes_come_from_every_list(void **state)
{
	static const char *const older[] = {"table dbo.Orders", "procedure dbo.Old A1",
		"procedure dbo.Same B1", "column dbo.Orders.Id 56", NULL};
	static const char *const newer[] = {"table dbo.Orders", "procedure dbo.Same B2",
		"procedure dbo.Secret", "column dbo.Orders.Id 56", NULL};
	static const struct {
		const char *full;
		enum inventory_class class;
		const char *version;
	} cases[] = {{"dbo.Orders", CLASS_PRODUCT, "1"}, {"dbo.Old", CLASS_PRODUCT, "1"},
		{"dbo.Same", CLASS_PRODUCT, "2"}, {"dbo.SAME2", CLASS_CLIENT, NULL},
		{"dbo.Secret", CLASS_UNKNOWN, "2"}, {"dbo.Orders.Id", CLASS_PRODUCT, "1"},
		{"dbo.Orders.Note", CLASS_CLIENT, NULL}, {"Nightly", CLASS_UNKNOWN, NULL}};
	struct vendor vendor = {0};
	struct inventory v;

	(void)state;
	scene_vendor(&vendor, "1", older);
	scene_vendor(&vendor, "2", newer);
	scene_begin(&v);
	scene_item(&v, "table", 1, "Orders", "");
	scene_item(&v, "procedure", 2, "Old", "A1");
	scene_item(&v, "procedure", 3, "Same", "B2");
	scene_item(&v, "procedure", 4, "SAME2", "B2");
	scene_item(&v, "procedure", 5, "Secret", "");
	scene_item_of(&v, "column", 0, 1, "Id", "56", "", "");
	scene_item_of(&v, "column", 0, 1, "Note", "231", "", "");
	scene_item_of(&v, "job", 0, 0, "Nightly", "", "", "");
	finish(&v, &vendor);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct inventory_item *t = scene_find(&v, cases[i].full);
		assert_string_equal(
			inventory_class_name(t->class), inventory_class_name(cases[i].class));
		assert_true((t->version == NULL) == (cases[i].version == NULL));
	}
	assert_false(inventory_is_custom(scene_find(&v, "dbo.Orders")));
	assert_true(inventory_is_custom(scene_find(&v, "dbo.Orders.Note")));
	inventory_free(&v);
	vendor_free(&vendor);
}

static void test_a_changed_definition_is_told(void **state)
{
	static const char *const list[] = {
		"procedure dbo.p A1", "column dbo.T.c 56", "table dbo.T", NULL};
	struct vendor vendor = {0};
	struct inventory v;

	(void)state;
	scene_vendor(&vendor, "1", list);
	scene_begin(&v);
	scene_item(&v, "procedure", 1, "P", "A2");
	scene_item(&v, "table", 2, "T", "");
	scene_item_of(&v, "column", 0, 2, "c", "231", "", "");
	finish(&v, &vendor);
	assert_int_equal(scene_find(&v, "dbo.P")->class, CLASS_CHANGED);
	assert_int_equal(scene_find(&v, "dbo.T.c")->class, CLASS_CHANGED);
	assert_int_equal(scene_find(&v, "dbo.T")->class, CLASS_PRODUCT);
	inventory_free(&v);
	vendor_free(&vendor);
}

static void test_without_a_list_all_is_unknown(void **state)
{
	struct inventory v;

	(void)state;
	scene_begin(&v);
	scene_item(&v, "procedure", 1, "p", "A2");
	finish(&v, NULL);
	assert_int_equal(scene_find(&v, "dbo.p")->class, CLASS_UNKNOWN);
	assert_true(inventory_is_custom(scene_find(&v, "dbo.p")));
	inventory_free(&v);
}

/* A red table and a red procedure, which each of the other tests makes less sure. */
static void red_scene(struct inventory *v)
{
	scene_begin(v);
	scene_item(v, "table", 1, "Quiet", "");
	scene_item(v, "procedure", 2, "Idle", "A1");
}

static void test_red_needs_days_and_no_reference(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	finish(&v, NULL);
	expect(&v, "dbo.Quiet", COLOR_RED, "not used for 200 days (watched since 1972-03-11");
	expect(&v, "dbo.Idle", COLOR_RED, "nothing refers to it");
	inventory_free(&v);
}

static void test_use_is_green_until_it_is_too_long_ago(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	scene_use(&v, "index-usage", 1, 0, 0, DAYS_AGO(89));
	scene_use(&v, "procedure-stats", 2, 0, DAYS_AGO(91), 0);
	finish(&v, NULL);
	expect(&v, "dbo.Quiet", COLOR_GREEN, "(index-usage)");
	expect(&v, "dbo.Idle", COLOR_RED, "not used for 91 days");
	inventory_free(&v);
}

static void test_what_refers_keeps_from_red(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	scene_item(&v, "view", 3, "Shows", "A3");
	scene_reference(&v, "reference", 3, 1, "", "Quiet");
	scene_item_of(&v, "job", 0, 0, "Nightly", "", "", "");
	scene_item_of(&v, "job-step", 1, 0, "Nightly", "", "TSQL", "exec [dbo].[idle] @x = 1");
	finish(&v, NULL);
	expect(&v, "dbo.Quiet", COLOR_YELLOW, "view dbo.Shows refers to it");
	expect(&v, "dbo.Idle", COLOR_YELLOW, "job Nightly refers to it");
	expect(&v, "dbo.Shows", COLOR_YELLOW, "does not record the use");
	inventory_free(&v);
}

/* A name that the server did not resolve may be this one. */
static void test_an_unresolved_name_keeps_from_red(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	scene_item(&v, "procedure", 3, "Caller", "A3");
	scene_reference(&v, "reference", 3, 0, "", "IDLE");
	finish(&v, NULL);
	expect(&v, "dbo.Idle", COLOR_YELLOW, "procedure dbo.Caller refers to it");
	inventory_free(&v);
}

static void test_less_evidence_is_never_red(void **state)
{
	static const struct {
		const char *database, *part;
		enum answer seen;
		instant_t since;
		const char *full, *words;
	} cases[] = {
		{"", "server-start", ANSWER_UNKNOWN, 0, "dbo.Quiet", "counters of use"},
		{"", "server-start", ANSWER_YES, 0, "dbo.Quiet", "counters of use"},
		{"", "server-start", ANSWER_YES, DAYS_AGO(10), "dbo.Quiet",
			"watched for 10 of 90 days only"},
		{"Acme", "index-usage", ANSWER_UNKNOWN, 0, "dbo.Quiet", "counters of use"},
		{"Acme", "memory", ANSWER_NO, 0, "dbo.Quiet", "closes when no user is connected"},
		{"Acme", "memory", ANSWER_YES, DAYS_AGO(5), "dbo.Quiet",
			"watched for 5 of 90 days only"},
		/* Whatever began before: only the oldest counter shows that none was forgotten since. */
		{"Acme", "counted-since", ANSWER_YES, DAYS_AGO(89), "dbo.Quiet",
			"watched for 89 of 90 days only"},
		{"Acme", "counted-since", ANSWER_YES, 0, "dbo.Quiet",
			"no counter of the database shows since when"},
		{"Acme", "counted-since", ANSWER_UNKNOWN, 0, "dbo.Quiet", "counters of use"},
		{"Acme", "one-replica", ANSWER_NO, 0, "dbo.Quiet", "in an availability group"},
		{"Acme", "one-replica", ANSWER_UNKNOWN, 0, "dbo.Idle", "in an availability group"},
		{"Acme", "query-store", ANSWER_NO, 0, "dbo.Idle", "Query Store is off"},
		{"Acme", "query-store", ANSWER_UNKNOWN, 0, "dbo.Idle", "could not be read"},
		{"Acme", "query-store-use", ANSWER_UNKNOWN, 0, "dbo.Idle", "could not be read"},
		{"Acme", "query-store", ANSWER_YES, DAYS_AGO(89), "dbo.Idle",
			"watched for 89 of 90"},
		{"Acme", "reference", ANSWER_UNKNOWN, 0, "dbo.Idle",
			"references between modules were not read"},
		{"Acme", "foreign-key", ANSWER_UNKNOWN, 0, "dbo.Quiet",
			"foreign keys were not read"},
		{"", "job-step", ANSWER_UNKNOWN, 0, "dbo.Quiet", "Agent jobs were not read"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inventory v;
		red_scene(&v);
		for (size_t k = 0; k < v.n_coverage; k++)
			if (streq(v.coverage[k].part, cases[i].part) &&
				streq(v.coverage[k].database, cases[i].database)) {
				v.coverage[k].seen = cases[i].seen;
				v.coverage[k].since = cases[i].since;
			}
		finish(&v, NULL);
		expect(&v, cases[i].full, COLOR_YELLOW, cases[i].words);
		inventory_free(&v);
	}
}

/* What the server's records cannot show is never unused by them. */
static void test_what_no_record_shows_is_never_red(void **state)
{
	static const struct {
		const char *facts, *full, *words;
	} cases[] = {{"no-query", "dbo.Idle", "it holds no query"},
		{"execute-as dynamic-sql", "dbo.Idle", "dynamic SQL"},
		{"native", "dbo.Idle", "natively compiled"}, {"clr", "dbo.Idle", "assemblies"},
		{"unreadable", "dbo.Idle", "cannot be read"},
		{"uncounted", "dbo.Quiet", "memory-optimized"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inventory v;
		red_scene(&v);
		v.items[streq(cases[i].full, "dbo.Idle")].facts = cases[i].facts;
		finish(&v, NULL);
		expect(&v, cases[i].full, COLOR_YELLOW, cases[i].words);
		inventory_free(&v);
	}
}

static void test_what_is_new_was_not_watched(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	v.items[0].created = DAYS_AGO(3);
	v.items[1].created = 0;
	finish(&v, NULL);
	expect(&v, "dbo.Quiet", COLOR_YELLOW, "watched for 3 of 90 days only");
	expect(&v, "dbo.Idle", COLOR_YELLOW, "its creation date is unknown");
	inventory_free(&v);
}

static void test_an_index_is_used_when_it_is_searched(void **state)
{
	struct inventory v;

	(void)state;
	scene_begin(&v);
	scene_item(&v, "table", 1, "T", "");
	scene_item_of(&v, "index", 2, 1, "ix", "NONCLUSTERED", "", "");
	scene_item_of(&v, "index", 3, 1, "uq", "NONCLUSTERED", "unique", "");
	scene_item_of(&v, "column", 0, 1, "c", "56", "", "");
	scene_use(&v, "index-usage", 1, 0, DAYS_AGO(2), 0);
	scene_use(&v, "index-usage", 1, 2, 0, DAYS_AGO(1));
	static const char *const list[] = {"table dbo.T", NULL};
	struct vendor vendor = {0};
	scene_vendor(&vendor, "1", list);
	finish(&v, &vendor);
	expect(&v, "dbo.T.ix", COLOR_RED, "not used for 200 days");
	expect(&v, "dbo.T.c", COLOR_YELLOW, "does not record the use");
	expect(&v, "dbo.T.uq", COLOR_YELLOW, "it enforces a rule");
	assert_int_equal(scene_find(&v, "dbo.T")->last, DAYS_AGO(1));
	inventory_free(&v);
	vendor_free(&vendor);
}

/* A batch that failed in its middle has told some things already. */
static void test_what_is_read_again_counts_once(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	scene_use(&v, "procedure-stats", 2, 0, DAYS_AGO(1), 0);
	scene_part(&v, "Acme", INVENTORY_AGAIN, ANSWER_NO, 0);
	scene_item(&v, "procedure", 2, "Idle", "A1");
	finish(&v, NULL);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.items[0].uses, 0);
	expect(&v, "dbo.Idle", COLOR_RED, "not used for 200 days");
	inventory_free(&v);
}

static void test_an_unread_database_has_nothing_and_says_why(void **state)
{
	struct inventory v;

	(void)state;
	red_scene(&v);
	assert_int_equal(inventory_expect(&v, "sql01", "Other", true), 0);
	scene_part(&v, "Other", "whole", ANSWER_UNKNOWN, 0);
	v.items[1].database = "Other";
	finish(&v, NULL);
	assert_int_equal(v.n, 1);
	assert_false(v.databases[1].read);
	assert_string_equal(v.databases[1].why, "refused");
	expect(&v, "dbo.Quiet", COLOR_YELLOW,
		"another database of the client on this server was not read");
	inventory_free(&v);
}

static void test_risks_are_told(void **state)
{
	static const char *const list[] = {"table dbo.Orders", NULL};
	static const struct {
		const char *full;
		enum cloud_risk risk;
	} cases[] = {{"dbo.tr", RISK_TRIGGER}, {"dbo.writer", RISK_WRITES},
		{"dbo.syn", RISK_DATABASE}, {"dbo.far", RISK_SERVER}, {"dbo.far2", RISK_DATABASE},
		{"dbo.clr", RISK_CLR}, {"dbo.as", RISK_EXECUTE_AS}, {"dbo.texts", RISK_REMOTE_ROWS},
		{"dbo.texts", RISK_MAIL}, {"dbo.q", RISK_BROKER}, {"Nightly", RISK_JOB},
		{"link", RISK_SERVER}};
	struct vendor vendor = {0};
	struct inventory v;

	(void)state;
	scene_vendor(&vendor, "1", list);
	scene_begin(&v);
	scene_item(&v, "table", 1, "Orders", "");
	scene_item_of(&v, "trigger", 2, 1, "tr", "A1", "", "");
	scene_item(&v, "procedure", 3, "writer", "A1");
	scene_reference(&v, "writes", 3, 1, "", "");
	scene_item_of(&v, "synonym", 4, 0, "syn", "", "", "[Ot.her].[dbo].[x]");
	scene_item_of(&v, "synonym", 5, 0, "far", "", "", "[srv].[db].[dbo].[x]");
	scene_item(&v, "procedure", 6, "far2", "A1");
	scene_reference(&v, "reference", 6, 0, "Other", "x");
	scene_item_of(&v, "function", 7, 0, "clr", "", "clr", "");
	scene_item_of(&v, "procedure", 8, 0, "as", "A1", "execute-as", "");
	scene_item(&v, "procedure", 9, "texts", "A1");
	scene_reference(&v, "text", 9, 0, "", "openrowset database-mail dynamic-sql");
	scene_item(&v, "queue", 10, "q", "");
	scene_item_of(&v, "job", 0, 0, "Nightly", "", "", "");
	scene_item_of(&v, "linked-server", 0, 0, "link", "", "", "");
	scene_item_of(&v, "synonym", 11, 0, "near", "", "", "[acme].[dbo].[Orders]");
	finish(&v, &vendor);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!(scene_find(&v, cases[i].full)->risks & 1u << cases[i].risk))
			fail_msg("%s lacks %s", cases[i].full, cloud_risk_name(cases[i].risk));
	assert_int_equal(scene_find(&v, "dbo.near")->risks, 0);
	assert_int_equal(scene_find(&v, "dbo.Orders")->risks, 0);
	assert_int_equal(scene_find(&v, "dbo.writer")->risks, 1u << RISK_WRITES);
	inventory_free(&v);
	vendor_free(&vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes_come_from_every_list),
		cmocka_unit_test(test_a_changed_definition_is_told),
		cmocka_unit_test(test_without_a_list_all_is_unknown),
		cmocka_unit_test(test_red_needs_days_and_no_reference),
		cmocka_unit_test(test_use_is_green_until_it_is_too_long_ago),
		cmocka_unit_test(test_what_refers_keeps_from_red),
		cmocka_unit_test(test_an_unresolved_name_keeps_from_red),
		cmocka_unit_test(test_less_evidence_is_never_red),
		cmocka_unit_test(test_what_no_record_shows_is_never_red),
		cmocka_unit_test(test_what_is_new_was_not_watched),
		cmocka_unit_test(test_an_index_is_used_when_it_is_searched),
		cmocka_unit_test(test_what_is_read_again_counts_once),
		cmocka_unit_test(test_an_unread_database_has_nothing_and_says_why),
		cmocka_unit_test(test_risks_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
