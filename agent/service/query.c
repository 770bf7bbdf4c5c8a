/* Requests that only look: plan, status, audit. A person waits for the answer, so a server that hangs must not keep
 * him; and he must not keep the schedule. So they are answered beside the passes that change things: they wait a
 * little for the one under way, lest they see half of its work, but neither end it nor are ended by the next. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include "curfew/calendar.h"
#include "service/internal.h"

/* Milliseconds that a request waits for the pass under way: enough for every server that is well. */
#define PATIENCE (3 * 1000)
/* Seconds for a server that has not answered of late: asked all the same, for it may be back. */
#define SILENT_DEADLINE 3

int service_reading_ask(struct service *s, const struct request *r)
{
	if (s->reading.n_queue == ARRAY_SIZE(s->reading.queue))
		return -EBUSY;
	s->reading.queue[s->reading.n_queue++] = *r;
	return 0;
}

static void reading_clear(struct service *s)
{
	struct reading *k = &s->reading;

	if (k->workers) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, workers_fd(k->workers), NULL);
		workers_free(k->workers);
	}
	pass_free(k->pass);
	free(k->jobs);
	request_free(&k->request);
	k->workers = NULL;
	k->pass = NULL;
	k->jobs = NULL;
	k->cut = 0;
}

static void reading_end(struct service *s, int error, const struct pass_result *result)
{
	struct control_call *call = s->reading.request.call;

	if (error < 0)
		control_end(call, CODE_FAILED, strerror(-error), NULL);
	else
		control_end(
			call, 0, NULL, json_pack("{s:o}", "result", control_result_json(result)));
	reading_clear(s);
}

void service_reading_drop(struct service *s)
{
	struct reading *k = &s->reading;

	if (k->pass)
		control_end(k->request.call, CODE_FAILED, "the service is stopping", NULL);
	reading_clear(s);
	for (size_t i = 0; i < k->n_queue; i++) {
		control_end(k->queue[i].call, CODE_FAILED, "the service is stopping", NULL);
		request_free(&k->queue[i]);
	}
	k->n_queue = 0;
}

/* ---- what is seen ---- */

static int reading_record(void *context, const struct record *r)
{
	struct service *s = context;
	struct server_state *state = r->kind == RECORD_SERVER ? server_find(s, r->server) : NULL;
	struct record told = *r;
	char since[INSTANT_TEXT_MAX];

	if (state && state->silent_since && r->state != STATE_UNREACHABLE) {
		state->retry = 1; /* it is back: what waits for it is done now */
	} else if (state && state->silent_since) {
		int64_t wait = state->retry - service_monotonic();
		RECORD_PRINTF(&told, detail,
			"%s; it has not answered since %s, and is asked %s%lld s", r->detail,
			instant_format(since, state->silent_since),
			state->retry ? "again in " : "every ",
			state->retry ? (long long)(wait > 0 ? wait / 1000 : 0)
				     : (long long)s->program->settings.interval);
	}
	control_tell(s->reading.request.call, &told);
	return 0;
}

/* Its last visit had no answer, or the one of the pass under way has none yet. */
static bool server_is_silent(struct service *s, const char *name)
{
	const struct server_state *state = server_find(s, name);

	if (!state || state->reachable)
		return false;
	return state->silent_since ||
	       (s->run.workers && workers_age(s->run.workers, name) >= PATIENCE);
}

/* The silent ones come last: they must not keep the others from a worker. */
static int jobs_order(struct service *s, size_t *n)
{
	const struct worker_job *jobs = pass_jobs(s->reading.pass, n);
	size_t at = 0;

	s->reading.jobs = calloc(*n + 1, sizeof(*jobs));
	if (!s->reading.jobs)
		return -ENOMEM;
	for (unsigned silent = 0; silent <= 1; silent++)
		for (size_t i = 0; i < *n; i++) {
			if (server_is_silent(s, jobs[i].name) != silent)
				continue;
			struct worker_job *job = &s->reading.jobs[at++];
			*job = jobs[i];
			job->unconfined = s->options.unconfined;
			if (silent)
				job->deadline = SILENT_DEADLINE;
		}
	return 0;
}

static int reading_start(struct service *s)
{
	struct reading *k = &s->reading;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = k};
	const struct settings *settings = &s->program->settings;
	const struct pass_options o = {
		.mode = k->request.mode,
		.program = s->program,
		.overrides = &s->overrides,
		.journal = s->journal,
		.network = s->firewall ? &s->gate : NULL,
		.now = service_now(s),
		.client = k->request.client,
		.actor = k->request.actor,
		.reason = k->request.reason,
		.sink = reading_record,
		.context = s,
	};
	size_t n;
	int r = pass_new(&k->pass, &o);

	if (r == 0)
		r = jobs_order(s, &n);
	if (r == 0)
		r = workers_start(&k->workers, k->jobs, n, settings->workers,
			settings->server_deadline, pass_record, k->pass);
	if (r == 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, workers_fd(k->workers), &e) < 0)
		r = -errno;
	return r;
}

/* ---- when ---- */

static bool reading_is_due(const struct service *s)
{
	const struct reading *k = &s->reading;

	if (k->pass || !k->n_queue)
		return false;
	return !s->run.pass || k->queue[0].asked + PATIENCE <= service_monotonic();
}

void service_reading_begin(struct service *s)
{
	struct reading *k = &s->reading;

	while (!s->stopping && reading_is_due(s)) {
		k->request = k->queue[0];
		memmove(k->queue, k->queue + 1, --k->n_queue * sizeof(k->queue[0]));
		/* Who has gone meanwhile keeps nobody waiting. */
		int r = control_is_open(k->request.call) ? reading_start(s) : -ECANCELED;
		if (r < 0)
			reading_end(s, r, NULL);
	}
}

void service_reading_dispatch(struct service *s)
{
	struct pass_result result = {0};

	if (!s->reading.workers)
		return;
	int r = workers_dispatch(s->reading.workers);
	if (r == WORKERS_DONE)
		r = pass_finish(&result, s->reading.pass);
	else if (r == 0)
		return;
	reading_end(s, r, &result);
}

int64_t service_reading_next(const struct service *s)
{
	const struct reading *k = &s->reading;

	if (k->pass)
		return k->cut ? k->cut : INT64_MAX;
	/* Before a reload none is begun: to wake for one that is due would be to wake without a pause. */
	return k->n_queue && !s->reload_wanted ? k->queue[0].asked + PATIENCE : INT64_MAX;
}

void service_reading_tick(struct service *s)
{
	struct reading *k = &s->reading;

	if (!k->pass || !k->cut || k->cut > service_monotonic())
		return;
	workers_cancel(k->workers);
	k->cut = INT64_MAX; /* done with */
}

void service_reading_hurry(struct service *s)
{
	if (s->reading.pass && !s->reading.cut)
		s->reading.cut = service_monotonic() + URGENT_GRACE * 1000;
}
