/* Lists of the product's own objects: what is none is refused, and what was written is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "inventory_scene.h"

static void test_lists_that_are_none_are_refused(void **state)
{
	static const char *const texts[] = {"", "{", "[]",
		"{\"curfew_vendor\": 2, \"version\": \"1\", \"items\": []}",
		"{\"curfew_vendor\": 1, \"version\": \"1\", \"items\": []}",
		"{\"curfew_vendor\": 1, \"version\": \"1\", \"items\": [[\"a\", \"b\"]]}",
		"{\"curfew_vendor\": 1, \"items\": [[\"a\", \"b\", \"c\"]]}",
		"{\"curfew_vendor\": 1, \"version\": \"1\", \"items\": [[\"a\", \"b\", 3]]}"};
	struct vendor vendor = {0};
	char why[RECORD_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(vendor_add(&vendor, why, texts[i], strlen(texts[i])), -EBADMSG);
	assert_int_equal(vendor.n, 0);
	vendor_free(&vendor);
}

static void test_a_list_that_was_written_is_read(void **state)
{
	struct vendor vendor = {0};
	struct inventory v, again;
	char why[RECORD_TEXT_MAX];
	struct text text;

	(void)state;
	scene_begin(&v);
	scene_item(&v, "procedure", 1, "p\"]\n\xf0\x9f\x98\x80", "A1");
	scene_item_of(&v, "job", 0, 0, "Nightly", "", "", "");
	assert_int_equal(inventory_finish(&v, NULL), 0);
	assert_non_null(text_begin(&text));
	assert_int_equal(vendor_write(text.to, &v, "2017 \"SP\" 3"), 0);
	_cleanup_free_ char *written = text_end(&text);
	assert_int_equal(vendor_add(&vendor, why, written, strlen(written)), 0);
	vendor_sort(&vendor);
	assert_int_equal(vendor.n, 1);
	assert_string_equal(vendor.lists[0].version, "2017 \"SP\" 3");
	scene_begin(&again);
	scene_item(&again, "procedure", 1, "p\"]\n\xf0\x9f\x98\x80", "A1");
	assert_int_equal(inventory_finish(&again, &vendor), 0);
	assert_int_equal(again.items[0].class, CLASS_PRODUCT);
	inventory_free(&v);
	inventory_free(&again);
	vendor_free(&vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists_that_are_none_are_refused),
		cmocka_unit_test(test_a_list_that_was_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
