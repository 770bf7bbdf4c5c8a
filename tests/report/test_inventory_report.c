/* The inventory for people: golden page, table, and CSV of a database with every color, class, and kind of trouble. */
#include "report_fixture.h"

#include "curfew/inventory_report.h"

/* The hand-written server and its database. */
#include "../inventory/inventory_scene.c"

#define DAYS_AGO(n) (SCENE_NOW - (n) * (instant_t)SCENE_DAY)

static struct sample_tally tallies[] = {
	{DAYS_AGO(90), 2, 10, 3, 15, 0, 0, 0, 15},
	{DAYS_AGO(60), 4, 8, 3, 9, 2, 2, 2, 13},
	{DAYS_AGO(20), 6, 4, 2, 4, 3, 3, 2, 10},
	{DAYS_AGO(0) - 60, 3, 7, 2, 4, 3, 3, 2, 10},
};
static struct sample_decision decisions[] = {
	{"table", "dbo.Unused", "drop", NULL, "Jane Doe", "1972-10-01", HOSTILE},
	{"procedure", "dbo.Busy", "drop", NULL, NULL, NULL, NULL},
	{"view", "dbo.Shows", "replace", "a panel", NULL, NULL, NULL},
	{"column", "dbo.Invoices.Note", "keep", NULL, NULL, NULL, NULL},
};
static struct sample_watch watches[] = {{"index-usage", DAYS_AGO(300), DAYS_AGO(201), 7200}};
static struct sample sample = {.server = "sql01",
	.database = "Acme",
	.watches = watches,
	.n_watches = 1,
	.tallies = tallies,
	.n_tallies = ARRAY_SIZE(tallies),
	.decisions = decisions,
	.n_decisions = ARRAY_SIZE(decisions)};
static const struct samples samples = {&sample, 1};

static void items_add(struct inventory *v)
{
	scene_item(v, "table", 1, "Invoices", "");
	scene_item_of(v, "column", 0, 1, "Note", "231 80", "", "");
	scene_item(v, "procedure", 2, "InvoiceShow", "B2");
	scene_item(v, "table", 3, "Unused", "");
	scene_item(v, "table", 4, "Shown", "");
	scene_item(v, "view", 5, "Shows", "A1");
	scene_item(v, "procedure", 6, "Busy", "A1");
	scene_item(v, "procedure", 7, "Ping", "A1");
	scene_item(v, "procedure", 8, "Pong", "A1");
	scene_item_of(v, "trigger", 9, 1, "InvoiceCopy", "A1", "execute-as", "");
	scene_item_of(v, "synonym", 10, 0, "Far", "", "", "Elsewhere.dbo.Thing");
	scene_item(v, "procedure", 11, HOSTILE, "A1");
	scene_item(v, "procedure", 12, "=cmd|' /C calc'!A0", "A1");
	scene_item_of(v, "procedure", 13, 0, "Locked", "", "unreadable", "");
	scene_item_of(v, "job", 0, 0, "Nightly", "", "", "");
	scene_reference(v, "reference", 5, 4, "", "");
	scene_reference(v, "reference", 7, 8, "", "");
	scene_reference(v, "reference", 8, 7, "", "");
	scene_reference(v, "writes", 9, 1, "", "");
	scene_reference(v, "text", 11, 0, "", "openrowset dynamic-sql");
	scene_use(v, "procedure-stats", 6, 0, SCENE_NOW - 3600, 0);
	scene_use(v, "index-usage", 4, 1, DAYS_AGO(2), 0);
}

static void scene(struct inventory *v, struct vendor *vendor)
{
	static const char *const items[] = {
		"table dbo.Invoices", "procedure dbo.InvoiceShow A1", "procedure dbo.Locked", NULL};

	*vendor = (struct vendor){0};
	scene_vendor(vendor, "2017", items);
	scene_begin(v);
	v->samples = &samples;
	assert_int_equal(inventory_expect(v, "sql02", "Hidden", true), 0);
	scene_part(v, "Acme", "function-stats", ANSWER_UNKNOWN, 0);
	items_add(v);
	assert_int_equal(inventory_finish(v, vendor), 0);
}

static void test_golden(void **state)
{
	struct report_fixture *f = sample_new();
	struct client client = f->clients[2];
	struct inventory v;
	struct vendor vendor;
	struct progress progress;
	struct inventory_report r = {.inventory = &v,
		.vendor = &vendor,
		.client = HOSTILE,
		.zone = "UTC",
		.practice = true};
	char *page, *text, *csv, why[256];

	(void)state;
	client.go_live = SCENE_NOW + 20 * SCENE_DAY;
	r.about = &client;
	scene(&v, &vendor);
	assert_int_equal(inventory_decide(&v, "server,database,type,object,color\n", why), 0);
	assert_int_equal(progress_make(&progress, &samples, NULL), 0);
	r.progress = &progress;
	CAPTURED(page, inventory_html(&r, to));
	assert_null(strstr(page, "<script"));
	assert_golden("inventory.html", page);
	CAPTURED(text, inventory_print(&r, to));
	assert_golden("inventory.txt", text);
	CAPTURED(csv, inventory_print_csv(&r, to));
	assert_golden("inventory.csv", csv);
	free(page);
	free(text);
	free(csv);
	progress_free(&progress);
	inventory_free(&v);
	vendor_free(&vendor);
	free(f);
}

static size_t count_of(const char *text, const char *words)
{
	size_t n = 0;

	while ((text = strstr(text, words)))
		text += strlen(words), n++;
	return n;
}

/* The certificates name this page for what remains after go-live: what is kept is hidden until it is asked for. */
static void test_live(void **state)
{
	struct client client = {.has_go_live = true, .timezone = (char *)"UTC"};
	struct inventory v;
	struct vendor vendor;
	struct inventory_report r = {.inventory = &v,
		.vendor = &vendor,
		.client = "acme",
		.zone = "UTC",
		.about = &client};
	char *page;

	(void)state;
	scene(&v, &vendor);
	for (int live = 0; live < 2; live++) {
		client.go_live = SCENE_NOW + (live ? 0 : 1);
		CAPTURED(page, inventory_html(&r, to));
		assert_int_equal(count_of(page, "Objects that remain after go-live"), live);
		assert_int_equal(count_of(page, "id=\"kept\" checked>"), !live);
		assert_int_equal(count_of(page, "id=\"kept\">"), live);
		assert_int_equal(count_of(page, "<tr class=\"yellow client kept\">"), 1);
		free(page);
	}
	inventory_free(&v);
	vendor_free(&vendor);
}

/* In pieces that a browser lays out one by one: as one table, twenty thousand rows took it half a minute. */
static void test_many(void **state)
{
	struct inventory v;
	struct inventory_report r = {.inventory = &v, .client = "acme", .zone = "UTC"};
	char name[32], *page;

	(void)state;
	scene_begin(&v);
	for (uint64_t i = 1; i <= 600; i++) {
		snprintf(name, sizeof(name), "p%u", (unsigned)i);
		scene_item(&v, "procedure", i, name, "A1");
	}
	assert_int_equal(inventory_finish(&v, NULL), 0);
	CAPTURED(page, inventory_html(&r, to));
	assert_int_equal(count_of(page, "<table class=\"list\">"), 3);
	assert_int_equal(count_of(page, "<div class=\"wide rows\">"), 3);
	assert_int_equal(count_of(page, "<tr class=\"red unknown\">"), 600);
	assert_non_null(strstr(page, ".rows{content-visibility:auto"));
	free(page);
	inventory_free(&v);
}

/* Databases are sampled one after the other; each counts with its last numbers, and a day once. */
static void test_sums(void **state)
{
	struct sample_tally a[] = {
		{DAYS_AGO(10), 1, 0, 0, 1, 0, 0, 0, 1}, {DAYS_AGO(3), 0, 0, 1, 0, 1, 0, 0, 0}};
	struct sample_tally b[] = {{DAYS_AGO(10) + 5, 0, 5, 0, 5, 0, 0, 0, 5}};
	struct sample two[] = {{.server = "s", .database = "a", .tallies = a, .n_tallies = 2},
		{.server = "s", .database = "b", .tallies = b, .n_tallies = 1}};
	const struct samples all = {two, 2};
	const struct sample_tally now = {SCENE_NOW, 0, 2, 0, 1, 0, 1, 0, 2};
	struct progress p;

	(void)state;
	assert_int_equal(progress_make(&p, &all, NULL), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.items[0].left, 6);
	assert_int_equal(p.items[1].left, 5);
	assert_int_equal(p.items[1].keep, 1);
	progress_free(&p);
	assert_int_equal(progress_make(&p, &all, &now), 0);
	assert_int_equal(p.n, 3);
	assert_int_equal(progress_last(&p)->left, 2);
	progress_free(&p);
	assert_int_equal(progress_make(&p, &(struct samples){0}, NULL), 0);
	assert_null(progress_last(&p));
	progress_free(&p);
}

static void test_urgency(void **state)
{
	struct sample_tally t = {SCENE_NOW, 0, 1, 0, 1, 0, 0, 0, 1};
	struct client c = {.has_go_live = true, .timezone = (char *)"UTC"};
	char words[TALLY_WORDS_MAX];

	(void)state;
	c.go_live = SCENE_NOW + 31 * SCENE_DAY;
	assert_false(tally_is_urgent(&t, &c, SCENE_NOW));
	c.go_live = SCENE_NOW + 29 * SCENE_DAY;
	assert_true(tally_is_urgent(&t, &c, SCENE_NOW));
	assert_non_null(strstr(tally_words(words, &t, &c, SCENE_NOW),
		"1 of 1 custom objects are left before go-live "));
	t.undecided = 0;
	t.keep = 1;
	assert_false(tally_is_urgent(&t, &c, SCENE_NOW));
	t.red = 1;
	assert_true(tally_is_urgent(&t, &c, SCENE_NOW));
	c.go_live = SCENE_NOW;
	assert_false(tally_is_urgent(&t, &c, SCENE_NOW));
	assert_non_null(strstr(tally_words(words, &t, &c, SCENE_NOW), " after go-live "));
	assert_null(strstr(tally_words(words, &t, NULL, SCENE_NOW), "go-live"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_urgency),
	};

	report_locale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
