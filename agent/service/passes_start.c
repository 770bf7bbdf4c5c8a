/* The start of a pass that changes access: why, which servers it visits, in which order. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

static int servers_choose(struct service *s)
{
	struct passes *p = &s->passes;
	size_t n = 0;

	if (p->has_request)
		return 0;
	p->servers = calloc(retries_count(s->retries) + 1, sizeof(*p->servers));
	if (!p->servers)
		return -ENOMEM;
	for (size_t i = 0; i < retries_count(s->retries); i++)
		if (retries_is_due(s->retries, i, p->reasons))
			p->servers[n++] = retries_at(s->retries, i)->name;
	return 0;
}

static size_t closing_request(const struct passes *p)
{
	size_t i = 0;

	while (i < p->n_queue && !p->queue[i].closes)
		i++;
	return i;
}

/* The request that goes next; as many as there are: none. What other reasons ask for goes before requests, so that a stream
 * of them holds up neither passes nor retries. A revocation goes before retries and regular passes, which may wait long for
 * servers that do not answer; but two in a row do not. */
static size_t request_next(const struct passes *p)
{
	if (!p->pending)
		return 0;
	return p->pending & ~(unsigned)(REASON_RETRY | REASON_INTERVAL) || p->went_ahead
		       ? p->n_queue
		       : closing_request(p);
}

static void request_take(struct passes *p, size_t i)
{
	static const struct request none;

	p->has_request = true;
	p->request = p->queue[i];
	p->reasons = REASON_ASKED | (p->request.closes ? REASON_OVERRIDE : 0);
	memmove(p->queue + i, p->queue + i + 1, (--p->n_queue - i) * sizeof(p->queue[0]));
	p->queue[p->n_queue] = none;
	record_set(p->text, sizeof(p->text), p->request.reason);
}

void passes_reason_take(struct passes *p)
{
	size_t i = request_next(p);

	p->went_ahead = p->pending && i < p->n_queue;
	if (i < p->n_queue) {
		request_take(p, i);
		return;
	}
	p->reasons = p->pending;
	p->pending = 0;
	record_set(p->text, sizeof(p->text), reason_text(p->reasons));
}

static int begin(struct service *s)
{
	struct passes *p = &s->passes;
	int rc = servers_choose(s);

	if (early_take(s))
		return 0;
	struct pass_options o = passes_options(s, service_now(s));
	o.servers = p->servers;
	if (p->has_request) {
		o.client = p->request.client;
		o.actor = p->request.actor;
		o.insists = !p->request.closes;
	}
	if (rc == 0)
		rc = lane_begin(p->lane, &o);
	/* What waited in vain ends after what goes first has begun: that needs none of its processes. */
	early_drop(s);
	return rc;
}

void passes_begin(struct service *s)
{
	struct passes *p = &s->passes;

	p->began = monotonic_ms();
	retries_begin(s->retries);
	service_schedule(s); /* first, because a change that is due becomes this pass's reason */
	passes_tick(
		s); /* a stream of requests must not keep retries and interval passes from starting */
	passes_reason_take(p);
	if (p->reasons !=
		REASON_RETRY) /* a retry does not delay the interval pass of the other servers */
		p->next_interval = p->began + (int64_t)s->loaded.program->settings.interval * 1000;
	int rc = begin(s);
	/* Removals have started. The pass grants nothing before this is saved: see pass_time_save(). */
	service_time_save(s);
	if (rc < 0)
		passes_changes_end(s);
	if (rc < 0 && !s->stopping)
		passes_failed(s, rc);
}
