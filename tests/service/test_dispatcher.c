/* What is ready is called; what was removed meanwhile is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "service/dispatcher.h"

struct listener {
	struct dispatcher *dispatcher;
	struct binding binding;
	struct listener *other; /* to be removed when this is called */
	int n_calls;
};

static void ready(void *context)
{
	struct listener *l = context;

	l->n_calls++;
	if (l->other)
		dispatcher_remove(l->dispatcher, &l->other->binding);
}

static void listen(struct listener *l, struct dispatcher *d, unsigned events)
{
	*l = (struct listener){.dispatcher = d};
	l->binding.fd = eventfd(events, EFD_CLOEXEC);
	l->binding.ready = ready;
	l->binding.context = l;
	assert_int_equal(dispatcher_add(d, &l->binding), 0);
}

static void test_only_what_is_ready_is_called(void **state)
{
	struct dispatcher *d;
	struct listener quiet, loud;

	(void)state;
	assert_int_equal(dispatcher_new(&d), 0);
	listen(&quiet, d, 0);
	listen(&loud, d, 1);
	assert_int_equal(dispatcher_wait(d, -1), 0);
	assert_int_equal(quiet.n_calls, 0);
	assert_int_equal(loud.n_calls, 1);
	dispatcher_remove(d, &loud.binding);
	assert_int_equal(dispatcher_wait(d, 0), 0);
	assert_int_equal(loud.n_calls, 1);
	close(quiet.binding.fd);
	close(loud.binding.fd);
	dispatcher_free(d);
	dispatcher_free(NULL);
}

/* Both are reported in one batch: whichever is called first takes the other's turn away, for its owner may be gone. */
static void test_what_was_removed_in_the_same_batch_is_not_called(void **state)
{
	struct dispatcher *d;
	struct listener a, b;

	(void)state;
	assert_int_equal(dispatcher_new(&d), 0);
	listen(&a, d, 1);
	listen(&b, d, 1);
	a.other = &b;
	b.other = &a;
	assert_int_equal(dispatcher_wait(d, -1), 0);
	assert_int_equal(a.n_calls + b.n_calls, 1);
	close(a.binding.fd);
	close(b.binding.fd);
	dispatcher_free(d);
}

static void test_a_file_that_is_none_is_an_error(void **state)
{
	struct binding none = {.fd = -1};
	struct dispatcher *d;

	(void)state;
	assert_int_equal(dispatcher_new(&d), 0);
	assert_int_equal(dispatcher_add(d, &none), -EBADF);
	dispatcher_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_is_ready_is_called),
		cmocka_unit_test(test_what_was_removed_in_the_same_batch_is_not_called),
		cmocka_unit_test(test_a_file_that_is_none_is_an_error),
	};
	return cmocka_run_group_tests_name("dispatcher", tests, NULL, NULL);
}
