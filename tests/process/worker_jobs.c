/* How a job is run and watched, and the jobs that several tests run. See worker_jobs.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "worker_jobs.h"

int seen_record(void *context, const struct record *r)
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

size_t count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

struct seen run_one(
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

void tell_note(struct worker *w, const char *text)
{
	struct record r = {.kind = RECORD_NOTE};

	RECORD_SET(&r, server, "pretended");
	RECORD_SET(&r, detail, text);
	worker_tell(w, &r);
}

int wait_for_ever(void)
{
	for (;;)
		pause();
	return 0;
}

int run_quietly(struct worker *w, void *context)
{
	struct record end = {.kind = RECORD_END, .end.round_trips = 3};

	(void)context;
	tell_note(w, "Łódź");
	worker_tell(w, &end);
	return 0;
}

int run_hanging(struct worker *w, void *context)
{
	(void)context;
	tell_note(w, "before");
	return wait_for_ever();
}
