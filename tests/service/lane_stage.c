/* See lane_stage.h. */
#include "lane_stage.h"

#include <sys/mman.h>

#include <sqlite3.h>

#include "curfew/state_tables.h"

int64_t clock_ms;

static int64_t clock_read(void)
{
	return clock_ms;
}

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

static int wait_and_end(struct worker *w, void *context)
{
	struct ready *r = context;
	struct record told = {.kind = RECORD_SERVER};

	if (worker_is_held(w))
		__atomic_add_fetch(&r->ready, 1, __ATOMIC_SEQ_CST);
	worker_wait(w);
	__atomic_add_fetch(&r->gone_on, 1, __ATOMIC_SEQ_CST);
	worker_tell(w, &told);
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
	if (s->waits) {
		job->run = wait_and_end;
		job->context = s->ready;
	}
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

int stage_setup(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct problems problems;

	assert_non_null(s);
	clock_ms = 1000000;
	s->ready = mmap(
		NULL, sizeof(*s->ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(s->ready != MAP_FAILED);
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
	s->adjust = job_adjust;
	*state = s;
	return 0;
}

int stage_teardown(void **state)
{
	struct stage *s = *state;

	lane_free(s->lane);
	lane_free(NULL);
	dispatcher_free(s->dispatcher);
	journal_close(s->journal);
	program_free(s->program);
	fixture_remove(s->folder);
	munmap(s->ready, sizeof(*s->ready));
	free(s);
	return 0;
}

void something_ends(struct stage *s)
{
	const struct verified full = {.server = "sqltest02",
		.login = "acme.jane.doe",
		.database = "AcmeTest",
		.level = LEVEL_FULL,
		.result = VERIFICATION_VERIFIED,
		.at = NOW - 1};

	assert_int_equal(verified_save(s->journal, &full), 0);
	s->waits = true;
	s->options.now = GOLIVE;
}

void begin(struct stage *s)
{
	assert_int_equal(lane_begin(s->lane, &s->options), 0);
	assert_true(lane_is_busy(s->lane));
}

void work_to_the_hang(struct stage *s)
{
	while (!*s->ends || lane_age(s->lane, s->hangs) < 0)
		assert_int_equal(dispatcher_wait(s->dispatcher, -1), 0);
}

void work_to_the_end(struct stage *s)
{
	while (lane_is_busy(s->lane))
		assert_int_equal(dispatcher_wait(s->dispatcher, -1), 0);
}

bool can_write(const struct stage *s)
{
	_cleanup_free_ char *path = text_make("%s/journal", s->folder);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	sqlite3_close(db);
	return rc == SQLITE_OK;
}
