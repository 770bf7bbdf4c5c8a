/* Passes that change access: what follows one, and when the next is due. */
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <string.h>
#include "curfew/notify.h"
#include "service/internal.h"

static void run_clear(struct passes *p)
{
	free(p->servers);
	p->servers = NULL;
	if (p->has_request)
		request_free(&p->request);
	p->has_request = false;
	/* If this pass was cut short, no request may cut the next one, which visits the servers whose turn had not come.
	 * One that was cut may be what held the pass up: its retry comes soon. */
	p->owed = p->cut;
	if (p->cut && p->reasons & REASONS_CLOSING)
		p->pending |= REASON_REST;
	p->cut = false;
	p->reasons = 0;
}

void passes_failed(struct service *s, int error)
{
	struct passes *p = &s->passes;

	log_send(LOG_PASS_FAILED, NULL, "pass failed: %s", strerror(-error));
	s->metrics.passes_failed++;
	if (p->has_request)
		control_end(p->request.call, CODE_FAILED, strerror(-error), NULL);
	run_clear(p);
	/* Wait before retrying: the resource is probably still missing. */
	p->next_interval = monotonic_ms() + RETRY_FIRST * 1000;
}

/* The journal's tables as they are now: the last pass has mostly read them. NULL: they cannot be read. */
static const struct state_copy *journal_renew(struct service *s)
{
	struct state_copy *now;

	if (!s->journal || state_copy_renew(&now, s->state_copy, s->journal))
		return NULL;
	state_copy_free(s->state_copy);
	s->state_copy = now;
	return now;
}

static void overdue_update(struct service *s, const struct grants *grants, instant_t now)
{
	struct overdue before = s->overdue;

	if (grants)
		overdue_count(&s->overdue, journal_renew(s), grants, now);
	else
		s->overdue.unknown = true;
	if (s->overdue.n)
		log_send(LOG_OVERDUE, NULL,
			"access of %zu grants should have ended or become read-only, and this is not confirmed "
			"(oldest: %lld s ago; first: %s); run `curfew status`",
			s->overdue.n, (long long)s->overdue.age, s->overdue.first);
	else if (before.n)
		log_send(LOG_OVERDUE_OVER, NULL, "no access is overdue now");
}

static void pass_done(struct service *s, const struct pass_result *result)
{
	struct passes *p = &s->passes;
	/* A pass that was cut short did not visit all servers, so it counts for no reason in the mails. */
	unsigned reasons = p->cut ? 0 : p->reasons;
	double took = (double)(monotonic_ms() - p->began) / 1000;

	s->metrics.passes++;
	s->metrics.passes_failed += pass_is_incomplete(result);
	s->metrics.has_pass = true;
	s->metrics.last_pass = service_now(s);
	memcpy(p->last_text, p->text, sizeof(p->last_text));
	s->metrics.pass_duration = took;
	retries_grants(&s->metrics.excess, &s->metrics.unread, s->retries);
	s->metrics.held = result->held && !result->unfiltered;
	/* Nothing is granted until the journal can be read again, so try that soon. */
	s->unsettled |= result->journal_failed;
	s->time_unsaved = result->time_failed;
	if (result->journal_failed || result->time_failed)
		s->next_record = monotonic_ms() + RECORDS_RETRY;
	passes_result_log(s, result);
	if (result->overrides_saved)
		records_saved_take(s);
	witness_head(s);
	if (p->has_request)
		control_end(p->request.call, 0, NULL,
			json_pack("{s:o, s:i}", "result", control_result_json(result), "recorded",
				(int)p->request.recorded));
	run_clear(p);
	_cleanup_(grants_free) struct grants grants = {0};
	instant_t now = service_now(s);
	/* Without memory the schedule is computed again soon. */
	bool scheduled = schedule_at(&grants, s->loaded.program, &s->overrides, now) == 0;
	if (scheduled)
		service_schedule_by(s, &grants, now);
	else
		service_schedule(s);
	if (!passes_close_next(p))
		overdue_update(s, scheduled ? &grants : NULL, now);
	sending_pass_done(s, result, reasons);
	service_metrics_write(s, scheduled ? &grants : NULL, now);
	notify_status("%zu clients, %zu overdue%s%s", s->loaded.program->n_clients, s->overdue.n,
		s->overdue.unknown ? " when last known" : "",
		s->filter.lost ? ", no packet filter" : "");
}

static void pass_ended(void *context, int error, const struct pass_result *result)
{
	struct service *s = context;

	passes_changes_end(s);
	if (error < 0)
		passes_failed(s, error);
	else
		pass_done(s, result);
	malloc_trim(0);
	if (s->filter.passes && --s->filter.passes == 0)
		service_stop(s, CODE_FAILED);
}

bool passes_are_due(struct service *s)
{
	passes_moot_drop(&s->passes);
	return !lane_is_busy(s->passes.lane) && (s->passes.pending || s->passes.n_queue);
}

static int64_t interval_next(const struct service *s)
{
	return s->passes.next_interval + early_patience(s);
}

void passes_tick(struct service *s)
{
	int64_t now = monotonic_ms();

	if (lane_is_busy(s->passes.lane)) {
		lane_tick(s->passes.lane);
		return;
	}
	if (interval_next(s) <= now)
		service_ask(s, REASON_INTERVAL);
	if (retries_next(s->retries) <= now)
		service_ask(s, REASON_RETRY);
}

int64_t passes_next(const struct service *s)
{
	if (lane_is_busy(s->passes.lane))
		return lane_next(s->passes.lane);
	int64_t retry = retries_next(s->retries), interval = interval_next(s);
	return retry < interval ? retry : interval;
}

int passes_open(struct service *s)
{
	const struct lane_options o = {.dispatcher = s->dispatcher,
		.monotonic = monotonic_ms,
		.job = passes_job,
		.ended = pass_ended,
		.context = s};

	int rc = lane_new(&s->passes.lane, &o);
	return rc ? rc : lane_new(&s->early.lane, &o);
}

void passes_close(struct service *s)
{
	struct passes *p = &s->passes;

	if (p->has_request)
		control_end(p->request.call, CODE_FAILED, "the service is stopping", NULL);
	lane_free(s->early.lane);
	s->early.lane = NULL;
	lane_free(p->lane);
	p->lane = NULL;
	passes_changes_end(s);
	run_clear(p);
	requests_drop(p->queue, &p->n_queue);
}
