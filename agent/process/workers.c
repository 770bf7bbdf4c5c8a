/* The parent's side: forks, listens, answers intents, enforces deadlines, reaps.
 * One epoll descriptor holds every channel and one timer, so that an event loop needs to watch only that one.
 * A process has gone when its channel ends, for nobody else holds the other side; it is reaped by its number,
 * never by "any child". */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "process/workers_internal.h"

/* Records read from one worker before the others get their turn. */
#define MAX_BATCH 64
/* An audit of 300 users on 20 databases needs some ten thousand. More means that the worker is out of control. */
#define MAX_RECORDS 1000000

/* More processes than this never run, whatever is silent: the most that the setting `workers` allows. */
#define MAX_SLOTS 64

/* epoll data: the slot, or this. */
#define EVENT_TIMER UINT64_MAX

static void slot_answer(struct workers *w, struct slot *s, struct record *r)
{
	struct pollfd p = {.fd = s->channel};

	/* The worker is dead and cannot make the change, so do not record the intent. */
	if (s->failure || (poll(&p, 1, 0) > 0 && p.revents & POLLHUP))
		return;
	RECORD_SET(r, server, s->job->name);
	struct worker_answer a = {.number = r->intent.number, .verdict = w->sink(w->context, r)};
	ssize_t n = send(s->channel, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(a) && errno != EPIPE)
		slot_kill(s, -EPROTO, "does not read the answers to its intents");
}

static void slot_take(struct workers *w, struct slot *s, const uint8_t *packed, size_t size)
{
	struct record record, *r = &record;
	char why[96];

	if (s->deaf)
		return;
	if (s->held) {
		slot_hear(s, packed, size);
		return;
	}
	if (size == 1 && *packed == WORKER_ANSWERED && !s->answered && !s->ended) {
		s->answered = true;
		return;
	}
	const char *wrong = size <= RECORD_PACKED_MAX ? record_unpack(r, packed, size) : "size";
	if (!wrong && s->ended)
		wrong = "order";
	if (wrong) {
		record_printf(why, sizeof(why), "sent a malformed record (%s)", wrong);
		s->deaf = true;
		slot_kill(s, -EBADMSG, why);
		return;
	}
	if (++s->n_records > MAX_RECORDS) {
		s->deaf = true;
		slot_kill(s, -EOVERFLOW, "sent too many records");
		return;
	}
	if (r->kind == RECORD_INTENT) {
		slot_answer(w, s, r);
	} else if (r->kind == RECORD_END) {
		s->ended = true;
		s->end = *r;
	} else {
		workers_give(w, s->job, r);
	}
}

/* Reads at most `limit` records. False: the channel has ended. */
static bool slot_drain(struct workers *w, struct slot *s, size_t limit)
{
	uint8_t packed[RECORD_PACKED_MAX];

	for (size_t i = 0; i < limit; i++) {
		/* MSG_TRUNC returns the true size, so that a longer message is noticed. */
		ssize_t n = recv(s->channel, packed, sizeof(packed), MSG_DONTWAIT | MSG_TRUNC);
		/* ECONNRESET is reported once, before the remaining records of the sender. */
		if (n < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			return false;
		slot_take(w, s, packed, (size_t)n);
	}
	return true;
}

/* The channel has ended: report the end of its job. */
static void slot_finish(struct workers *w, struct slot *s)
{
	struct record end = {.kind = RECORD_END};

	if (s->held) {
		slot_lose(w, s);
		return;
	}
	/* A worker that closed its channel and does not exit would make us wait. If it is exiting, the signal does not
	 * change its status. */
	kill(s->pid, SIGKILL);
	int status = slot_reap(w, s);
	if (!s->failure && WIFSIGNALED(status)) {
		s->failure = -ECHILD;
		record_printf(s->why, sizeof(s->why), "was ended by signal %d", WTERMSIG(status));
	} else if (!s->failure && (WEXITSTATUS(status) != 0 || !s->ended)) {
		s->failure = -ECHILD;
		record_printf(s->why, sizeof(s->why), "ended with status %d", WEXITSTATUS(status));
	}

	if (s->ended && !s->deaf) {
		end = s->end;
	} else {
		end.code = s->failure;
		RECORD_PRINTF(&end, detail, "%s%s",
			s->failure == -ETIMEDOUT ? "" : "the SQL worker ", s->why);
	}
	w->n_running--;
	const struct worker_job *job = s->job;
	int verdict = workers_give(w, job, &end);
	s->job = NULL;
	if (verdict != WORKERS_AGAIN)
		return;
	int rc = w->canceled ? -ECANCELED : slot_start(w, s, job);
	if (rc < 0)
		workers_fail_job(w, job, rc);
}

void workers_launch(struct workers *w)
{
	workers_renew(w, false);
	for (size_t i = 0; i < w->n_slots && w->next < w->n_jobs; i++)
		if (!w->slots[i].job && workers_may_start(w) &&
			slot_start(w, &w->slots[i], &w->jobs[w->next]) == 0)
			w->next++;
	workers_wake(w);
}

static void workers_fill(struct workers *w)
{
	workers_renew(w, true);
	while (w->canceled && w->next < w->n_jobs)
		workers_fail_job(w, &w->jobs[w->next++], -ECANCELED);
	for (size_t i = 0; i < w->n_slots && w->next < w->n_jobs; i++) {
		while (!w->slots[i].job && w->next < w->n_jobs && workers_may_start(w)) {
			const struct worker_job *job = &w->jobs[w->next++];
			int rc = slot_start(w, &w->slots[i], job);
			/* Nothing is reported before the release, which starts it again. */
			if (rc < 0 && w->held)
				w->slots[i] =
					(struct slot){.job = job, .lost = true, .failure = -ECHILD};
			else if (rc < 0)
				workers_fail_job(w, job, rc);
		}
	}
}

/* Kills workers that exceeded their deadline, and sets the timer to the next one. */
static void workers_keep_time(struct workers *w)
{
	int64_t now = monotonic_ms(), next = INT64_MAX;
	struct itimerspec at = {0};
	char why[64];

	if (w->held && w->next < w->n_early)
		next = w->early;
	for (size_t i = 0; i < w->n_slots; i++) {
		struct slot *s = &w->slots[i];
		if (!s->job || s->failure || s->held)
			continue;
		if (w->next < w->n_jobs && slot_takes_a_place(s, now) && !slot_works(s) &&
			s->began + WORKER_SILENT < next)
			next = s->began + WORKER_SILENT;
		if (s->deadline <= now) {
			record_printf(why, sizeof(why), "no complete answer within %u seconds",
				slot_seconds(w, s));
			slot_kill(s, -ETIMEDOUT, why);
		} else if (s->deadline < next) {
			next = s->deadline;
		}
	}
	if (next != INT64_MAX) {
		at.it_value.tv_sec = (time_t)(next / 1000);
		at.it_value.tv_nsec = (long)(next % 1000) * 1000000;
	}
	timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

int workers_start(struct workers **out, const struct worker_job *jobs, size_t n, unsigned parallel,
	unsigned deadline, record_fn sink, void *context)
{
	size_t n_slots = n < MAX_SLOTS ? n + !n : MAX_SLOTS;
	struct workers *w = calloc(1, sizeof(*w) + n_slots * sizeof(w->slots[0]));
	/* Expires at once, so that the first dispatch happens without an event. */
	struct itimerspec at = {.it_value.tv_nsec = 1};

	if (!w)
		return -ENOMEM;
	if (n && !jobs[0].unconfined)
		sandbox_prepare(SANDBOX_SQL_WORKER);
	w->jobs = jobs;
	w->n_jobs = n;
	w->n_slots = n_slots;
	w->parallel = parallel ? parallel : 1;
	w->deadline = deadline;
	w->sink = sink;
	w->context = context;
	w->timer = -1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	int rc = w->epoll < 0 ? -errno : 0;
	if (rc == 0) {
		w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		rc = w->timer < 0 ? -errno : workers_watch(w, w->timer, EVENT_TIMER);
	}
	if (rc == 0 && timerfd_settime(w->timer, 0, &at, NULL) < 0)
		rc = -errno;
	if (rc < 0) {
		workers_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

int workers_fd(const struct workers *w)
{
	return w->epoll;
}

static int workers_step(struct workers *w, int timeout)
{
	struct epoll_event events[32];
	uint64_t ticks;
	int n = epoll_wait(w->epoll, events, ARRAY_SIZE(events), timeout);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (events[i].data.u64 == EVENT_TIMER) {
			(void)!read(w->timer, &ticks, sizeof(ticks));
			continue;
		}
		struct slot *s = &w->slots[events[i].data.u64];
		if (!slot_drain(w, s, MAX_BATCH))
			slot_finish(w, s);
	}
	workers_fill(w);
	workers_keep_time(w);
	return !w->held && w->n_running == 0 && w->next == w->n_jobs ? WORKERS_DONE : 0;
}

int workers_dispatch(struct workers *w)
{
	return workers_step(w, 0);
}

int workers_run(const struct worker_job *jobs, size_t n, unsigned parallel, unsigned deadline,
	record_fn sink, void *context)
{
	struct workers *w;
	int rc = workers_start(&w, jobs, n, parallel, deadline, sink, context);

	if (rc < 0)
		return rc;
	do
		rc = workers_step(w, -1);
	while (rc == 0);
	workers_free(w);
	return rc < 0 ? rc : 0;
}

int64_t workers_age(const struct workers *w, const char *name)
{
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].job && !w->slots[i].lost && streq(w->slots[i].job->name, name))
			return monotonic_ms() - w->slots[i].began;
	return -1;
}

/* The next dispatch handles it; the timer or the end of a channel causes one. */
void workers_cancel(struct workers *w)
{
	w->canceled = true;
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].job)
			slot_kill(&w->slots[i], -ECANCELED,
				"was canceled because a more urgent pass was due");
	workers_wake(w);
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	/* All of them, and then the wait: they end beside each other. */
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].job && !w->slots[i].lost)
			slot_kill(&w->slots[i], -ECANCELED, "");
	for (size_t i = 0; i < w->n_slots; i++)
		if (w->slots[i].job && !w->slots[i].lost)
			slot_reap(w, &w->slots[i]);
	if (w->timer >= 0)
		close(w->timer);
	if (w->epoll >= 0)
		close(w->epoll);
	free(w);
}
