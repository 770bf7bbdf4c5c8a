#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inventory_scene.h"

static struct record record_new(enum record_kind kind, const char *database)
{
	struct record r = {.kind = kind};

	RECORD_SET(&r, server, "sql01");
	RECORD_SET(&r, database, database);
	return r;
}

void scene_part(struct inventory *v, const char *database, const char *part, enum answer seen,
	instant_t since)
{
	struct record r = record_new(RECORD_COVERAGE, database);

	RECORD_SET(&r, coverage.part, part);
	RECORD_SET(&r, detail, seen == ANSWER_UNKNOWN ? "refused" : "");
	r.coverage.seen = seen;
	r.coverage.since = since;
	assert_int_equal(inventory_take(v, &r), 0);
}

void scene_begin(struct inventory *v)
{
	static const char *const parts[] = {"object", "reference", "foreign-key", "index-usage",
		"procedure-stats", "query-store-use", "one-replica", "whole", "default", "check",
		"foreign-key-column", "foreign-key-target", "index-column"};
	static const char *const server_parts[] = {"job", "job-step", "whole"};
	instant_t began = SCENE_NOW - 200 * (instant_t)SCENE_DAY;

	*v = (struct inventory){.at = SCENE_NOW, .days = 90};
	assert_int_equal(inventory_expect(v, "sql01", "Acme", true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		scene_part(v, "Acme", parts[i], ANSWER_YES, 0);
	for (size_t i = 0; i < ARRAY_SIZE(server_parts); i++)
		scene_part(v, "", server_parts[i], ANSWER_YES, 0);
	scene_part(v, "", "server-start", ANSWER_YES, began);
	scene_part(v, "Acme", "query-store", ANSWER_YES, began);
	scene_part(v, "Acme", "memory", ANSWER_YES, began);
	scene_part(v, "Acme", "counted-since", ANSWER_YES, began);
}

void scene_item_of(struct inventory *v, const char *type, uint64_t id, uint64_t parent,
	const char *name, const char *hash, const char *facts, const char *target)
{
	bool whole =
		!streq(type, "job") && !streq(type, "job-step") && !streq(type, "linked-server");
	struct record r = record_new(RECORD_ITEM, whole ? "Acme" : "");

	RECORD_SET(&r, item.type, type);
	RECORD_SET(&r, item.schema,
		streq(type, "column") || streq(type, "index") || !whole ? "" : "dbo");
	RECORD_SET(&r, item.name, name);
	RECORD_SET(&r, item.hash, hash);
	RECORD_SET(&r, item.facts, facts);
	RECORD_SET(&r, item.target, target);
	r.item.id = id;
	r.item.parent = parent;
	r.item.writable = ANSWER_YES;
	r.item.created = r.item.modified = SCENE_NOW - 400 * (instant_t)SCENE_DAY;
	assert_int_equal(inventory_take(v, &r), 0);
}

void scene_item(
	struct inventory *v, const char *type, uint64_t id, const char *name, const char *hash)
{
	scene_item_of(v, type, id, 0, name, hash, "", "");
}

void scene_dependent(struct inventory *v, const char *type, uint64_t parent, uint64_t refers,
	uint64_t column, const char *name)
{
	struct record r = record_new(RECORD_ITEM, "Acme");

	RECORD_SET(&r, item.type, type);
	RECORD_SET(&r, item.name, name);
	r.item.parent = parent;
	r.item.refers = refers;
	r.item.id = column;
	r.item.writable = ANSWER_YES;
	assert_int_equal(inventory_take(v, &r), 0);
}

void scene_use(struct inventory *v, const char *source, uint64_t id, uint64_t index, instant_t last,
	instant_t written)
{
	struct record r = record_new(RECORD_USE, "Acme");

	RECORD_SET(&r, use.source, source);
	r.use.id = id;
	r.use.index = index;
	r.use.count = 1;
	r.use.last = last;
	r.use.written = written;
	assert_int_equal(inventory_take(v, &r), 0);
}

void scene_reference(struct inventory *v, const char *how, uint64_t from, uint64_t to,
	const char *database, const char *name)
{
	struct record r = record_new(RECORD_REFERENCE, "Acme");

	RECORD_SET(&r, reference.how, how);
	r.reference.from = from;
	r.reference.to = to;
	if (streq(how, "text"))
		RECORD_SET(&r, reference.facts, name);
	else
		RECORD_SET(&r, reference.name, name);
	RECORD_SET(&r, reference.database, database);
	assert_int_equal(inventory_take(v, &r), 0);
}

const struct inventory_item *scene_find(const struct inventory *v, const char *full)
{
	for (size_t i = 0; i < v->n; i++)
		if (streq(v->items[i].full, full))
			return &v->items[i];
	fail_msg("%s is not in the inventory", full);
	return NULL;
}

void scene_vendor(struct vendor *v, const char *version, const char *const *items)
{
	struct text text;
	char why[RECORD_TEXT_MAX], type[64], name[128], hash[64];

	assert_non_null(text_begin(&text));
	fprintf(text.to, "{\"curfew_vendor\": 1, \"version\": \"%s\", \"items\": [", version);
	for (size_t i = 0; items[i]; i++) {
		hash[0] = '\0';
		assert_true(sscanf(items[i], "%63s %127s %63s", type, name, hash) >= 2);
		fprintf(text.to, "%s[\"%s\", \"%s\", \"%s\"]", i ? ", " : "", type, name, hash);
	}
	fputs("]}", text.to);
	_cleanup_free_ char *written = text_end(&text);
	assert_int_equal(vendor_add(v, why, written, strlen(written)), 0);
	vendor_sort(v);
}
