/* A worker: what reaches the sink when it behaves, fails, crashes and hangs, and what it has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "worker_jobs.h"

static void test_worker_tells_and_ends(void **state)
{
	(void)state;
	struct seen s = run_one(run_quietly, NULL, 120, 0);
	assert_int_equal(s.n_notes, 1);
	assert_int_equal(s.code, 0);
	assert_string_equal(s.note, "Łódź");
}

static int run_failing(struct worker *w, void *context)
{
	(void)w;
	return *(int *)context;
}

static void test_a_result_becomes_the_end(void **state)
{
	(void)state;
	int error = -EHOSTUNREACH;
	struct seen s = run_one(run_failing, &error, 120, 0);
	assert_int_equal(s.code, -EHOSTUNREACH);
	assert_string_equal(s.detail, strerror(EHOSTUNREACH));
}

static int run_crashing(struct worker *w, void *context)
{
	tell_note(w, "before");
	raise(*(int *)context);
	return 0;
}

static void test_a_crash_is_told(void **state)
{
	static const int signals[] = {SIGKILL, SIGABRT, SIGTERM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int signal = signals[i];
		struct seen s = run_one(run_crashing, &signal, 120, 0);
		assert_int_equal(s.n_notes, 1);
		assert_int_equal(s.code, -ECHILD);
	}
}

static int run_exiting(struct worker *w, void *context)
{
	(void)w;
	(void)context;
	_exit(3);
}

static void test_an_exit_without_a_word_is_told(void **state)
{
	(void)state;
	struct seen s = run_one(run_exiting, NULL, 120, 0);
	assert_int_equal(s.code, -ECHILD);
	assert_non_null(strstr(s.detail, "status 3"));
}

static void test_a_hang_ends_at_the_deadline(void **state)
{
	(void)state;
	unsigned deadline = 1;
	struct seen s = run_one(run_hanging, NULL, deadline, 0);
	char words[64];

	/* A machine too busy for it to begin within that gets longer. */
	while (s.n_notes == 0 && deadline < 100)
		s = run_one(run_hanging, NULL, deadline *= 5, 0);
	assert_int_equal(s.n_notes, 1); /* what it said before is kept */
	assert_int_equal(s.code, -ETIMEDOUT);
	snprintf(words, sizeof(words), "no complete answer within %u seconds", deadline);
	assert_non_null(strstr(s.detail, words));
}

static int run_asking(struct worker *w, void *context)
{
	int *asked = context;

	for (uint64_t i = 1; i <= 3; i++) {
		struct record r = {.kind = RECORD_INTENT, .intent.number = i};
		int verdict = worker_ask(w, &r);
		if (verdict != *asked)
			return -EPROTO;
		r.kind = RECORD_OUTCOME;
		worker_tell(w, &r);
	}
	return 0;
}

static void test_intents_are_answered(void **state)
{
	static const int verdicts[] = {0, -ENOSPC, 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		int verdict = verdicts[i];
		struct seen s = run_one(run_asking, &verdict, 120, verdict);
		assert_int_equal(s.n_intents, 3);
		assert_int_equal(s.n, 7);
		assert_int_equal(s.code, 0);
	}
}

static int run_telling_an_intent(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_INTENT, .intent.number = 1};

	(void)context;
	worker_tell(w, &r);
	return 0;
}

static void test_an_intent_cannot_be_merely_told(void **state)
{
	(void)state;
	struct seen s = run_one(run_telling_an_intent, NULL, 120, 0);
	assert_int_equal(s.n_intents, 0);
	assert_int_equal(s.code, -ECHILD);
}

static int run_counting_descriptors(struct worker *w, void *context)
{
	(void)w;
	/* 0, 1, 2 and the channel, whatever the parent had open. */
	for (int fd = 4; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return -EMFILE;
	(void)context;
	return 0;
}

static int run_reading_secret(struct worker *w, void *context)
{
	char text[16] = "";

	(void)w;
	for (int fd = WORKER_SECRET_FD + 1; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return -EMFILE;
	return pread(WORKER_SECRET_FD, text, sizeof(text) - 1, 0) > 0 && !strcmp(text, context)
		       ? 0
		       : -EBADMSG;
}

/* Each its own, and nobody else's, whatever the parent holds for the others. */
static void test_a_child_has_its_own_secret_alone(void **state)
{
	static char words[2][8] = {"first", "second"};
	struct worker_job jobs[2];
	struct seen s;
	int held[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		int fd = memfd_create("secret", MFD_CLOEXEC);
		assert_true(write(fd, words[i], strlen(words[i])) > 0);
		held[i] = fcntl(fd, F_DUPFD_CLOEXEC, 16);
		close(fd);
		jobs[i] = (struct worker_job){.name = "s",
			.run = run_reading_secret,
			.context = words[i],
			.secret = held[i]};
	}
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		s = (struct seen){0};
		assert_int_equal(workers_run(&jobs[i], 1, 1, 120, seen_record, &s), 0);
		assert_int_equal(s.n_ends, 1);
		assert_int_equal(s.code, 0);
	}
	close(held[0]);
	close(held[1]);
}

static void test_a_child_has_only_its_own_channel(void **state)
{
	(void)state;
	struct worker_job jobs[8];
	struct seen s = {0};
	int extra = open("/dev/null", O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct worker_job){.name = "s", .run = run_counting_descriptors};
	assert_int_equal(workers_run(jobs, ARRAY_SIZE(jobs), 8, 120, seen_record, &s), 0);
	assert_int_equal(s.n_ends, ARRAY_SIZE(jobs));
	assert_int_equal(s.code, 0);
	close(extra);
}

static int prepare_reading(void *context)
{
	char *secret = context;
	int fd = open("/etc/shadow", O_RDONLY);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, secret, 16);
	close(fd);
	return n > 0 ? 0 : -EIO;
}

static int run_rereading(struct worker *w, void *context)
{
	char *secret = context;

	(void)w;
	return secret[0] && open("/etc/shadow", O_RDONLY) < 0 ? 0 : -EPERM;
}

static void test_prepare_has_rights_that_run_has_not(void **state)
{
	(void)state;
	char secret[17] = "";
	struct worker_job job = {
		.name = "s", .prepare = prepare_reading, .run = run_rereading, .context = secret};
	struct seen s = {0};

	if (access("/etc/shadow", R_OK) < 0)
		skip();
	assert_int_equal(workers_run(&job, 1, 1, 120, seen_record, &s), 0);
	assert_int_equal(s.code, 0);
	assert_int_equal(secret[0], 0); /* the child's memory is its own */
}

static int run_naming_itself(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_SESSION, .session.number = (uint64_t)getpid()};

	(void)context;
	worker_tell(w, &r);
	return wait_for_ever();
}

static int pass_pid_on(void *context, const struct record *r)
{
	if (r->kind == RECORD_SESSION)
		(void)!write(*(int *)context, &r->session.number, sizeof(r->session.number));
	return 0;
}

static void test_the_parents_death_ends_the_child(void **state)
{
	(void)state;
	int pipes[2];
	uint64_t worker;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid_t parent = fork();
	if (parent == 0) {
		struct worker_job job = {.name = "s", .run = run_naming_itself};
		workers_run(&job, 1, 1, 600, pass_pid_on, &pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &worker, sizeof(worker)), sizeof(worker));
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	/* It held no descriptor that would tell us; it is gone once its number is. */
	for (int i = 0; i < 2000 && kill((pid_t)worker, 0) == 0; i++) {
		char path[64], text[256] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)worker);
		int fd = open(path, O_RDONLY);
		if (fd >= 0) {
			(void)!read(fd, text, sizeof(text) - 1);
			close(fd);
		}
		if (strstr(text, ") Z ")) /* nobody reaps orphans in this container */
			break;
		usleep(5000);
		assert_true(i < 1999);
	}
	close(pipes[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker_tells_and_ends),
		cmocka_unit_test(test_a_result_becomes_the_end),
		cmocka_unit_test(test_a_crash_is_told),
		cmocka_unit_test(test_an_exit_without_a_word_is_told),
		cmocka_unit_test(test_a_hang_ends_at_the_deadline),
		cmocka_unit_test(test_intents_are_answered),
		cmocka_unit_test(test_an_intent_cannot_be_merely_told),
		cmocka_unit_test(test_a_child_has_only_its_own_channel),
		cmocka_unit_test(test_a_child_has_its_own_secret_alone),
		cmocka_unit_test(test_prepare_has_rights_that_run_has_not),
		cmocka_unit_test(test_the_parents_death_ends_the_child),
	};
	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
