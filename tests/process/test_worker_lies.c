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

/* What a worker under a stranger's control may put on its channel: a record as it should be, but for one thing. */
struct lie {
	const char *name; /* of the field that is wrong */
	enum record_kind kind;
	void (*tell)(struct record *r);
	void (*tamper)(uint8_t *bytes, size_t *size); /* may be NULL */
};
static void lie_kind(uint8_t *bytes, size_t *size)
{
	(void)size;
	bytes[0] = 99;
}
static void lie_state(struct record *r)
{
	r->state = (enum state)(STATE_OVERDUE + 1);
}
static void lie_level(struct record *r)
{
	r->grant.level = (enum level)(LEVEL_FULL + 1);
}
static void lie_severity(struct record *r)
{
	r->finding.severity = (enum finding_severity)(FINDING_CRITICAL + 1);
}
static void lie_action(struct record *r)
{
	r->change.kind = (enum change_kind)CHANGE_KINDS;
}
static void lie_result(struct record *r)
{
	r->verification.result = (enum verification)VERIFICATIONS;
}
static void lie_instant(struct record *r)
{
	r->session.since = INSTANT_LAST + 1;
}
static void lie_before(struct record *r)
{
	r->session.since = -1;
}
static void sid_set(struct record *r)
{
	r->identity.sid.size = SID_MAX;
}
/* One byte more than a SID may have: it is the last of its record. */
static void lie_sid(uint8_t *bytes, size_t *size)
{
	uint16_t length = 2 + 2 * SID_MAX + 2;

	memcpy(bytes + *size - (length - 2) - sizeof(length), &length, sizeof(length));
	memcpy(bytes + *size, "AA", 2);
	*size += 2;
}
static void lie_endless(struct record *r)
{
	memset(r->login, 'a', sizeof(r->login));
}
static void lie_encoding(struct record *r)
{
	memcpy(r->change.statement, "a\xed\xa0\x80", 5); /* a surrogate */
}
static void lie_overlong(struct record *r)
{
	memcpy(r->detail, "\xc0\xaf", 3);
}
static void lie_cut(struct record *r)
{
	memcpy(r->change.reason, "caf\xc3", 5);
}
static void lie_zero(uint8_t *bytes, size_t *size)
{
	bytes[*size - 1] = '\0';
}
static void note_set(struct record *r)
{
	strcpy(r->detail, "note");
}
static void lie_short(uint8_t *bytes, size_t *size)
{
	(void)bytes;
	*size -= 1;
}
static void lie_long(uint8_t *bytes, size_t *size)
{
	bytes[(*size)++] = 0;
}
static void lie_empty(uint8_t *bytes, size_t *size)
{
	(void)bytes;
	*size = 1;
}
static void lie_huge(uint8_t *bytes, size_t *size)
{
	memset(bytes + *size, 0, RECORD_PACKED_MAX + 64 - *size);
	*size = RECORD_PACKED_MAX + 64;
}
static void lie_nothing(struct record *r)
{
	(void)r;
}

static void record_send(const struct record *r)
{
	uint8_t bytes[RECORD_PACKED_MAX];

	/* The channel itself, as injected code would find it. */
	send(3, bytes, record_pack(bytes, r), MSG_NOSIGNAL);
}

static int run_lying(struct worker *w, void *context)
{
	const struct lie *lie = context;
	struct record r = {.kind = lie->kind};
	uint8_t bytes[RECORD_PACKED_MAX + 64];

	(void)w;
	lie->tell(&r);
	size_t size = record_pack(bytes, &r);
	if (lie->tamper)
		lie->tamper(bytes, &size);
	send(3, bytes, size, MSG_NOSIGNAL);
	record_send(&(struct record){.kind = RECORD_NOTE});
	record_send(&(struct record){.kind = RECORD_END});
	return wait_for_ever();
}

static void test_a_lie_ends_the_worker(void **state)
{
	const struct lie lies[] = {{"kind", RECORD_NOTE, lie_nothing, lie_kind},
		{"state", RECORD_NOTE, lie_state, NULL}, {"level", RECORD_GRANT, lie_level, NULL},
		{"severity", RECORD_FINDING, lie_severity, NULL},
		{"action", RECORD_PLAN, lie_action, NULL},
		{"result", RECORD_VERIFICATION, lie_result, NULL},
		{"since", RECORD_SESSION, lie_instant, NULL},
		{"since", RECORD_SESSION, lie_before, NULL},
		{"sid", RECORD_LOGIN, sid_set, lie_sid}, {"login", RECORD_NOTE, lie_endless, NULL},
		{"statement", RECORD_PLAN, lie_encoding, NULL},
		{"detail", RECORD_NOTE, lie_overlong, NULL}, {"reason", RECORD_PLAN, lie_cut, NULL},
		{"detail", RECORD_NOTE, note_set, lie_zero},
		{"detail", RECORD_NOTE, note_set, lie_short},
		{"size", RECORD_NOTE, lie_nothing, lie_long},
		{"size", RECORD_NOTE, lie_nothing, lie_huge},
		{"server", RECORD_NOTE, lie_nothing, lie_empty}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct lie lie = lies[i];
		char expected[64];
		struct seen s = run_one(run_lying, &lie, 120, 0);
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
	record_send(&end);
	return 0;
}

static void test_a_word_after_the_end_is_a_lie(void **state)
{
	(void)state;
	assert_int_equal(run_one(run_twice_ended, NULL, 120, 0).code, -EBADMSG);
}

static int run_flooding(struct worker *w, void *context)
{
	(void)context;
	for (;;)
		tell_note(w, "");
	return 0;
}

static void test_a_flood_ends_at_the_deadline_and_holds_nobody_up(void **state)
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

static void test_a_worker_that_hangs_up_is_ended(void **state)
{
	(void)state;
	struct seen s = run_one(run_closing_channel, NULL, 600, 0);
	assert_int_equal(s.code, -ECHILD);
	assert_non_null(strstr(s.detail, "signal 9"));
}

static int run_asking_and_dying(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_INTENT, .intent.number = 1};

	(void)w;
	(void)context;
	record_send(&r);
	raise(SIGKILL);
	return 0;
}

/* Reads only once the worker is dead: an epoll descriptor that nobody dispatches meanwhile. */
static void test_an_intent_of_the_dead_is_not_put_on_record(void **state)
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
		cmocka_unit_test(test_a_lie_ends_the_worker),
		cmocka_unit_test(test_a_word_after_the_end_is_a_lie),
		cmocka_unit_test(test_a_flood_ends_at_the_deadline_and_holds_nobody_up),
		cmocka_unit_test(test_a_worker_that_hangs_up_is_ended),
		cmocka_unit_test(test_an_intent_of_the_dead_is_not_put_on_record),
	};
	return cmocka_run_group_tests_name("worker lies", tests, NULL, NULL);
}
