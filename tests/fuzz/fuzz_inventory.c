/* The files that an inventory takes from people: a list of the product, and a CSV of decisions that went through a
 * spreadsheet; a zero byte between both. What is merged is what a cell says, and it comes back from the CSV that is printed
 * of it. */
#include "fuzz.h"

#include "curfew/inventory_report.h"

#define NOW INT64_C(1795860000)

static void told(struct inventory *v, struct record *r)
{
	RECORD_SET(r, server, "sql01");
	REQUIRE(inventory_take(v, r) == 0);
}

static void object(struct inventory *v, uint64_t id, const char *type, const char *name)
{
	struct record r = {.kind = RECORD_ITEM};

	RECORD_SET(&r, database, "Acme");
	RECORD_SET(&r, item.type, type);
	RECORD_SET(&r, item.schema, "dbo");
	RECORD_SET(&r, item.name, name);
	RECORD_SET(&r, item.hash, "A1");
	r.item.id = id;
	r.item.writable = ANSWER_YES;
	r.item.created = NOW - 400 * DAY;
	told(v, &r);
}

static void scene(struct inventory *v, const struct vendor *vendor)
{
	struct record whole = {.kind = RECORD_COVERAGE};

	*v = (struct inventory){.at = NOW, .days = 90};
	REQUIRE(inventory_expect(v, "sql01", "Acme", true) == 0);
	object(v, 1, "table", "Orders");
	object(v, 2, "procedure", "Report");
	object(v, 3, "view", "=1+1");
	object(v, 4, "view", "a\nb");
	RECORD_SET(&whole, database, "Acme");
	RECORD_SET(&whole, coverage.part, "whole");
	whole.coverage.seen = ANSWER_YES;
	told(v, &whole);
	REQUIRE(inventory_finish(v, vendor) == 0);
}

static bool decision_is_known(const char *decision)
{
	return !decision || streq(decision, "keep") || streq(decision, "replace") ||
	       streq(decision, "drop");
}

static bool same(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static void round_check(const struct inventory *v, const struct vendor *vendor)
{
	const struct inventory_report r = {
		.inventory = v, .vendor = vendor, .client = "acme", .zone = "UTC"};
	struct inventory again;
	struct text text;
	char why[256];

	REQUIRE(text_begin(&text));
	REQUIRE(inventory_print_csv(&r, text.to) == 0);
	char *csv = text_end(&text);
	REQUIRE(csv);
	scene(&again, vendor);
	REQUIRE(inventory_decide(&again, csv, why) == 0);
	REQUIRE(again.n == v->n);
	for (size_t i = 0; i < v->n; i++) {
		REQUIRE(decision_is_known(v->items[i].decision));
		REQUIRE(!inventory_is_custom(&v->items[i]) ||
			same(v->items[i].decision, again.items[i].decision));
		REQUIRE(!inventory_is_custom(&v->items[i]) ||
			same(v->items[i].due, again.items[i].due));
	}
	inventory_free(&again);
	free(csv);
}

/* What a spreadsheet would take for a formula begins with an apostrophe. */
static void cells_check(const struct inventory *v)
{
	const struct inventory_report r = {.inventory = v, .client = "acme", .zone = "UTC"};
	struct text text;
	bool quoted = false;

	REQUIRE(text_begin(&text));
	REQUIRE(inventory_print_csv(&r, text.to) == 0);
	char *csv = text_end(&text);
	REQUIRE(csv);
	for (const char *c = csv; *c; c++) {
		if (*c != '"')
			continue;
		quoted = !quoted;
		if (quoted && (c == csv || c[-1] == ',' || c[-1] == '\n'))
			REQUIRE(!strchr("=+-@\t\r", c[1]) || !c[1]);
	}
	free(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	char *list = input_text(&in, '\0'), *decisions = input_text(&in, '\0');
	char why[RECORD_TEXT_MAX] = "", said[256];
	struct vendor vendor = {0};
	struct inventory v;

	if (vendor_add(&vendor, why, list, strlen(list)) == 0) {
		REQUIRE(vendor.n_lists == 1 && vendor.n > 0);
		vendor_sort(&vendor);
	} else {
		REQUIRE(vendor.n == 0 && vendor.n_lists == 0);
		REQUIRE(strlen(why) > 0);
	}
	scene(&v, &vendor);
	if (inventory_decide(&v, decisions, said) == 0) {
		round_check(&v, &vendor);
		cells_check(&v);
	} else {
		REQUIRE(strlen(said) > 0);
	}
	inventory_free(&v);
	vendor_free(&vendor);
	free(list);
	free(decisions);
	return 0;
}
