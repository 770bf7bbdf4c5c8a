/* A worker under a stranger's control: what reaches the sink when it lies, floods and hangs up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "worker_jobs.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lie_ends_the_worker),
		cmocka_unit_test(a_word_after_the_end_is_a_lie),
		cmocka_unit_test(a_flood_ends_at_the_deadline_and_holds_nobody_up),
		cmocka_unit_test(a_worker_that_hangs_up_is_ended),
		cmocka_unit_test(an_intent_of_the_dead_is_not_put_on_record),
	};
	return cmocka_run_group_tests_name("worker lies", tests, NULL, NULL);
}
