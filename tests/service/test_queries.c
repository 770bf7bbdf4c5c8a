/* When the loop wakes for a request that only reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "service/internal.h"
#include "service/preflights.h"

static void test_it_wakes_for_what_it_can_begin(void **state)
{
	struct service s = {0};

	(void)state;
	assert_int_equal(passes_open(&s), 0);
	assert_int_equal(queries_open(&s), 0);
	assert_int_equal(preflights_open(&s), 0);
	/* For a preflight, and not before the first passes. */
	assert_true(queries_next(&s) > monotonic_ms() + 30 * 1000);
	s.queries.n_queue = 1;
	s.queries.queue[0].asked = monotonic_ms();
	assert_true(queries_next(&s) > s.queries.queue[0].asked);
	assert_true(queries_next(&s) < INT64_MAX);
	/* Long due, but a reload comes first, and that waits for the pass under way. */
	s.queries.queue[0].asked = 0;
	s.reload_wanted = true;
	assert_true(queries_next(&s) == INT64_MAX);
	s.queries.n_queue = 0;
	preflights_close(&s);
	queries_close(&s);
	passes_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_wakes_for_what_it_can_begin),
	};
	return cmocka_run_group_tests_name("queries", tests, NULL, NULL);
}
