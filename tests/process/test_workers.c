/* Workers side by side: many jobs in few processes, by a loop of their own or somebody else's, until given up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "worker_jobs.h"

static int run_for_a_while(struct worker *w, void *context)
{
	struct timespec t = {0, 50 * 1000000};

	(void)w;
	(void)context;
	nanosleep(&t, NULL);
	return 0;
}

struct crowd {
	unsigned ends;
};
static int crowd_record(void *context, const struct record *r)
{
	struct crowd *c = context;

	c->ends += r->kind == RECORD_END && r->code == 0;
	return 0;
}

static void many_jobs_share_few_processes(void **state)
{
	(void)state;
	struct worker_job jobs[40];
	struct crowd c = {0};

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct worker_job){.name = "s", .run = run_for_a_while};
	assert_int_equal(workers_run(jobs, ARRAY_SIZE(jobs), 8, 20, crowd_record, &c), 0);
	assert_int_equal(c.ends, ARRAY_SIZE(jobs));
	assert_int_equal(workers_run(NULL, 0, 8, 20, crowd_record, &c), 0);
}

/* A server that sends without end: its worker is refused the memory, and nobody else is harmed. */
static int run_greedily(struct worker *w, void *context)
{
	size_t taken = 0;
	char text[64];

	(void)context;
	for (const size_t part = (size_t)64 << 20; malloc(part); taken += part)
		if (taken > 2 * WORKER_MEMORY_MAX)
			return 0;
	snprintf(text, sizeof(text), "%zu", taken >> 20);
	tell_note(w, text);
	return -ENOMEM;
}

static void memory_has_an_end(void **state)
{
	(void)state;
	if (IS_INSTRUMENTED) {
		print_message(
			"# SKIPPED: an instrumented build maps more than the limit from the start\n");
		skip();
	}
	struct seen s = run_one(run_greedily, NULL, 60, 0);

	assert_int_equal(s.code, -ENOMEM);
	assert_int_equal(s.n_notes, 1);
	assert_true(strtoul(s.note, NULL, 10) <= WORKER_MEMORY_MAX >> 20);
}

static int run_telling_score(struct worker *w, void *context)
{
	char text[16] = "";
	int fd = workers_score_open();

	(void)context;
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -EIO;
	tell_note(w, text);
	return 0;
}

static int score_of(struct worker_job *job)
{
	struct seen s = {0};

	assert_int_equal(workers_run(job, 1, 1, 60, seen_record, &s), 0);
	assert_int_equal(s.code, 0);
	return (int)strtol(s.note, NULL, 10);
}

/* When memory is short, a worker goes before the service: by the child's own hand, or, where that may open no file of
 * /proc any more, by the parent's, whose own score is the same afterwards. */
static void a_worker_goes_first_when_memory_is_short(void **state)
{
	struct worker_job job = {.name = "s", .run = run_telling_score, .unconfined = true};
	char before[16] = "", after[16] = "";
	int fd = workers_score_open();

	(void)state;
	assert_true(fd >= 0);
	assert_true(pread(fd, before, sizeof(before) - 1, 0) > 0);
	assert_int_equal(score_of(&job), WORKER_OOM_SCORE);
	job.score = fd;
	assert_int_equal(score_of(&job), WORKER_OOM_SCORE);
	assert_true(pread(fd, after, sizeof(after) - 1, 0) > 0);
	assert_string_equal(before, after);
	close(fd);
}

static void a_jobs_own_deadline_goes_before_the_rounds(void **state)
{
	(void)state;
	/* The one that is ended begins last: by its second the other's has passed. */
	const struct worker_job jobs[] = {{.name = "late", .run = run_hanging},
		{.name = "soon", .run = run_hanging, .deadline = 1}};
	struct seen s = {0};
	struct workers *w;

	assert_int_equal(workers_start(&w, jobs, 2, 2, 600, seen_record, &s), 0);
	assert_int_equal(workers_age(w, "late"), -1); /* not begun yet */
	while (s.n_ends == 0) {
		struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
		assert_int_equal(poll(&p, 1, 20000), 1);
		assert_int_equal(workers_dispatch(w), 0);
	}
	assert_string_equal(s.server, "soon");
	assert_int_equal(s.code, -ETIMEDOUT);
	assert_non_null(strstr(s.detail, "no complete answer within 1 seconds"));
	assert_int_equal(workers_age(w, "soon"), -1);
	assert_true(workers_age(w, "late") >= 1000);
	workers_free(w);
}

static void a_loop_can_poll_and_give_up(void **state)
{
	(void)state;
	struct worker_job jobs[] = {
		{.name = "calm", .run = run_quietly}, {.name = "hang", .run = run_hanging}};
	struct seen s = {0};
	struct workers *w;
	size_t before = count_descriptors();

	assert_int_equal(workers_start(&w, jobs, 2, 2, 600, seen_record, &s), 0);
	assert_int_equal(s.n, 0);
	while (s.n_ends == 0) {
		struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
		assert_int_equal(poll(&p, 1, 20000), 1);
		assert_int_equal(workers_dispatch(w), 0);
	}
	workers_free(w);
	workers_free(NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(count_descriptors(), before);
}

static int end_is_cancelled(void *context, const struct record *r)
{
	struct crowd *c = context;

	c->ends += r->kind == RECORD_END && r->code == -ECANCELED;
	return 0;
}

static void what_is_cancelled_still_has_its_end(void **state)
{
	(void)state;
	struct worker_job jobs[5];
	struct crowd c = {0};
	struct workers *w;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct worker_job){.name = "s", .run = run_hanging};
	assert_int_equal(
		workers_start(&w, jobs, ARRAY_SIZE(jobs), 2, 600, end_is_cancelled, &c), 0);
	assert_int_equal(workers_dispatch(w), 0);
	workers_cancel(w);
	do {
		struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
		assert_int_equal(poll(&p, 1, 20000), 1);
		r = workers_dispatch(w);
	} while (r == 0);
	assert_int_equal(r, WORKERS_DONE);
	assert_int_equal(c.ends, ARRAY_SIZE(jobs));
	workers_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_jobs_share_few_processes),
		cmocka_unit_test(memory_has_an_end),
		cmocka_unit_test(a_worker_goes_first_when_memory_is_short),
		cmocka_unit_test(a_jobs_own_deadline_goes_before_the_rounds),
		cmocka_unit_test(a_loop_can_poll_and_give_up),
		cmocka_unit_test(what_is_cancelled_still_has_its_end),
	};
	return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
