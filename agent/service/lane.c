/* Passes of the service: which servers, in which order, cut short when something urgent comes. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include "curfew/notify.h"
#include "service/internal.h"
#include "pass/pass_internal.h"

static const struct {
	enum reason reason;
	const char *words;
} reason_words[] = {
	{REASON_START, "the service was started"},
	{REASON_TRANSITION, "the schedule says so now"},
	{REASON_RELOAD, "the configuration was read again"},
	{REASON_OVERRIDE, "an operator took or gave back access"},
	{REASON_CLOCK, "the clock was set"},
	{REASON_INTERVAL, "regular look"},
	{REASON_RETRY, "another try"},
	{REASON_ASKED, "an operator asked"},
};

/* An outcome waits this long for others to be written with it, in milliseconds: while it waits, nobody else can write. */
#define SETTLE_AFTER 1000

/* ---- what a pass says ---- */

static void outcome_log(struct service *s, const struct record *r)
{
	struct log_fields f = {.client = r->client,
		.login = r->login,
		.server = r->server,
		.database = r->database,
		.reason = r->change.reason[0] ? r->change.reason : s->run.text,
		.actor = s->run.options.actor};
	/* Made although nothing was to change: somebody else had changed it before. */
	bool drift = s->run.reasons == REASON_INTERVAL;
	const char *action = change_name(r->change.kind);

	if (r->state != STATE_OK) {
		s->figures.changes_failed++;
		log_send(LOG_CHANGE_FAILED, &f, "%s: %s %s failed: %s", r->server, action,
			r->database[0] ? r->database : r->login, r->detail);
		return;
	}
	s->figures.changes++;
	s->figures.drift_sql += drift;
	log_send(drift ? LOG_DRIFT_SQL : LOG_CHANGE, &f, "%s: %s %s%s%s", r->server, action,
		r->login[0] ? r->login : r->change.statement, r->database[0] ? " on " : "",
		r->database);
}

static void network_log(struct service *s, const struct record *r)
{
	struct log_fields f = {
		.server = r->server, .reason = s->run.text, .actor = s->run.options.actor};
	bool drift = s->run.reasons == REASON_INTERVAL;
	const char *action = firewall_change_name(r->network.kind);
	char text[NETWORK_CHANGE_MAX];

	network_change_text(text, &r->network);
	if (r->state != STATE_OK) {
		s->figures.changes_failed++;
		log_send(LOG_CHANGE_FAILED, &f, "%s: %s %s failed", r->server, action, text);
		return;
	}
	s->figures.changes++;
	log_send(drift ? LOG_DRIFT_SQL : LOG_CHANGE, &f, "%s: %s %s", r->server, action, text);
}

static int service_record(void *context, const struct record *r)
{
	struct service *s = context;

	if (s->run.has_request && s->run.pass)
		control_tell(s->run.request.call, r);
	switch (r->kind) {
	case RECORD_SERVER:
		server_answered(s, r);
		break;
	case RECORD_END:
		if (s->run.pass)
			server_ended(s, r);
		break;
	case RECORD_OUTCOME:
		outcome_log(s, r);
		break;
	case RECORD_NETWORK_OUTCOME:
		network_log(s, r);
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

/* ---- a pass ---- */

static int run_choose(struct service *s, struct run *run)
{
	size_t n = 0;

	if (run->has_request)
		return 0;
	run->servers = calloc(s->n_servers + 1, sizeof(*run->servers));
	if (!run->servers)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_servers; i++)
		if (server_is_due(s, i, run->reasons))
			run->servers[n++] = s->servers[i].name;
	return 0;
}

/* Those that failed last come last: the hung ones must not keep the others from a worker. */
static int run_order(struct service *s, struct run *run, size_t *n)
{
	const struct worker_job *jobs = pass_jobs(run->pass, n);
	size_t at = 0;

	run->jobs = calloc(*n + 1, sizeof(*run->jobs));
	if (!run->jobs)
		return -ENOMEM;
	for (unsigned failing = 0; failing <= 1; failing++)
		for (size_t i = 0; i < *n; i++) {
			const struct server_state *state = server_find(s, jobs[i].name);
			if ((state && state->failures > 0) == failing) {
				run->jobs[at] = jobs[i];
				run->jobs[at++].unconfined = s->options.unconfined;
			}
		}
	return 0;
}

static void run_clear(struct service *s)
{
	struct run *run = &s->run;

	if (run->workers) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, workers_fd(run->workers), NULL);
		workers_free(run->workers);
	}
	/* However it ends: what was done is on record, and so is what others wrote meanwhile. */
	service_pass_settle(s);
	pass_free(run->pass);
	free(run->jobs);
	free(run->servers);
	if (run->has_request)
		request_free(&run->request);
	*run = (struct run){0};
}

/* Given up, not finished: the service stops. */
void service_pass_drop(struct service *s)
{
	if (s->run.has_request)
		control_end(s->run.request.call, CODE_FAILED, "the service is stopping", NULL);
	run_clear(s);
}

static void pass_failed(struct service *s, int r)
{
	log_send(LOG_PASS_FAILED, NULL, "a pass could not be made: %s", strerror(-r));
	s->figures.passes_failed++;
	if (s->run.has_request)
		control_end(s->run.request.call, CODE_FAILED, strerror(-r), NULL);
	run_clear(s);
	/* Not at once: whatever is missing is missing still. */
	s->next_interval = service_monotonic() + RETRY_FIRST * 1000;
}

static void result_log(struct service *s, const struct pass_result *r)
{
	struct log_fields f = {.reason = s->run.text, .actor = s->run.options.actor};
	bool failed = r->failed || r->network_failed || r->journal_failed;

	if (r->journal_failed)
		log_send(LOG_JOURNAL_FAILED, &f,
			"the journal could not be written: what could not be recorded was not done");
	if (failed)
		log_send(LOG_PASS_FAILED, &f,
			"a pass left something undone: %zu of %zu changes failed%s (%s)", r->failed,
			r->planned, r->network_failed ? ", and the packet filter" : "",
			s->run.text);
	else if (r->done)
		log_send(LOG_PASS, &f, "%zu changes made on %zu servers (%s)", r->done, r->servers,
			s->run.text);
}

static void pass_end(struct service *s)
{
	struct run *run = &s->run;
	struct pass_result result = {0};
	int r = pass_finish(&result, run->pass);
	bool own = run->options.mode == PASS_APPLY;

	if (r < 0) {
		pass_failed(s, r);
		return;
	}
	if (own) {
		double took = (double)(service_monotonic() - run->began) / 1000;
		s->figures.passes++;
		s->figures.passes_failed +=
			result.failed || result.network_failed || result.journal_failed;
		s->figures.has_pass = true;
		s->figures.last_pass = run->options.now;
		s->figures.pass_duration = took;
		result_log(s, &result);
	}
	if (run->has_request)
		control_end(run->request.call, 0, NULL,
			json_pack("{s:o}", "result", control_result_json(&result)));
	run_clear(s);
	service_schedule(s);
	if (own) {
		/* What has come since the pass began is the next one's to do, and not overdue yet. */
		if (!(s->pending & (REASON_TRANSITION | REASON_CLOCK)))
			service_overdue_count(s);
		service_figures_write(s);
		notify_status("%zu clients, %zu overdue", s->program->n_clients, s->overdue);
	}
}

static void reason_text(struct run *run)
{
	for (size_t i = 0; i < ARRAY_SIZE(reason_words); i++)
		if (run->reasons & (unsigned)reason_words[i].reason) {
			record_set(run->text, sizeof(run->text), reason_words[i].words);
			return;
		}
}

static int run_start(struct service *s)
{
	struct run *run = &s->run;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = run};
	const struct settings *settings = &s->program->settings;
	size_t n;
	int r = run_choose(s, run);

	run->options.servers = run->servers;
	if (r == 0)
		r = pass_new(&run->pass, &run->options);
	if (r < 0)
		return r;
	if (run->options.mode == PASS_APPLY)
		pass_close_network(
			run->pass); /* a failure is counted, and SQL is closed all the same */
	if (s->stopping)
		return -ECANCELED;
	r = run_order(s, run, &n);
	if (r == 0)
		r = workers_start(&run->workers, run->jobs, n, settings->workers,
			settings->server_deadline, pass_record, run->pass);
	if (r == 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, workers_fd(run->workers), &e) < 0)
		r = -errno;
	return r;
}

void service_pass_begin(struct service *s)
{
	struct run *run = &s->run;
	static const struct request none;

	*run = (struct run){.began = service_monotonic()};
	service_schedule(s); /* first: what it finds to have come is this pass's reason */
	if (s->pending) {
		run->reasons = s->pending;
		s->pending = 0;
		reason_text(run);
	} else {
		run->has_request = true;
		run->request = s->queue[0];
		run->reasons = REASON_ASKED;
		memmove(s->queue, s->queue + 1, --s->n_queue * sizeof(s->queue[0]));
		s->queue[s->n_queue] = none;
		record_set(run->text, sizeof(run->text), run->request.reason);
	}
	if (run->reasons != REASON_RETRY) /* which leaves the others' regular look at its time */
		s->next_interval =
			service_monotonic() + (int64_t)s->program->settings.interval * 1000;
	run->options = (struct pass_options){
		.mode = run->has_request ? run->request.mode : PASS_APPLY,
		.program = s->program,
		.overrides = &s->overrides,
		.journal = s->journal,
		.network = s->firewall ? &s->gate : NULL,
		.now = service_now(s),
		.client = run->has_request ? run->request.client : NULL,
		.actor = run->has_request ? run->request.actor : "service",
		.reason = run->text,
		.stale = &run->stale,
		.sink = service_record,
		.context = s,
	};
	int r = run_start(s);
	if (r < 0 && !s->stopping)
		pass_failed(s, r);
}

void service_pass_dispatch(struct service *s)
{
	if (!s->run.workers)
		return;
	int r = workers_dispatch(s->run.workers);
	if (r == WORKERS_DONE)
		pass_end(s);
	else if (r < 0)
		pass_failed(s, r);
	else if (!s->run.pass->in_journal)
		s->run.settle = 0;
	else if (!s->run.settle)
		s->run.settle = service_monotonic() + SETTLE_AFTER;
}

void service_pass_settle(struct service *s)
{
	if (s->run.pass)
		pass_journal_commit(s->run.pass);
	s->run.settle = 0;
}

void service_pass_hurry(struct service *s)
{
	if (s->run.pass && !s->run.cut)
		s->run.cut = service_monotonic() + URGENT_GRACE * 1000;
}

void service_pass_correct(struct service *s, instant_t now)
{
	struct run *run = &s->run;

	if (!run->pass)
		return;
	run->stale = true;
	run->options.now = now;
	pass_now_correct(run->pass, now);
	service_pass_cut(s);
}

void service_pass_cut(struct service *s)
{
	if (s->run.workers)
		workers_cancel(s->run.workers);
	s->run.cut = INT64_MAX; /* done with */
}
