/* Requests that wait for a pass of their own, and what every pass begins with. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

void request_free(struct request *r)
{
	free(r->client);
	free(r->reason);
	free(r->actor);
	*r = (struct request){0};
}

void request_drop(struct request *r)
{
	if (r->call)
		control_end(r->call, CODE_FAILED, "the service is stopping", NULL);
	request_free(r);
}

void requests_drop(struct request *queue, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		request_drop(&queue[i]);
	*n = 0;
}

/* Whether the caller of the request has gone. A revocation is carried out anyway. */
static bool is_moot(const struct request *r)
{
	return !r->closes && !control_is_open(r->call);
}

void passes_moot_drop(struct passes *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_queue; i++) {
		struct request r = p->queue[i];
		if (is_moot(&r)) {
			control_end(r.call, CODE_FAILED, NULL, NULL);
			request_free(&r);
		} else {
			p->queue[kept++] = r;
		}
	}
	p->n_queue = kept;
}

void passes_recorded(struct service *s, const struct control_call *call, enum recorded recorded)
{
	struct passes *p = &s->passes;

	if (p->has_request && p->request.call == call)
		p->request.recorded = recorded;
	for (size_t i = 0; i < p->n_queue; i++)
		if (p->queue[i].call == call)
			p->queue[i].recorded = recorded;
}

int passes_enqueue(struct service *s, const struct request *r)
{
	struct passes *p = &s->passes;

	passes_moot_drop(p);
	if (p->n_queue == ARRAY_SIZE(p->queue))
		return -EBUSY;
	p->queue[p->n_queue++] = *r;
	service_hurry(s, r->closes);
	return 0;
}

bool passes_close_next(const struct passes *p)
{
	bool closes = p->pending & (REASON_TRANSITION | REASON_CLOCK | REASON_REST);

	for (size_t i = 0; i < p->n_queue; i++)
		closes |= p->queue[i].closes;
	return closes;
}

bool passes_are_idle(const struct service *s)
{
	return !lane_is_busy(s->passes.lane) && !s->passes.pending && !s->passes.n_queue;
}

/* Servers that failed last start last. */
unsigned passes_job(void *context, struct worker_job *job)
{
	const struct service *s = context;
	const struct server_retry *h = retries_find(s->retries, job->name);

	job->unconfined = s->options.unconfined;
	job->score = s->score;
	return h && h->failures > 0;
}

struct pass_options service_options(struct service *s, enum pass_mode mode, instant_t now)
{
	return (struct pass_options){
		.mode = mode,
		.program = s->loaded.program,
		.overrides = &s->overrides,
		.journal = s->journal,
		.last = &s->state_copy,
		.refusals = &s->refusals,
		.network = s->firewall ? &s->gate : NULL,
		.unfiltered = s->filter.lost,
		.now = now,
		.context = s,
	};
}

struct pass_options passes_options(struct service *s, instant_t now)
{
	struct pass_options o = service_options(s, PASS_APPLY, now);

	o.clock = &s->clock;
	o.actor = "service";
	o.reason = s->passes.text;
	o.unrecorded = records_unrecorded;
	o.sink = passes_record;
	return o;
}
