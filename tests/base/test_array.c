/* Lists that are a pointer and a count: they grow by an item, or stay as they are. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "curfew/base.h"

/* A sanitizer's allocator ends the process where every other one returns NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

struct pair {
	int64_t first, second;
};

/* The memory that a list grows into has been used before. */
static void test_new_item_is_zero(void **state)
{
	struct pair *items = NULL;
	size_t n = 0;

	(void)state;
	for (int64_t i = 0; i < 100; i++) {
		struct pair *p = ARRAY_MORE(items, n);
		assert_non_null(p);
		assert_ptr_equal(p, &items[i]);
		assert_int_equal(n, i + 1);
		assert_int_equal(p->first, 0);
		assert_int_equal(p->second, 0);
		*p = (struct pair){i, -1};
	}
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(items[i].first, i);
	free(items);
}

static void test_copy_is_kept_also_of_own_item(void **state)
{
	struct pair *items = NULL;
	size_t n = 0;

	(void)state;
	struct pair *first = ARRAY_MORE(items, n);
	assert_non_null(first);
	*first = (struct pair){1, 2};
	/* Each growth may move the item that is copied. */
	for (size_t i = 1; i < 100; i++)
		assert_int_equal(ARRAY_ADD(items, n, items[i - 1]), 0);
	assert_int_equal(n, 100);
	assert_int_equal(items[99].first, 1);
	assert_int_equal(items[99].second, 2);
	free(items);
}

/* Twice so many items are more bytes than a size can say. Volatile: a compiler that sees the number refuses it. */
static void test_failure_leaves_list_as_it_was(void **state)
{
	static volatile size_t many = SIZE_MAX / 4 + 1;
	struct pair *one = calloc(1, sizeof(*one)), *items = one;
	size_t n = many;

	(void)state;
	assert_non_null(one);
	*one = (struct pair){1, 2};
	assert_null(ARRAY_MORE(items, n));
	assert_int_equal(ARRAY_ADD(items, n, (struct pair){3, 4}), -ENOMEM);
	assert_ptr_equal(items, one);
	assert_true(n == many);
	assert_int_equal(one->first, 1);
	assert_int_equal(one->second, 2);
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_item_is_zero),
		cmocka_unit_test(test_copy_is_kept_also_of_own_item),
		cmocka_unit_test(test_failure_leaves_list_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
