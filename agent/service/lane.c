/* One current pass, bound to the descriptor of its workers. */
#include <errno.h>
#include <string.h>
#include "service/lane.h"

struct lane {
	struct lane_options o;
	struct pass *pass; /* NULL: idle */
	struct pass_options options;
	struct workers *workers;
	struct worker_job *jobs; /* by rank: see job() in lane.h */
	struct binding binding;	 /* the workers' descriptor */
	int64_t cut;		 /* when the pass is cut short; 0: it is not; INT64_MAX: it was */
	int64_t settle;		 /* when the pass's records are committed; 0: nothing to commit */
	bool stale;
	bool early; /* it waits for its instant */
};

int lane_new(struct lane **out, const struct lane_options *o)
{
	struct lane *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->o = *o;
	l->binding.fd = -1;
	*out = l;
	return 0;
}

void lane_drop(struct lane *l)
{
	if (l->binding.fd >= 0)
		dispatcher_remove(l->o.dispatcher, &l->binding);
	workers_free(l->workers);
	/* Commit however the pass ends: its records are written, and then other processes can write. */
	lane_settle(l);
	pass_free(l->pass);
	free(l->jobs);
	*l = (struct lane){.o = l->o, .binding.fd = -1};
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	lane_drop(l);
	free(l);
}

static void lane_end(struct lane *l, int error, const struct pass_result *result)
{
	lane_drop(l);
	l->o.ended(l->o.context, error, result);
}

static void workers_ready(void *context)
{
	struct lane *l = context;
	struct pass_result result = {0};
	int rc = workers_dispatch(l->workers);

	if (l->early) {
		if (rc < 0)
			lane_drop(l);
		return;
	}
	pass_record_network(l->pass);
	if (rc == WORKERS_DONE) {
		rc = pass_finish(&result, l->pass);
		lane_end(l, rc < 0 ? rc : 0, &result);
	} else if (rc < 0) {
		lane_end(l, rc, &result);
	} else if (!pass_is_writing(l->pass)) {
		l->settle = 0;
	} else if (!l->settle) {
		l->settle = l->o.monotonic() + LANE_SETTLE;
	}
}

/* Ranks: healthy or failed last time, each with or without something that ends now. Servers where something ends start
 * first. */
#define RANKS 4

static int jobs_rank(struct lane *l, size_t *n)
{
	const struct worker_job *jobs = pass_jobs(l->pass, n);
	_cleanup_free_ unsigned *ranks = calloc(*n + 1, sizeof(*ranks));
	size_t at = 0;

	l->jobs = calloc(2 * *n + 1, sizeof(*l->jobs));
	if (!ranks || !l->jobs)
		return -ENOMEM;
	struct worker_job *adjusted = l->jobs + *n;
	for (size_t i = 0; i < *n; i++) {
		adjusted[i] = jobs[i];
		unsigned last = l->o.job(l->o.context, &adjusted[i]);
		ranks[i] = 2 * last + !adjusted[i].early;
		/* One that failed must not take a process until the instant. */
		adjusted[i].early = adjusted[i].early && !last;
	}
	for (unsigned rank = 0; rank < RANKS; rank++)
		for (size_t i = 0; i < *n; i++)
			if (ranks[i] == rank)
				l->jobs[at++] = adjusted[i];
	return 0;
}

static int workers_prepare(struct lane *l, size_t *n)
{
	const struct settings *settings = &l->options.program->settings;
	int rc = jobs_rank(l, n);

	if (rc == 0)
		rc = workers_start(&l->workers, l->jobs, *n, settings->workers,
			settings->server_deadline, pass_record, l->pass);
	if (rc < 0)
		return rc;
	l->binding = (struct binding){workers_fd(l->workers), workers_ready, l};
	return dispatcher_add(l->o.dispatcher, &l->binding);
}

/* `rc`: whether there are workers. They go first: what ends on their servers waits for nothing, also not for the packet
 * filter, and no worker changes anything else before it is listened to. If nothing could be started, the cancellation
 * is the event that ends the pass. */
static int workers_begin(struct lane *l, int rc)
{
	if (rc == 0)
		workers_launch(l->workers);
	/* A failure is counted. */
	if (l->options.mode == PASS_APPLY)
		pass_close_network(l->pass);
	if (rc == 0)
		rc = workers_dispatch(l->workers);
	if (rc != WORKERS_DONE)
		return rc;
	workers_cancel(l->workers);
	return 0;
}

static int lane_start(struct lane *l)
{
	size_t n;
	int rc = pass_new(&l->pass, &l->options);

	if (rc < 0)
		return rc;
	/* Start at once: what the caller records next must not delay SQL removals. */
	return workers_begin(l, workers_prepare(l, &n));
}

static void lane_options_take(struct lane *l, const struct pass_options *o)
{
	l->options = *o;
	l->options.stale = &l->stale;
}

int lane_begin(struct lane *l, const struct pass_options *o)
{
	lane_options_take(l, o);
	int rc = lane_start(l);
	if (rc < 0)
		lane_drop(l);
	return rc;
}

static size_t jobs_early(const struct lane *l, size_t n)
{
	size_t early = 0;

	while (early < n && l->jobs[early].early)
		early++;
	return early;
}

static int lane_start_early(struct lane *l)
{
	size_t n, early = 0;
	int rc = pass_new(&l->pass, &l->options);

	l->early = true;
	/* Do not connect ahead while access is held back: whether that is still so is decided at the instant. */
	if (rc == 0 && pass_is_held(l->pass))
		return LANE_NOTHING;
	if (rc == 0)
		rc = workers_prepare(l, &n);
	if (rc == 0)
		early = jobs_early(l, n);
	if (rc < 0 || !early)
		return rc < 0 ? rc : LANE_NOTHING;
	int64_t apart = LANE_SPREAD / (int64_t)early;
	workers_hold(l->workers, early, apart < LANE_APART ? apart : LANE_APART);
	return workers_dispatch(l->workers);
}

int lane_begin_early(struct lane *l, const struct pass_options *o)
{
	lane_options_take(l, o);
	int rc = lane_start_early(l);
	if (rc)
		lane_drop(l);
	return rc;
}

bool lane_holds_at(const struct lane *l, instant_t now)
{
	return l->pass && !l->stale && pass_holds_at(l->pass, now);
}

int lane_release(struct lane *l, instant_t now)
{
	l->early = false;
	l->options.now = now;
	pass_now_correct(l->pass, now);
	workers_release(l->workers);
	int rc = workers_begin(l, 0);
	if (rc < 0)
		lane_drop(l);
	return rc;
}

bool lane_is_busy(const struct lane *l)
{
	return l->pass;
}

const struct pass_options *lane_pass(const struct lane *l)
{
	return &l->options;
}

int64_t lane_age(const struct lane *l, const char *server)
{
	return l->workers ? workers_age(l->workers, server) : -1;
}

void lane_hurry(struct lane *l)
{
	if (l->pass && !l->cut)
		l->cut = l->o.monotonic() + LANE_GRACE;
}

void lane_cut(struct lane *l)
{
	if (!l->pass)
		return;
	if (l->workers)
		workers_cancel(l->workers);
	l->cut = INT64_MAX;
}

void lane_outdate(struct lane *l)
{
	if (l->pass)
		l->stale = true;
}

bool lane_is_stale(const struct lane *l)
{
	return l->stale;
}

void lane_correct(struct lane *l, instant_t now)
{
	if (!l->pass)
		return;
	l->stale = true;
	l->options.now = now;
	pass_now_correct(l->pass, now);
	lane_cut(l);
}

void lane_settle(struct lane *l)
{
	if (l->pass)
		pass_settle(l->pass);
	l->settle = 0;
}

int64_t lane_next(const struct lane *l)
{
	int64_t next = l->cut ? l->cut : INT64_MAX;

	return l->settle && l->settle < next ? l->settle : next;
}

void lane_tick(struct lane *l)
{
	int64_t now = l->o.monotonic();

	if (l->settle && l->settle <= now)
		lane_settle(l);
	if (l->cut && l->cut <= now)
		lane_cut(l);
}
