/* A round that is held: workers that are ready before an instant, and are told when it has come. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "process/workers_internal.h"
#include "worker_jobs.h"

#define N 3

/* Shared with the workers: how often each began, and went on; its process. */
static struct shared {
	int begun[N], gone_on[N];
	pid_t pid[N];
} * shared;

static const size_t numbers[N] = {0, 1, 2};

static int run_waiting(struct worker *w, void *context)
{
	size_t n = *(const size_t *)context;

	shared->pid[n] = getpid();
	__atomic_add_fetch(&shared->begun[n], 1, __ATOMIC_SEQ_CST);
	worker_wait(w);
	assert_false(worker_is_held(w));
	__atomic_add_fetch(&shared->gone_on[n], 1, __ATOMIC_SEQ_CST);
	tell_note(w, "gone on");
	return 0;
}

static int run_hasty(struct worker *w, void *context)
{
	size_t n = *(const size_t *)context;

	if (worker_is_held(w)) {
		__atomic_add_fetch(&shared->begun[n], 1, __ATOMIC_SEQ_CST);
		tell_note(w, "too soon");
		worker_wait(w);
	}
	__atomic_add_fetch(&shared->gone_on[n], 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* As one that waits for a server that does not answer. */
static int run_stuck(struct worker *w, void *context)
{
	size_t n = *(const size_t *)context;

	shared->pid[n] = getpid();
	__atomic_add_fetch(&shared->begun[n], 1, __ATOMIC_SEQ_CST);
	while (worker_is_held(w))
		pause();
	__atomic_add_fetch(&shared->gone_on[n], 1, __ATOMIC_SEQ_CST);
	return 0;
}

static struct worker_job jobs[N];
static struct seen seen;
static struct workers *w;

static int setup(void **state)
{
	(void)state;
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	for (size_t i = 0; i < N; i++)
		jobs[i] = (struct worker_job){.name = "s",
			.run = run_waiting,
			.context = (void *)(uintptr_t)&numbers[i],
			.deadline = 600};
	memset(&seen, 0, sizeof(seen));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	workers_free(w);
	w = NULL;
	munmap(shared, sizeof(*shared));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return 0;
}

static void hold(unsigned parallel, size_t early)
{
	assert_int_equal(workers_start(&w, jobs, N, parallel, 600, seen_record, &seen), 0);
	workers_hold(w, early, 1);
	assert_int_equal(workers_dispatch(w), 0);
}

static void work_a_little(void)
{
	struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};

	if (poll(&p, 1, 10) == 1)
		assert_int_equal(workers_dispatch(w), 0);
}

static void until_begun(size_t n)
{
	while (!__atomic_load_n(&shared->begun[n], __ATOMIC_SEQ_CST))
		work_a_little();
}

static void until_ready(size_t n)
{
	while (!w->slots[n].ready)
		work_a_little();
	assert_int_equal(shared->begun[n], 1);
}

static void until_lost(size_t n)
{
	while (!w->slots[n].lost)
		work_a_little();
}

static void to_the_end(void)
{
	int rc;

	do {
		struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
		assert_int_equal(poll(&p, 1, 60000), 1);
		rc = workers_dispatch(w);
	} while (rc == 0);
	assert_int_equal(rc, WORKERS_DONE);
	assert_int_equal(seen.n_ends, N);
}

static void nothing_was_done(void)
{
	for (size_t i = 0; i < N; i++)
		assert_int_equal(__atomic_load_n(&shared->gone_on[i], __ATOMIC_SEQ_CST), 0);
	assert_int_equal(seen.n, 0);
}

static void test_they_wait_for_the_word(void **state)
{
	(void)state;
	hold(N, 2);
	until_ready(0);
	until_ready(1);
	nothing_was_done();
	assert_int_equal(shared->begun[2], 0); /* none of the early */
	workers_release(w);
	to_the_end();
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(shared->begun[i], 1);
		assert_int_equal(shared->gone_on[i], 1);
	}
	assert_int_equal(seen.code, 0);
}

static void test_no_more_wait_than_there_are_processes(void **state)
{
	(void)state;
	hold(1, N);
	until_ready(0);
	/* Nothing is due any more: nothing wakes a loop again and again. */
	struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
	while (poll(&p, 1, 0) == 1)
		assert_int_equal(workers_dispatch(w), 0);
	assert_int_equal(shared->begun[1], 0);
	workers_release(w);
	to_the_end();
}

static void test_one_that_is_killed_while_it_waits_is_begun_again_at_the_instant(void **state)
{
	(void)state;
	hold(N, N);
	for (size_t i = 0; i < N; i++)
		until_ready(i);
	kill(shared->pid[1], SIGKILL);
	until_lost(1);
	nothing_was_done();
	assert_int_equal(shared->begun[1], 1);
	workers_release(w);
	to_the_end();
	assert_int_equal(shared->begun[1], 2);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(shared->gone_on[i], 1);
	assert_int_equal(seen.code, 0);
}

static void test_its_end_need_not_have_been_seen(void **state)
{
	(void)state;
	hold(N, N);
	for (size_t i = 0; i < N; i++)
		until_ready(i);
	kill(shared->pid[0], SIGKILL);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)shared->pid[0], &info, WEXITED | WNOWAIT), 0);
	workers_release(w);
	to_the_end();
	assert_int_equal(shared->gone_on[0], 1);
	assert_int_equal(seen.code, 0);
}

/* Without a wait: an answer that does not come must not be waited for when the instant has come. */
static void test_one_that_is_not_ready_is_begun_again_at_the_instant(void **state)
{
	(void)state;
	jobs[0].run = run_stuck;
	hold(N, N);
	until_begun(0);
	until_ready(1);
	until_ready(2);
	nothing_was_done();
	pid_t stuck = shared->pid[0];
	workers_release(w);
	to_the_end();
	assert_int_equal(shared->begun[0], 2);
	assert_int_equal(shared->begun[1], 1);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(shared->gone_on[i], 1);
	assert_int_equal(kill(stuck, 0), -1);
	assert_int_equal(seen.code, 0);
}

/* What is ready hears of the instant before anything is begun again. */
static void test_the_release_itself_starts_no_process(void **state)
{
	(void)state;
	jobs[0].run = run_stuck;
	hold(N, N);
	until_begun(0);
	until_ready(1);
	workers_release(w);
	while (!__atomic_load_n(&shared->gone_on[1], __ATOMIC_SEQ_CST))
		sched_yield();
	assert_int_equal(shared->begun[0], 1);
	to_the_end();
	assert_int_equal(shared->begun[0], 2);
}

static void test_its_word_need_not_have_been_seen(void **state)
{
	(void)state;
	hold(N, 1);
	struct pollfd p = {.fd = w->slots[0].channel, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_false(w->slots[0].ready);
	workers_release(w);
	to_the_end();
	assert_int_equal(shared->begun[0], 1);
}

/* Whatever it says: it is not the instant's. */
static void test_one_that_speaks_too_soon_is_not_heard(void **state)
{
	(void)state;
	jobs[0].run = run_hasty;
	hold(N, 1);
	until_lost(0);
	nothing_was_done();
	workers_release(w);
	to_the_end();
	assert_int_equal(shared->gone_on[0], 1);
	assert_int_equal(seen.n_notes, N - 1);
}

static void test_a_round_that_is_given_up_does_nothing(void **state)
{
	(void)state;
	size_t before = count_descriptors();

	hold(N, N);
	for (size_t i = 0; i < N; i++)
		until_ready(i);
	kill(shared->pid[2], SIGKILL);
	until_lost(2);
	workers_free(w);
	w = NULL;
	nothing_was_done();
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_they_wait_for_the_word),
		TEST(test_no_more_wait_than_there_are_processes),
		TEST(test_one_that_is_killed_while_it_waits_is_begun_again_at_the_instant),
		TEST(test_its_end_need_not_have_been_seen),
		TEST(test_one_that_is_not_ready_is_begun_again_at_the_instant),
		TEST(test_the_release_itself_starts_no_process),
		TEST(test_its_word_need_not_have_been_seen),
		TEST(test_one_that_speaks_too_soon_is_not_heard),
		TEST(test_a_round_that_is_given_up_does_nothing),
	};
	return cmocka_run_group_tests_name("workers held", tests, NULL, NULL);
}
