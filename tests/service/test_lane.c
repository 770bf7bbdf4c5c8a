/* One pass under way, by a clock that the test sets: when it is cut short, when its batch is committed, how it ends. Its
 * workers are real processes that stand in for servers: one ends at once, one hangs. */
#include "../program/fixture.h"

#include <sqlite3.h>

#include "curfew/journal.h"
#include "service/lane.h"

#define NOW 1793500000

static int64_t clock_ms;

static int64_t clock_read(void)
{
	return clock_ms;
}

struct stage {
	char *folder;
	struct program *program;
	struct journal *journal;
	struct dispatcher *dispatcher;
	struct lane *lane;
	struct pass_options options;
	const char *hangs; /* the server that does */
	bool announces;	   /* and announces a change first */
	unsigned ranks[2]; /* of sql07 and the other */
	size_t n_ended;
	int error;
	struct pass_result result;
	char ends[128]; /* servers in the order in which they ended */
	int code;	/* of the last that ended */
};

static int hang(struct worker *w, void *context)
{
	(void)w;
	(void)context;
	while (pause() < 0)
		;
	return 0;
}

static int announce(struct worker *w, void *context)
{
	const struct record r = {
		.kind = RECORD_PLAN, .change = {.number = 1, .kind = CHANGE_USER_CREATE}};

	worker_tell(w, &r);
	return hang(w, context);
}

static int end_at_once(struct worker *w, void *context)
{
	struct record r = {.kind = RECORD_SERVER};

	(void)context;
	worker_tell(w, &r);
	return 0;
}

static unsigned job_adjust(void *context, struct worker_job *job)
{
	const struct stage *s = context;
	bool hangs = s->hangs && strcmp(s->hangs, job->name) == 0;

	job->prepare = NULL;
	/* One that ends commits the batch by that: then both hang. */
	if (s->announces)
		job->run = hangs ? announce : hang;
	else
		job->run = hangs ? hang : end_at_once;
	job->unconfined = true;
	return s->ranks[strcmp(job->name, "sql07") != 0];
}

static void ended(void *context, int error, const struct pass_result *result)
{
	struct stage *s = context;

	assert_false(lane_is_busy(s->lane));
	s->n_ended++;
	s->error = error;
	s->result = *result;
}

static int sink(void *context, const struct record *r)
{
	struct stage *s = context;

	if (r->kind != RECORD_END)
		return 0;
	size_t n = strlen(s->ends);
	snprintf(s->ends + n, sizeof(s->ends) - n, "%s ", r->server);
	s->code = r->code;
	return 0;
}

static int setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct problems problems;

	assert_non_null(s);
	clock_ms = 1000000;
	s->folder = fixture_make();
	_cleanup_free_ char *config = text_make("%s/curfew.conf", s->folder);
	_cleanup_free_ char *path = text_make("%s/journal", s->folder);
	const struct journal_options o = {.path = path};
	assert_int_equal(program_load(&s->program, &problems, config, NOW), 0);
	problems_free(&problems);
	assert_int_equal(journal_open(&s->journal, &o), 0);
	assert_int_equal(dispatcher_new(&s->dispatcher), 0);
	const struct lane_options l = {s->dispatcher, clock_read, job_adjust, ended, s};
	assert_int_equal(lane_new(&s->lane, &l), 0);
	s->options = (struct pass_options){.mode = PASS_APPLY,
		.program = s->program,
		.journal = s->journal,
		.now = NOW,
		.actor = "a test",
		.reason = "a test",
		.sink = sink,
		.context = s};
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	lane_free(s->lane);
	lane_free(NULL);
	dispatcher_free(s->dispatcher);
	journal_close(s->journal);
	program_free(s->program);
	fixture_remove(s->folder);
	free(s);
	return 0;
}

static void begin(struct stage *s)
{
	assert_int_equal(lane_begin(s->lane, &s->options), 0);
	assert_true(lane_is_busy(s->lane));
}

/* Until the one that does not hang has ended, and the other has begun. */
static void work_to_the_hang(struct stage *s)
{
	while (!*s->ends || lane_age(s->lane, s->hangs) < 0)
		assert_int_equal(dispatcher_wait(s->dispatcher, -1), 0);
}

/* However long that takes: a hang ends the test program. */
static void work_to_the_end(struct stage *s)
{
	while (lane_is_busy(s->lane))
		assert_int_equal(dispatcher_wait(s->dispatcher, -1), 0);
}

static void it_ends_by_itself(void **state)
{
	struct stage *s = *state;

	begin(s);
	assert_true(lane_next(s->lane) == INT64_MAX);
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 1);
	assert_int_equal(s->error, 0);
	assert_int_equal(s->result.servers, 2);
	assert_int_equal(s->result.unreachable, 0);
	/* And is free for the next. */
	begin(s);
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 2);
}

static void a_server_that_hangs_is_cut_short_after_the_grace(void **state)
{
	struct stage *s = *state;

	s->hangs = "sql07";
	begin(s);
	work_to_the_hang(s);
	assert_true(lane_age(s->lane, "sql07") >= 0);
	assert_true(lane_age(s->lane, "sqltest02") < 0);
	lane_hurry(s->lane);
	assert_true(lane_next(s->lane) == clock_ms + LANE_GRACE);
	/* Hurried again, it gets no longer. */
	clock_ms += LANE_GRACE - 1;
	lane_hurry(s->lane);
	lane_tick(s->lane);
	assert_int_equal(dispatcher_wait(s->dispatcher, 0), 0);
	assert_true(lane_is_busy(s->lane));
	assert_false(lane_is_cut(s->lane));
	clock_ms += 1;
	lane_tick(s->lane);
	assert_true(lane_is_cut(s->lane));
	work_to_the_end(s);
	assert_string_equal(s->ends, "sqltest02 sql07 ");
	assert_int_equal(s->code, -ECANCELED);
	assert_int_equal(s->result.unreachable, 1);
}

static void what_is_behind_comes_last(void **state)
{
	struct stage *s = *state;

	s->program->settings.workers = 1;
	s->ranks[0] = 1; /* sql07 */
	begin(s);
	work_to_the_end(s);
	assert_string_equal(s->ends, "sqltest02 sql07 ");
	s->ends[0] = '\0';
	s->ranks[0] = 0;
	s->ranks[1] = 1;
	begin(s);
	work_to_the_end(s);
	assert_string_equal(s->ends, "sql07 sqltest02 ");
}

static bool can_write(const struct stage *s)
{
	_cleanup_free_ char *path = text_make("%s/journal", s->folder);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	sqlite3_close(db);
	return rc == SQLITE_OK;
}

/* While a batch is open nobody else can write: so it is not open for long. */
static void what_was_recorded_is_committed_soon(void **state)
{
	struct stage *s = *state;

	s->hangs = "sql07";
	s->announces = true;
	begin(s);
	while (lane_next(s->lane) == INT64_MAX)
		assert_int_equal(dispatcher_wait(s->dispatcher, -1), 0);
	assert_true(lane_next(s->lane) == clock_ms + LANE_SETTLE);
	assert_false(can_write(s));
	clock_ms += LANE_SETTLE - 1;
	lane_tick(s->lane);
	assert_false(can_write(s));
	clock_ms += 1;
	lane_tick(s->lane);
	assert_true(can_write(s));
	assert_true(lane_next(s->lane) == INT64_MAX);
}

static void an_outdated_pass_knows_it(void **state)
{
	struct stage *s = *state;

	lane_outdate(s->lane);
	assert_false(lane_is_stale(s->lane)); /* nothing is under way */
	s->hangs = "sql07";
	begin(s);
	assert_false(*lane_pass(s->lane)->stale);
	lane_outdate(s->lane);
	assert_true(*lane_pass(s->lane)->stale);
	lane_cut(s->lane);
	work_to_the_end(s);
	assert_false(lane_is_stale(s->lane));
}

/* The clock was wrong: the rest is recorded as of the right time, and the pass ends at once. */
static void a_corrected_clock_ends_it(void **state)
{
	struct stage *s = *state;

	lane_correct(s->lane, NOW);
	s->hangs = "sql07";
	begin(s);
	lane_correct(s->lane, NOW - 86400);
	assert_int_equal(lane_pass(s->lane)->now, NOW - 86400);
	assert_true(lane_is_stale(s->lane) && lane_is_cut(s->lane));
	work_to_the_end(s);
	assert_int_equal(s->n_ended, 1);
}

static void one_that_is_dropped_says_nothing_more(void **state)
{
	struct stage *s = *state;

	s->hangs = "sql07";
	begin(s);
	work_to_the_hang(s);
	lane_drop(s->lane);
	assert_false(lane_is_busy(s->lane));
	assert_int_equal(s->n_ended, 0);
	assert_true(lane_next(s->lane) == INT64_MAX);
	assert_int_equal(dispatcher_wait(s->dispatcher, 0), 0);
	/* Nothing under way: nothing to hurry. */
	lane_hurry(s->lane);
	lane_cut(s->lane);
	assert_true(lane_next(s->lane) == INT64_MAX);
	assert_false(lane_is_cut(s->lane));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_ends_by_itself),
		TEST(a_server_that_hangs_is_cut_short_after_the_grace),
		TEST(what_is_behind_comes_last),
		TEST(what_was_recorded_is_committed_soon),
		TEST(an_outdated_pass_knows_it),
		TEST(a_corrected_clock_ends_it),
		TEST(one_that_is_dropped_says_nothing_more),
	};
	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
