/* Workers: what reaches the sink when they behave, crash, hang, flood and lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <curfew/worker.h>

struct seen {
	size_t n, n_notes, n_intents, n_ends;
	int verdict;
	int32_t code;
	char server[MAX_NAME_BYTES + 1], detail[RECORD_TEXT_MAX], note[RECORD_TEXT_MAX];
};

static int seen_record(void *context, const struct record *r)
{
	struct seen *s = context;

	s->n++;
	snprintf(s->server, sizeof(s->server), "%s", r->server);
	if (r->kind == RECORD_NOTE) {
		s->n_notes++;
		snprintf(s->note, sizeof(s->note), "%s", r->detail);
	} else if (r->kind == RECORD_INTENT) {
		s->n_intents++;
		return s->verdict;
	} else if (r->kind == RECORD_END) {
		s->n_ends++;
		s->code = r->code;
		snprintf(s->detail, sizeof(s->detail), "%s", r->detail);
	}
	return 0;
}

static size_t count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Runs one job; whatever it does, there is one end, no zombie and no descriptor more than before. */
static struct seen run_one(
	int (*run)(struct worker *, void *), void *context, unsigned deadline, int verdict)
{
	struct worker_job job = {.name = "sql07", .run = run, .context = context};
	struct seen s = {.verdict = verdict};
	size_t before = count_descriptors();

	assert_int_equal(workers_run(&job, 1, 4, deadline, seen_record, &s), 0);
	assert_int_equal(s.n_ends, 1);
	assert_string_equal(s.server, "sql07");
	assert_int_equal(count_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return s;
}

static void tell_note(struct worker *w, const char *text)
{
	struct record r = {.kind = RECORD_NOTE};

	RECORD_SET(&r, server, "pretended");
	RECORD_SET(&r, detail, text);
	worker_tell(w, &r);
}

static int run_quietly(struct worker *w, void *context)
{
	struct record end = {.kind = RECORD_END, .number = 3};

	(void)context;
	tell_note(w, "Łódź");
	worker_tell(w, &end);
	return 0;
}

static void worker_tells_and_ends(void **state)
{
	(void)state;
	struct seen s = run_one(run_quietly, NULL, 20, 0);
	assert_int_equal(s.n_notes, 1);
	assert_int_equal(s.code, 0);
	assert_string_equal(s.note, "Łódź");
}

static int run_failing(struct worker *w, void *context)
{
	(void)w;
	return *(int *)context;
}

static void a_result_becomes_the_end(void **state)
{
	(void)state;
	int error = -EHOSTUNREACH;
	struct seen s = run_one(run_failing, &error, 20, 0);
	assert_int_equal(s.code, -EHOSTUNREACH);
	assert_string_equal(s.detail, strerror(EHOSTUNREACH));
}

static int run_crashing(struct worker *w, void *context)
{
	tell_note(w, "before");
	raise(*(int *)context);
	return 0;
}

static void a_crash_is_told(void **state)
{
	static const int signals[] = {SIGKILL, SIGABRT, SIGTERM};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int signal = signals[i];
		struct seen s = run_one(run_crashing, &signal, 20, 0);
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

static void an_exit_without_a_word_is_told(void **state)
{
	(void)state;
	struct seen s = run_one(run_exiting, NULL, 20, 0);
	assert_int_equal(s.code, -ECHILD);
	assert_non_null(strstr(s.detail, "status 3"));
}

static int wait_for_ever(void)
{
	for (;;)
		pause();
	return 0;
}

static int run_hanging(struct worker *w, void *context)
{
	(void)context;
	tell_note(w, "before");
	return wait_for_ever();
}

static void a_hang_ends_at_the_deadline(void **state)
{
	(void)state;
	struct seen s = run_one(run_hanging, NULL, 1, 0);
	assert_int_equal(s.n_notes, 1); /* what it said before is kept */
	assert_int_equal(s.code, -ETIMEDOUT);
	assert_non_null(strstr(s.detail, "within 1 seconds"));
}

static int run_asking(struct worker *w, void *context)
{
	int *asked = context;

	for (uint64_t i = 1; i <= 3; i++) {
		struct record r = {.kind = RECORD_INTENT, .number = i};
		int verdict = worker_ask(w, &r);
		if (verdict != *asked)
			return -EPROTO;
		r.kind = RECORD_OUTCOME;
		worker_tell(w, &r);
	}
	return 0;
}

static void intents_are_answered(void **state)
{
	static const int verdicts[] = {0, -ENOSPC, 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		int verdict = verdicts[i];
		struct seen s = run_one(run_asking, &verdict, 20, verdict);
		assert_int_equal(s.n_intents, 3);
		assert_int_equal(s.n, 7);
		assert_int_equal(s.code, 0);
	}
}

static int run_telling_an_intent(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_INTENT, .number = 1};

	(void)context;
	worker_tell(w, &r);
	return 0;
}

static void an_intent_cannot_be_merely_told(void **state)
{
	(void)state;
	struct seen s = run_one(run_telling_an_intent, NULL, 20, 0);
	assert_int_equal(s.n_intents, 0);
	assert_int_equal(s.code, -ECHILD);
}

/* What a worker under a stranger's control may put on its channel. */
struct lie {
	const char *name;
	void (*tell)(struct record *r);
	ssize_t size;
};
static void lie_kind(struct record *r)
{
	r->kind = 99;
}
static void lie_state(struct record *r)
{
	r->state = STATE_OVERDUE + 1;
}
static void lie_level(struct record *r)
{
	r->level = 3;
}
static void lie_severity(struct record *r)
{
	r->severity = 5;
}
static void lie_opening(struct record *r)
{
	r->opening = 2;
}
static void lie_sid(struct record *r)
{
	r->sid_size = SID_MAX + 1;
}
static void lie_endless(struct record *r)
{
	memset(r->login, 'a', sizeof(r->login));
}
static void lie_encoding(struct record *r)
{
	memcpy(r->statement, "a\xed\xa0\x80", 5); /* a surrogate */
}
static void lie_overlong(struct record *r)
{
	memcpy(r->detail, "\xc0\xaf", 3);
}
static void lie_cut(struct record *r)
{
	memcpy(r->reason, "caf\xc3", 5);
}
static void lie_nothing(struct record *r)
{
	(void)r;
}

static int run_lying(struct worker *w, void *context)
{
	const struct lie *lie = context;
	struct {
		struct record r;
		char more[64];
	} m = {.r = {.kind = RECORD_NOTE}};

	(void)w;
	lie->tell(&m.r);
	/* The channel itself, as injected code would find it. */
	send(3, &m, (size_t)lie->size, MSG_NOSIGNAL);
	m.r = (struct record){.kind = RECORD_NOTE};
	send(3, &m.r, sizeof(m.r), MSG_NOSIGNAL);
	m.r.kind = RECORD_END;
	send(3, &m.r, sizeof(m.r), MSG_NOSIGNAL);
	return wait_for_ever();
}

static void a_lie_ends_the_worker(void **state)
{
	const ssize_t full = sizeof(struct record);
	const struct lie lies[] = {{"kind", lie_kind, full}, {"state", lie_state, full},
		{"level", lie_level, full}, {"severity", lie_severity, full},
		{"opening", lie_opening, full}, {"sid_size", lie_sid, full},
		{"login", lie_endless, full}, {"statement", lie_encoding, full},
		{"detail", lie_overlong, full}, {"reason", lie_cut, full},
		{"size", lie_nothing, full - 1}, {"size", lie_nothing, full + 1},
		{"size", lie_nothing, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct lie lie = lies[i];
		char expected[64];
		struct seen s = run_one(run_lying, &lie, 20, 0);
		assert_int_equal(s.code, -EBADMSG);
		assert_int_equal(s.n, 1); /* nothing of what came after the lie was heard */
		snprintf(expected, sizeof(expected), "(%s)", lie.name);
		assert_non_null(strstr(s.detail, expected));
	}
}

static int run_twice_ended(struct worker *w, void *context)
{
	struct record end = {.kind = RECORD_END};

	(void)context;
	worker_tell(w, &end);
	end.code = -EIO;
	send(3, &end, sizeof(end), MSG_NOSIGNAL);
	return 0;
}

static void a_word_after_the_end_is_a_lie(void **state)
{
	(void)state;
	assert_int_equal(run_one(run_twice_ended, NULL, 20, 0).code, -EBADMSG);
}

static int run_flooding(struct worker *w, void *context)
{
	(void)context;
	for (;;)
		tell_note(w, "");
	return 0;
}

static void a_flood_ends_at_the_deadline_and_holds_nobody_up(void **state)
{
	(void)state;
	struct worker_job jobs[] = {
		{.name = "flood", .run = run_flooding}, {.name = "calm", .run = run_quietly}};
	struct seen s = {0};

	assert_int_equal(workers_run(jobs, 2, 2, 2, seen_record, &s), 0);
	assert_int_equal(s.n_ends, 2);
	assert_string_equal(s.server, "flood"); /* the calm one's end came first */
	assert_int_equal(s.code, s.n_notes >= 1000000 ? -EOVERFLOW : -ETIMEDOUT);
}

static int run_closing_channel(struct worker *w, void *context)
{
	(void)w;
	(void)context;
	close(3);
	return wait_for_ever();
}

static void a_worker_that_hangs_up_is_ended(void **state)
{
	(void)state;
	struct seen s = run_one(run_closing_channel, NULL, 600, 0);
	assert_int_equal(s.code, -ECHILD);
	assert_non_null(strstr(s.detail, "signal 9"));
}

static int run_asking_and_dying(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_INTENT, .number = 1};

	(void)w;
	(void)context;
	send(3, &r, sizeof(r), MSG_NOSIGNAL);
	raise(SIGKILL);
	return 0;
}

/* Reads only once the worker is dead: an epoll descriptor that nobody dispatches meanwhile. */
static void an_intent_of_the_dead_is_not_put_on_record(void **state)
{
	(void)state;
	struct worker_job job = {.name = "s", .run = run_asking_and_dying};
	struct seen s = {0};
	struct workers *w;
	siginfo_t info;

	assert_int_equal(workers_start(&w, &job, 1, 1, 600, seen_record, &s), 0);
	assert_int_equal(workers_dispatch(w), 0);
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
	while (workers_dispatch(w) != WORKERS_DONE)
		;
	workers_free(w);
	assert_int_equal(s.n_intents, 0);
	assert_int_equal(s.n_ends, 1);
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

static void a_child_has_only_its_own_channel(void **state)
{
	(void)state;
	struct worker_job jobs[8];
	struct seen s = {0};
	int extra = open("/dev/null", O_RDONLY);

	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = (struct worker_job){.name = "s", .run = run_counting_descriptors};
	assert_int_equal(workers_run(jobs, ARRAY_SIZE(jobs), 8, 20, seen_record, &s), 0);
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

static void prepare_has_rights_that_run_has_not(void **state)
{
	(void)state;
	char secret[17] = "";
	struct worker_job job = {
		.name = "s", .prepare = prepare_reading, .run = run_rereading, .context = secret};
	struct seen s = {0};

	if (access("/etc/shadow", R_OK) < 0)
		skip();
	assert_int_equal(workers_run(&job, 1, 1, 20, seen_record, &s), 0);
	assert_int_equal(s.code, 0);
	assert_int_equal(secret[0], 0); /* the child's memory is its own */
}

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

static void a_jobs_own_deadline_goes_before_the_rounds(void **state)
{
	(void)state;
	const struct worker_job jobs[] = {{.name = "soon", .run = run_hanging, .deadline = 1},
		{.name = "late", .run = run_hanging}};
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
	assert_non_null(strstr(s.detail, "did not end within 1 seconds"));
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

static int run_naming_itself(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_NOTE, .number = (uint64_t)getpid()};

	(void)context;
	worker_tell(w, &r);
	return wait_for_ever();
}

static int pass_pid_on(void *context, const struct record *r)
{
	if (r->kind == RECORD_NOTE)
		(void)!write(*(int *)context, &r->number, sizeof(r->number));
	return 0;
}

static void the_parents_death_ends_the_child(void **state)
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
		cmocka_unit_test(worker_tells_and_ends),
		cmocka_unit_test(a_result_becomes_the_end),
		cmocka_unit_test(a_crash_is_told),
		cmocka_unit_test(an_exit_without_a_word_is_told),
		cmocka_unit_test(a_hang_ends_at_the_deadline),
		cmocka_unit_test(intents_are_answered),
		cmocka_unit_test(an_intent_cannot_be_merely_told),
		cmocka_unit_test(a_lie_ends_the_worker),
		cmocka_unit_test(a_word_after_the_end_is_a_lie),
		cmocka_unit_test(a_flood_ends_at_the_deadline_and_holds_nobody_up),
		cmocka_unit_test(a_worker_that_hangs_up_is_ended),
		cmocka_unit_test(an_intent_of_the_dead_is_not_put_on_record),
		cmocka_unit_test(a_child_has_only_its_own_channel),
		cmocka_unit_test(prepare_has_rights_that_run_has_not),
		cmocka_unit_test(many_jobs_share_few_processes),
		cmocka_unit_test(a_jobs_own_deadline_goes_before_the_rounds),
		cmocka_unit_test(a_loop_can_poll_and_give_up),
		cmocka_unit_test(what_is_cancelled_still_has_its_end),
		cmocka_unit_test(the_parents_death_ends_the_child),
	};
	return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
