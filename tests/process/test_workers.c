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

static void test_many_jobs_share_few_processes(void **state)
{
	(void)state;
	struct worker_job jobs[40];
	struct crowd c = {0};

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct worker_job){.name = "s", .run = run_for_a_while};
	assert_int_equal(workers_run(jobs, ARRAY_SIZE(jobs), 8, 120, crowd_record, &c), 0);
	assert_int_equal(c.ends, ARRAY_SIZE(jobs));
	assert_int_equal(workers_run(NULL, 0, 8, 120, crowd_record, &c), 0);
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

static void test_memory_has_an_end(void **state)
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
static void test_a_worker_goes_first_when_memory_is_short(void **state)
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

static void test_a_jobs_own_deadline_goes_before_the_rounds(void **state)
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

static int run_silently(struct worker *w, void *context)
{
	(void)w;
	(void)context;
	while (pause() < 0)
		;
	return 0;
}

/* More of them than places, and they are the first. */
static void test_silent_servers_keep_no_other_from_its_turn(void **state)
{
	(void)state;
	struct worker_job jobs[12] = {0};
	struct seen s = {0};
	struct workers *w;

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct worker_job){.name = "silent", .run = run_silently};
	jobs[ARRAY_SIZE(jobs) - 1] = (struct worker_job){.name = "calm", .run = run_quietly};
	assert_int_equal(workers_start(&w, jobs, ARRAY_SIZE(jobs), 4, 600, seen_record, &s), 0);
	while (s.n_ends == 0) {
		struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
		assert_int_equal(poll(&p, 1, 60000), 1);
		assert_int_equal(workers_dispatch(w), 0);
	}
	assert_string_equal(s.server, "calm");
	assert_int_equal(s.code, 0);
	assert_true(workers_age(w, "silent") >= 0);
	workers_free(w);
}

/* Two jobs in one place, by the last that ended. On a busy machine the first is not always heard in time: then once more. */
static struct seen in_turn(const struct worker_job jobs[2])
{
	struct seen s = {0};

	for (int i = 0; i < 5 && (i == 0 || strcmp(s.server, jobs[1].name) != 0); i++) {
		s = (struct seen){0};
		assert_int_equal(workers_run(jobs, 2, 1, 600, seen_record, &s), 0);
		assert_int_equal(s.n_ends, 2);
	}
	return s;
}

/* One that has said something works, however long it then says nothing. */
static void test_one_that_has_answered_keeps_its_place(void **state)
{
	(void)state;
	const struct worker_job jobs[] = {{.name = "works", .run = run_hanging, .deadline = 4},
		{.name = "next", .run = run_quietly}};
	struct seen s = in_turn(jobs);

	assert_string_equal(s.server, "next");
}

static int run_reading(struct worker *w, void *context)
{
	(void)context;
	worker_answered(w);
	return wait_for_ever();
}

/* So does one whose server has answered, before it has anything to report. */
static void test_one_that_reads_keeps_its_place(void **state)
{
	(void)state;
	const struct worker_job jobs[] = {{.name = "reads", .run = run_reading, .deadline = 4},
		{.name = "next", .run = run_quietly}};
	struct seen s = in_turn(jobs);

	assert_string_equal(s.server, "next");
	assert_int_equal(s.code, 0);
}

static int run_answering_twice(struct worker *w, void *context)
{
	(void)context;
	worker_answered(w);
	worker_answered(w);
	return wait_for_ever();
}

static void test_that_its_server_answered_is_said_once(void **state)
{
	(void)state;
	const struct seen s = run_one(run_answering_twice, NULL, 600, 0);

	assert_int_equal(s.code, -EBADMSG);
}

static int seen_twice(void *context, const struct record *r)
{
	struct seen *s = context;

	seen_record(s, r);
	return r->kind == RECORD_END && s->n_ends == 1 ? WORKERS_AGAIN : 0;
}

static void test_a_job_runs_again_where_its_end_asks_for_it(void **state)
{
	(void)state;
	const struct worker_job jobs[] = {
		{.name = "lost", .run = run_quietly}, {.name = "next", .run = run_quietly}};
	struct seen s = {0};

	assert_int_equal(workers_run(jobs, 2, 1, 600, seen_twice, &s), 0);
	assert_int_equal(s.n_ends, 3);
	assert_int_equal(s.n_notes, 3);
	assert_string_equal(s.server, "next");
}

static void test_a_loop_can_poll_and_give_up(void **state)
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

static void test_what_is_cancelled_still_has_its_end(void **state)
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
		cmocka_unit_test(test_many_jobs_share_few_processes),
		cmocka_unit_test(test_memory_has_an_end),
		cmocka_unit_test(test_a_worker_goes_first_when_memory_is_short),
		cmocka_unit_test(test_a_jobs_own_deadline_goes_before_the_rounds),
		cmocka_unit_test(test_silent_servers_keep_no_other_from_its_turn),
		cmocka_unit_test(test_one_that_has_answered_keeps_its_place),
		cmocka_unit_test(test_one_that_reads_keeps_its_place),
		cmocka_unit_test(test_that_its_server_answered_is_said_once),
		cmocka_unit_test(test_a_job_runs_again_where_its_end_asks_for_it),
		cmocka_unit_test(test_a_loop_can_poll_and_give_up),
		cmocka_unit_test(test_what_is_cancelled_still_has_its_end),
	};
	return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
