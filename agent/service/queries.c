/* Requests that only read: plan, status, audit. A hanging server must not delay the person, and the person's request
 * must not delay the schedule. So queries run beside the passes that change access. A query waits briefly for the
 * current pass, to avoid seeing half of its work, but neither one cancels the other. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "curfew/calendar.h"
#include "service/internal.h"
#include "service/preflights.h"

/* Milliseconds that a query waits for the current pass: enough for every server that is healthy. */
#define PATIENCE (3 * 1000)
/* Seconds for a server that did not answer recently. It is asked anyway, because it may be back. */
#define SILENT_DEADLINE 3

int queries_enqueue(struct service *s, const struct request *r)
{
	/* A preflight can be made again; a person waits. */
	if (lane_is_busy(s->queries.lane) && !s->queries.request.call) {
		s->queries.hurried = true;
		lane_hurry(s->queries.lane);
	}
	if (s->queries.n_queue == ARRAY_SIZE(s->queries.queue))
		return -EBUSY;
	s->queries.queue[s->queries.n_queue++] = *r;
	return 0;
}

static void query_answer(struct service *s, int error, const struct pass_result *result)
{
	struct queries *q = &s->queries;

	if (!q->request.call)
		preflights_ended(s, error == 0 && !q->hurried);
	else if (error < 0)
		control_end(q->request.call, CODE_FAILED, strerror(-error), NULL);
	else
		control_end(q->request.call, 0, NULL,
			json_pack("{s:o}", "result", control_result_json(result)));
	request_free(&q->request);
}

static void query_ended(void *context, int error, const struct pass_result *result)
{
	query_answer(context, error, result);
}

/* ---- the answer ---- */

static int record_handle(void *context, const struct record *r)
{
	struct service *s = context;
	const struct server_retry *h =
		r->kind == RECORD_SERVER ? retries_find(s->retries, r->server) : NULL;
	struct record told = *r;
	char since[INSTANT_TEXT_MAX];

	if (h && h->silent_since && r->state != STATE_UNREACHABLE) {
		retries_came_back(s->retries, r->server);
	} else if (h && h->silent_since) {
		int64_t wait = h->retry - monotonic_ms();
		RECORD_PRINTF(&told, detail, "%s; no answer since %s; next attempt %s%lld s",
			r->detail, instant_format(since, h->silent_since),
			h->retry ? "in " : "within ",
			h->retry ? (long long)(wait > 0 ? wait / 1000 : 0)
				 : (long long)s->loaded.program->settings.interval);
	}
	control_tell(s->queries.request.call, &told);
	return 0;
}

/* The last pass had no answer from it, or the current pass has none yet. */
static bool server_is_silent(const struct service *s, const char *name)
{
	const struct server_retry *h = retries_find(s->retries, name);

	if (!h || h->reachable)
		return false;
	return h->silent_since || lane_age(s->passes.lane, name) >= PATIENCE;
}

/* Servers that do not answer start last, so that they do not take the workers of the others. */
static unsigned job_adjust(void *context, struct worker_job *job)
{
	const struct service *s = context;
	bool silent = server_is_silent(s, job->name);

	job->unconfined = s->options.unconfined;
	job->score = s->score;
	if (silent)
		job->deadline = SILENT_DEADLINE;
	return silent;
}

static int query_start(struct service *s)
{
	const struct request *r = &s->queries.request;
	struct pass_options o = service_options(s, r->mode, service_now(s));

	o.client = r->client;
	o.actor = r->actor;
	o.reason = r->reason;
	o.sink = r->call ? record_handle : preflights_record;
	s->queries.hurried = false;
	/* If the caller has gone, do not start. */
	return !r->call || control_is_open(r->call) ? lane_begin(s->queries.lane, &o) : -ECANCELED;
}

/* ---- the queue ---- */

static bool query_is_due(const struct service *s)
{
	const struct queries *q = &s->queries;

	if (lane_is_busy(q->lane) || !q->n_queue)
		return false;
	return !lane_is_busy(s->passes.lane) || q->queue[0].asked + PATIENCE <= monotonic_ms();
}

/* People first; then what nobody waits for. */
static bool query_take(struct service *s)
{
	struct queries *q = &s->queries;

	if (!query_is_due(s))
		return !lane_is_busy(q->lane) && !lane_is_busy(s->passes.lane) && !q->n_queue &&
		       preflights_take(&q->request, s);
	q->request = q->queue[0];
	memmove(q->queue, q->queue + 1, --q->n_queue * sizeof(q->queue[0]));
	return true;
}

void queries_begin(struct service *s)
{
	static const struct pass_result none;

	while (!s->stopping && query_take(s)) {
		int rc = query_start(s);
		if (rc < 0)
			query_answer(s, rc, &none);
	}
}

int64_t queries_next(const struct service *s)
{
	const struct queries *q = &s->queries;

	if (lane_is_busy(q->lane))
		return lane_next(q->lane);
	/* Queries do not start before a pending reload. Waking for one that is due would loop without a pause. */
	if (s->reload_wanted)
		return INT64_MAX;
	if (q->n_queue)
		return q->queue[0].asked + PATIENCE;
	return lane_is_busy(s->passes.lane) ? INT64_MAX : preflights_next(s);
}

int queries_open(struct service *s)
{
	const struct lane_options o = {.dispatcher = s->dispatcher,
		.monotonic = monotonic_ms,
		.job = job_adjust,
		.ended = query_ended,
		.context = s};

	return lane_new(&s->queries.lane, &o);
}

void queries_close(struct service *s)
{
	struct queries *q = &s->queries;

	if (q->lane && lane_is_busy(q->lane)) {
		lane_free(q->lane);
		q->lane = NULL;
		request_drop(&q->request);
	}
	lane_free(q->lane);
	q->lane = NULL;
	requests_drop(q->queue, &q->n_queue);
}
