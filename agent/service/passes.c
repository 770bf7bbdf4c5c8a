/* Passes that change access: which servers they visit, in which order, what they log, what follows them. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "curfew/notify.h"
#include "service/internal.h"

/* ---- what a pass reports ---- */

/* No change is scheduled in an interval pass, so this change corrects drift. */
static bool is_drift(const struct service *s)
{
	return s->passes.reasons == REASON_INTERVAL;
}

static enum log_message made_message(const struct service *s)
{
	return is_drift(s) ? LOG_DRIFT_SQL : LOG_CHANGE;
}

static void outcome_log(struct service *s, const struct record *r)
{
	struct log_fields f = {.client = r->client,
		.login = r->login,
		.server = r->server,
		.database = r->database,
		.reason = r->change.reason[0] ? r->change.reason : s->passes.text,
		.actor = lane_pass(s->passes.lane)->actor};
	const char *action = change_name(r->change.kind);

	if (r->state != STATE_OK)
		log_send(LOG_CHANGE_FAILED, &f, "%s: %s %s failed: %s", r->server, action,
			r->database[0] ? r->database : r->login, r->detail);
	else
		log_send(made_message(s), &f, "%s: %s %s%s%s", r->server, action,
			r->login[0] ? r->login : r->change.statement, r->database[0] ? " on " : "",
			r->database);
}

static void network_log(struct service *s, const struct record *r)
{
	struct log_fields f = {.server = r->server,
		.reason = s->passes.text,
		.actor = lane_pass(s->passes.lane)->actor};
	const char *action = firewall_change_name(r->network.kind);
	char text[NETWORK_CHANGE_MAX];

	network_change_text(text, &r->network);
	if (r->state != STATE_OK)
		log_send(LOG_CHANGE_FAILED, &f, "%s: %s %s failed", r->server, action, text);
	else
		log_send(made_message(s), &f, "%s: %s %s", r->server, action, text);
}

static void change_count(struct service *s, const struct record *r)
{
	if (r->state != STATE_OK) {
		s->metrics.changes_failed++;
		return;
	}
	s->metrics.changes++;
	s->metrics.drift_sql += r->kind == RECORD_OUTCOME && is_drift(s);
}

static void change_take(struct service *s, const struct record *r)
{
	change_count(s, r);
	if (!change_log_take(&s->passes.changes, r))
		return;
	if (r->kind == RECORD_OUTCOME)
		outcome_log(s, r);
	else
		network_log(s, r);
}

static void changes_end(struct service *s)
{
	const struct passes *p = &s->passes;
	struct log_fields f = {
		.reason = p->text, .actor = p->has_request ? p->request.actor : "service"};

	change_log_end(&s->passes.changes, made_message(s), &f);
}

static int record_handle(void *context, const struct record *r)
{
	struct service *s = context;
	const struct lane *lane = s->passes.lane;
	instant_t now = lane_pass(lane)->now;

	if (s->passes.has_request)
		control_tell(s->passes.request.call, r);
	switch (r->kind) {
	case RECORD_SERVER:
		retries_answered(s->retries, r->server, r->state, r->code,
			lane_age(lane, r->server) >= 0, now);
		break;
	case RECORD_END:
		s->passes.cut |= r->code == -ECANCELED;
		retries_quiet(s->retries, r->server,
			maintenance_covers(s->loaded.program, r->server, NULL, now));
		retries_ended(s->retries, r->server, r->code, r->detail, !lane_pass(lane)->client,
			r->end.round_trips, now);
		break;
	case RECORD_GRANT:
		s->passes.unread +=
			r->state == STATE_UNREAD &&
			!maintenance_covers(s->loaded.program, r->server, r->database, now);
		break;
	case RECORD_OUTCOME:
	case RECORD_NETWORK_OUTCOME:
		change_take(s, r);
		break;
	case RECORD_NOTE:
		if (r->state >= STATE_DRIFT && r->code < 0)
			log_send(LOG_PASS_FAILED, &(struct log_fields){.server = r->server},
				"%s: %s", r->server, r->detail);
		break;
	default:
		break;
	}
	return 0;
}

static void result_log(struct service *s, const struct pass_result *r)
{
	const struct passes *p = &s->passes;
	struct log_fields f = {
		.reason = p->text, .actor = p->has_request ? p->request.actor : "service"};
	bool failed = pass_is_incomplete(r);

	if (r->journal_failed)
		log_send(LOG_JOURNAL_FAILED, &f,
			"cannot write the journal; access was removed as scheduled, but no access was granted");
	if (failed)
		log_send(LOG_PASS_FAILED, &f,
			"pass incomplete: %zu of %zu changes failed%s; %zu verifications found more than is scheduled (%s)",
			r->failed, r->planned, r->network_failed ? ", and the packet filter" : "",
			r->refuted, p->text);
	else if (r->done)
		log_send(LOG_PASS, &f, "%zu changes made on %zu servers (%s)", r->done, r->servers,
			p->text);
}

/* ---- the end of a pass ---- */

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

static void pass_failed(struct service *s, int error)
{
	struct passes *p = &s->passes;

	log_send(LOG_PASS_FAILED, NULL, "pass failed: %s", strerror(-error));
	s->metrics.passes_failed++;
	if (p->has_request)
		control_end(p->request.call, CODE_FAILED, strerror(-error), NULL);
	run_clear(p);
	/* Wait before retrying: the resource is probably still missing. */
	p->next_interval = service_monotonic() + RETRY_FIRST * 1000;
}

static void overdue_update(struct service *s)
{
	struct overdue before = s->overdue;
	instant_t now = service_now(s);

	overdue_count(&s->overdue, s->journal, s->loaded.program, &s->overrides, now);
	if (s->overdue.n)
		log_send(LOG_OVERDUE, NULL,
			"access of %zu grants should have ended or become read-only, and this is not confirmed "
			"(oldest: %lld s ago); run `curfew status`",
			s->overdue.n, (long long)s->overdue.age);
	else if (before.n)
		log_send(LOG_OVERDUE_OVER, NULL, "no access is overdue now");
}

static void pass_done(struct service *s, const struct pass_result *result)
{
	struct passes *p = &s->passes;
	/* A pass that was cut short did not visit all servers, so it counts for no reason in the mails. */
	unsigned reasons = p->cut ? 0 : p->reasons;
	double took = (double)(service_monotonic() - p->began) / 1000;

	s->metrics.passes++;
	s->metrics.passes_failed += pass_is_incomplete(result);
	s->metrics.has_pass = true;
	s->metrics.last_pass = service_now(s);
	memcpy(p->last_text, p->text, sizeof(p->last_text));
	s->metrics.pass_duration = took;
	/* A retry visits only some servers, so its counts do not cover all. */
	if (!p->has_request && p->reasons != REASON_RETRY) {
		s->metrics.excess = result->excess;
		s->metrics.unread = p->unread;
	}
	s->metrics.held = result->held;
	/* Nothing is granted until the journal can be read again, so try that soon. */
	s->unsettled |= result->journal_failed;
	if (result->journal_failed)
		s->next_record = service_monotonic() + RECORDS_RETRY;
	result_log(s, result);
	if (result->overrides_saved)
		records_saved_take(s);
	witness_head(s);
	if (p->has_request)
		control_end(p->request.call, 0, NULL,
			json_pack("{s:o, s:i}", "result", control_result_json(result), "recorded",
				(int)p->request.recorded));
	run_clear(p);
	service_schedule(s);
	if (!passes_close_next(p))
		overdue_update(s);
	sending_pass_done(s, result, reasons);
	service_metrics_write(s);
	notify_status("%zu clients, %zu overdue", s->loaded.program->n_clients, s->overdue.n);
}

static void pass_ended(void *context, int error, const struct pass_result *result)
{
	changes_end(context);
	if (error < 0)
		pass_failed(context, error);
	else
		pass_done(context, result);
}

/* ---- the start of a pass ---- */

/* Servers that failed last start last. */
static unsigned job_adjust(void *context, struct worker_job *job)
{
	const struct service *s = context;
	const struct server_retry *h = retries_find(s->retries, job->name);

	job->unconfined = s->options.unconfined;
	job->score = s->score;
	return h && h->failures > 0;
}

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

static void reason_take(struct passes *p)
{
	static const struct request none;

	p->reasons = p->pending;
	p->pending = 0;
	if (p->reasons) {
		record_set(p->text, sizeof(p->text), reason_text(p->reasons));
		return;
	}
	p->has_request = true;
	p->request = p->queue[0];
	p->reasons = REASON_ASKED | (p->request.closes ? REASON_OVERRIDE : 0);
	memmove(p->queue, p->queue + 1, --p->n_queue * sizeof(p->queue[0]));
	p->queue[p->n_queue] = none;
	record_set(p->text, sizeof(p->text), p->request.reason);
}

bool passes_are_due(struct service *s)
{
	passes_moot_drop(&s->passes);
	return !lane_is_busy(s->passes.lane) && (s->passes.pending || s->passes.n_queue);
}

void passes_tick(struct service *s)
{
	int64_t now = service_monotonic();

	if (lane_is_busy(s->passes.lane)) {
		lane_tick(s->passes.lane);
		return;
	}
	if (s->passes.next_interval <= now)
		service_ask(s, REASON_INTERVAL);
	if (retries_next(s->retries) <= now)
		service_ask(s, REASON_RETRY);
}

void passes_begin(struct service *s)
{
	struct passes *p = &s->passes;

	p->began = service_monotonic();
	p->unread = 0;
	service_schedule(s); /* first, because a change that is due becomes this pass's reason */
	passes_tick(
		s); /* a stream of requests must not keep retries and interval passes from starting */
	reason_take(p);
	if (p->reasons !=
		REASON_RETRY) /* a retry does not delay the interval pass of the other servers */
		p->next_interval = p->began + (int64_t)s->loaded.program->settings.interval * 1000;
	int rc = servers_choose(s);
	const struct pass_options o = {
		.mode = PASS_APPLY,
		.program = s->loaded.program,
		.overrides = &s->overrides,
		.journal = s->journal,
		.last = &s->state_copy,
		.network = s->firewall ? &s->gate : NULL,
		.now = service_now(s),
		.client = p->has_request ? p->request.client : NULL,
		.servers = p->servers,
		.actor = p->has_request ? p->request.actor : "service",
		.reason = p->text,
		.unrecorded = records_unrecorded,
		.sink = record_handle,
		.context = s,
	};
	if (rc == 0)
		rc = lane_begin(p->lane, &o);
	/* Removals have started, and nothing is granted before this is saved. */
	service_time_save(s);
	if (rc < 0)
		changes_end(s);
	if (rc < 0 && !s->stopping)
		pass_failed(s, rc);
}

int64_t passes_next(const struct service *s)
{
	if (lane_is_busy(s->passes.lane))
		return lane_next(s->passes.lane);
	int64_t retry = retries_next(s->retries);
	return retry < s->passes.next_interval ? retry : s->passes.next_interval;
}

bool passes_are_idle(const struct service *s)
{
	return !lane_is_busy(s->passes.lane) && !s->passes.pending && !s->passes.n_queue;
}

int passes_open(struct service *s)
{
	const struct lane_options o = {.dispatcher = s->dispatcher,
		.monotonic = service_monotonic,
		.job = job_adjust,
		.ended = pass_ended,
		.context = s};

	return lane_new(&s->passes.lane, &o);
}

void passes_close(struct service *s)
{
	struct passes *p = &s->passes;

	if (p->has_request)
		control_end(p->request.call, CODE_FAILED, "the service is stopping", NULL);
	lane_free(p->lane);
	p->lane = NULL;
	changes_end(s);
	run_clear(p);
	requests_drop(p->queue, &p->n_queue);
}
