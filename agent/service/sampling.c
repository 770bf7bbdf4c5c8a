/* Takes samples of use: which server is due, its worker, and writing what the worker found. */
#include "service/sampling.h"

#include <errno.h>
#include <string.h>

#include "service/internal.h"
#include "service/sampling_job.h"

/* The first passes must not wait for a sample. */
#define START_MS (10 * 1000)
/* How often to search for a server that is due. A server is not tried again within RETRY_MS. */
#define LOOK_MS	 (60 * 1000)
#define RETRY_MS (3600 * 1000)
#define BUSY_MS	 1000
/* Rows are written only while no pass runs: this many in one commit, then a pause in which a pass can start. */
#define ROWS_AT_ONCE 2000
#define PAUSE_MS     200

/* A server that was tried. */
struct attempt {
	char *server;
	int64_t next; /* monotonic milliseconds */
};

struct sampling {
	struct workers *workers; /* NULL: none is under way */
	struct binding channel;
	struct sampling_job job;
	int64_t next;
	struct sample taking;	/* of the database whose records come in; its strings are owned */
	struct samples waiting; /* to be written */
	struct attempt *attempts;
	size_t n_attempts;
};

/* ---- what a worker found ---- */

static int seen_take(struct sample *s, const struct record *r)
{
	if (s->n_uses == SAMPLE_USES_MAX)
		return -EOVERFLOW;
	struct sample_use *u = ARRAY_MORE(s->uses, s->n_uses);
	if (!u)
		return -ENOMEM;
	*u = (struct sample_use){
		strdup(r->used.type), strdup(r->used.name), strdup(r->used.source), r->used.last};
	return u->type && u->name && u->source ? 0 : -ENOMEM;
}

static int watch_take(struct sample *s, const struct record *r)
{
	struct sample_watch *w = ARRAY_MORE(s->watches, s->n_watches);

	if (!w)
		return -ENOMEM;
	*w = (struct sample_watch){
		strdup(r->watch.part), r->watch.since, r->watch.until, (int64_t)r->watch.gap};
	return w->part ? 0 : -ENOMEM;
}

static int tally_take(struct sampling *g, const struct record *r)
{
	struct sample *s = &g->taking;
	const struct record_tally *t = &r->tally;

	s->at = g->job.reading.visit.now;
	s->server = strdup(r->server);
	s->database = strdup(r->database);
	s->tallies = calloc(1, sizeof(*s->tallies));
	if (!s->server || !s->database || !s->tallies)
		return -ENOMEM;
	s->tallies[s->n_tallies++] = (struct sample_tally){s->at, t->red, t->yellow, t->green,
		t->undecided, t->keep, t->replace, t->drop, t->left};
	int rc = ARRAY_ADD(g->waiting.items, g->waiting.n, *s);
	if (!rc)
		*s = (struct sample){0};
	return rc;
}

static void unread_log(const struct record *r)
{
	const struct log_fields f = {.server = r->server, .database = r->database};

	log_send(LOG_TROUBLE, &f, "no sample of use of %s%s%s: %s; tried again in an hour",
		r->server, r->database[0] ? " / " : "", r->database,
		r->detail[0] ? r->detail : strerror(-r->code));
}

/* The worker reads a server's answers, so its records are not trusted: it can spoil only the samples of its own server. */
static int record_take(void *context, const struct record *r)
{
	struct sampling *g = context;

	switch (r->kind) {
	case RECORD_SEEN:
		return seen_take(&g->taking, r);
	case RECORD_WATCH:
		return watch_take(&g->taking, r);
	case RECORD_TALLY:
		return tally_take(g, r);
	case RECORD_COVERAGE:
		unread_log(r);
		return 0;
	case RECORD_END:
		if (r->code && r->code != -ECANCELED)
			unread_log(r);
		return 0;
	default:
		return -EINVAL;
	}
}

/* ---- the worker ---- */

static void job_end(struct service *s)
{
	struct sampling *g = s->sampling;

	if (g->workers)
		dispatcher_remove(s->dispatcher, &g->channel);
	workers_free(g->workers);
	g->workers = NULL;
	sample_free(&g->taking);
	sampling_job_clear(&g->job);
	g->next = monotonic_ms() + PAUSE_MS;
}

static void channel_ready(void *context)
{
	struct service *s = context;

	if (workers_dispatch(s->sampling->workers) != 0)
		job_end(s);
}

static struct attempt *attempt_of(struct sampling *g, const char *server)
{
	for (size_t i = 0; i < g->n_attempts; i++)
		if (streq(g->attempts[i].server, server))
			return &g->attempts[i];
	char *copy = strdup(server);
	struct attempt *a = copy ? ARRAY_MORE(g->attempts, g->n_attempts) : NULL;
	if (a)
		a->server = copy;
	else
		free(copy);
	return a;
}

static int job_begin(struct service *s, const struct server *server)
{
	struct sampling *g = s->sampling;
	struct attempt *a = attempt_of(g, server->name);
	int64_t now = monotonic_ms();

	if (!a || a->next > now)
		return a ? -ENOENT : -ENOMEM;
	int rc = sampling_job_set(&g->job, s->loaded.program, server, s->journal, service_now(s));
	if (rc)
		return rc;
	a->next = now + RETRY_MS;
	g->job.job.unconfined = s->options.unconfined;
	g->job.job.score = s->score;
	rc = workers_start(&g->workers, &g->job.job, 1, 1, g->job.job.deadline, record_take, g);
	if (!rc) {
		g->channel = (struct binding){workers_fd(g->workers), channel_ready, s};
		rc = dispatcher_add(s->dispatcher, &g->channel);
	}
	if (rc)
		job_end(s);
	return rc;
}

static void look(struct service *s)
{
	const struct program *p = s->loaded.program;
	struct sampling *g = s->sampling;

	g->next = monotonic_ms() + (lane_is_busy(s->passes.lane) ? BUSY_MS : LOOK_MS);
	if (!p->settings.sample_hours || !s->journal || lane_is_busy(s->passes.lane))
		return;
	for (size_t i = 0; i < p->n_servers; i++) {
		int rc = job_begin(s, &p->servers[i]);
		if (rc == -ENOENT)
			continue;
		if (rc)
			log_send(LOG_TROUBLE, NULL, "no sample of use of %s: %s",
				p->servers[i].name, strerror(-rc));
		else
			g->next = INT64_MAX;
		return;
	}
}

/* ---- writing ---- */

static void waiting_write(struct service *s)
{
	struct sampling *g = s->sampling;
	size_t rows = 0, n = 0;

	g->next = monotonic_ms() + PAUSE_MS;
	if (lane_is_busy(s->passes.lane) || passes_are_due(s))
		return;
	int rc = s->journal ? journal_begin(s->journal) : -ENODEV;
	while (!rc && n < g->waiting.n && rows < ROWS_AT_ONCE) {
		rows += g->waiting.items[n].n_uses;
		rc = sample_put(s->journal, &g->waiting.items[n++]);
	}
	if (!rc)
		rc = journal_commit(s->journal);
	else if (s->journal && rc != -ENODEV)
		journal_rollback(s->journal);
	if (rc) {
		log_send(LOG_TROUBLE, NULL, "cannot keep samples of use: %s", journal_problem(rc));
		n = g->waiting.n;
	}
	struct samples done = {g->waiting.items, n};
	size_t left = g->waiting.n - n;
	struct sample *rest = left ? calloc(left, sizeof(*rest)) : NULL;
	if (rest)
		memcpy(rest, g->waiting.items + n, left * sizeof(*rest));
	else
		done.n = g->waiting.n;
	samples_free(&done);
	g->waiting = (struct samples){rest, rest ? left : 0};
}

/* ---- when ---- */

int64_t sampling_next(const struct service *s)
{
	return s->sampling->next;
}

void sampling_tick(struct service *s)
{
	struct sampling *g = s->sampling;

	if (g->next > monotonic_ms())
		return;
	if (g->workers)
		g->next = INT64_MAX;
	else if (g->waiting.n)
		waiting_write(s);
	else
		look(s);
}

static void attempts_free(struct sampling *g)
{
	for (size_t i = 0; i < g->n_attempts; i++)
		free(g->attempts[i].server);
	free(g->attempts);
	g->attempts = NULL;
	g->n_attempts = 0;
}

int sampling_open(struct service *s)
{
	s->sampling = calloc(1, sizeof(*s->sampling));
	if (!s->sampling)
		return -ENOMEM;
	s->sampling->next = monotonic_ms() + START_MS;
	return 0;
}

void sampling_close(struct service *s)
{
	if (!s->sampling)
		return;
	job_end(s);
	samples_free(&s->sampling->waiting);
	attempts_free(s->sampling);
	free(s->sampling);
	s->sampling = NULL;
}

void sampling_reload(struct service *s)
{
	/* The credentials or the lists may be new, so try every server again at once. */
	attempts_free(s->sampling);
	job_end(s);
	s->sampling->next = monotonic_ms() + START_MS;
}
