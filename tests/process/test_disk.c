/* Work on a disk that hangs: its caller goes on, and what must be done is done later. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "curfew/disk.h"

struct test_work {
	struct disk_work work;
	bool hangs;
	int number;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int done, released;
static int order[8];

static int work_run(struct disk_work *work)
{
	const struct test_work *w = (const struct test_work *)work;

	if (w->hangs) {
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	order[done] = w->number;
	done++;
	return w->number;
}

static void work_release(struct disk_work *work)
{
	free(work);
	released++;
}

static struct test_work *work_new(int number)
{
	struct test_work *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->work = (struct disk_work){.run = work_run, .release = work_release};
	w->number = number;
	return w;
}

static void released_come(int n)
{
	while (released < n)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void test_without_a_thread(void **state)
{
	struct test_work *w = work_new(1);

	(void)state;
	assert_int_equal(disk_run(&w->work), 1);
	assert_int_equal(done, 1);
	assert_int_equal(released, 1);
	assert_false(disk_hangs());
}

static void test_with_a_thread(void **state)
{
	struct test_work *w = work_new(2);

	(void)state;
	assert_int_equal(disk_start(), 0);
	assert_int_equal(disk_start(), 0);
	assert_int_equal(disk_run(&w->work), 2);
	assert_int_equal(done, 2);
	assert_int_equal(released, 2);
}

static void test_hangs(void **state)
{
	struct test_work *w = work_new(3), *refused = work_new(4), *must = work_new(5),
			 *second = work_new(6);
	int status;

	(void)state;
	done = released = 0;
	pthread_mutex_lock(&gate);
	w->hangs = true;
	assert_int_equal(disk_run(&w->work), -ETIMEDOUT);
	assert_true(disk_hangs());
	/* Later work does not wait again, and is done only where it must be. */
	assert_int_equal(disk_run(&refused->work), -ETIMEDOUT);
	assert_int_equal(released, 1);
	must->work.must = second->work.must = true;
	assert_int_equal(disk_run(&must->work), -ETIMEDOUT);
	assert_int_equal(disk_run(&second->work), -ETIMEDOUT);
	assert_int_equal(done, 0);
	/* A child has no thread, and works itself. */
	pid_t child = fork();
	if (child == 0) {
		struct test_work *own = work_new(7);
		_exit(disk_hangs() || disk_run(&own->work) != 7 || done != 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	pthread_mutex_unlock(&gate);
	released_come(4);
	assert_int_equal(done, 3);
	assert_int_equal(order[0], 3);
	assert_int_equal(order[1], 5);
	assert_int_equal(order[2], 6);
	struct test_work *after = work_new(8);
	while (disk_hangs())
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(disk_run(&after->work), 8);
	assert_int_equal(done, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_thread),
		cmocka_unit_test(test_with_a_thread),
		cmocka_unit_test(test_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
