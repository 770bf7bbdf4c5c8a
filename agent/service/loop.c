/* The event loop. Every source of events is a descriptor bound to a function: signals, a wall-clock timer for the
 * next scheduled change, a monotonic timer for intervals, the firewall process, the control socket, and the workers
 * of the current pass. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "curfew/notify.h"
#include "service/internal.h"

/* The journal's head is logged this often, so that a replaced journal can be detected. */
#define HEAD_INTERVAL_MS (3600 * 1000)

/* Sets the monotonic timer for the earliest of: interval pass, retry, end of a grace, logging the head. */
static void ticks_set(struct service *s)
{
	const int64_t all[] = {s->next_head, passes_next(s), early_next(s), queries_next(s),
		records_next(s), sending_next(s), sampling_next(s), filter_next(s)};
	int64_t next = INT64_MAX;
	struct itimerspec t = {0};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < next)
			next = all[i];
	if (next < 1)
		next = 1; /* 0 would disarm the timer */
	t.it_value.tv_sec = (time_t)(next / 1000);
	t.it_value.tv_nsec = (long)(next % 1000) * 1000000;
	timerfd_settime(s->ticks.fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void head_log(struct service *s)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	char text[2 * JOURNAL_HASH_SIZE + 1];
	int64_t id;

	if (!s->journal || journal_head(hash, &id, s->journal) < 0)
		return;
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	log_send(LOG_JOURNAL_HEAD, NULL, "the journal ends with record %lld, hash %s",
		(long long)id, text);
}

/* ---- events ---- */

static void transition_ready(void *context)
{
	struct service *s = context;
	uint64_t ticks;

	if (read(s->transitions.fd, &ticks, sizeof(ticks)) < 0 && errno == ECANCELED)
		service_time_came(s, REASON_CLOCK);
	service_schedule(s);
}

static void tick_ready(void *context)
{
	struct service *s = context;
	uint64_t ticks;
	int64_t now = monotonic_ms();

	(void)!read(s->ticks.fd, &ticks, sizeof(ticks));
	if (s->next_head <= now) {
		head_log(s);
		s->next_head = now + HEAD_INTERVAL_MS;
	}
	if (records_next(s) <= now)
		records_flush(s);
	lane_tick(s->queries.lane);
	sending_tick(s);
	sampling_tick(s);
	filter_tick(s);
	passes_tick(s);
	early_tick(s);
}

static void signal_ready(void *context)
{
	struct service *s = context;
	struct signalfd_siginfo info;

	if (read(s->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		service_reload_ask(s);
	else
		service_stop(s, 0);
}

static void watchdog_ready(void *context)
{
	struct service *s = context;
	uint64_t ticks;

	(void)!read(s->watchdog.fd, &ticks, sizeof(ticks));
	notify_watchdog();
}

static void control_ready(void *context)
{
	struct service *s = context;

	control_dispatch(s->control);
}

/* ---- their descriptors ---- */

static int watchdog_open(void)
{
	uint64_t period = notify_watchdog_period() / 2;
	struct itimerspec t = {0};

	t.it_value.tv_sec = t.it_interval.tv_sec = (time_t)(period / 1000000);
	t.it_value.tv_nsec = t.it_interval.tv_nsec = (long)(period % 1000000) * 1000;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd >= 0)
		timerfd_settime(fd, 0, &t, NULL);
	return fd;
}

int loop_open(struct service *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	s->signals =
		(struct binding){signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), signal_ready, s};
	s->transitions = (struct binding){
		timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), transition_ready, s};
	s->ticks = (struct binding){
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), tick_ready, s};
	s->control_events = (struct binding){control_fd(s->control), control_ready, s};
	struct binding *all[5] = {&s->signals, &s->transitions, &s->ticks, &s->control_events};
	size_t n = 4;
	if (notify_watchdog_period()) {
		s->watchdog = (struct binding){watchdog_open(), watchdog_ready, s};
		all[n++] = &s->watchdog;
	}
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = dispatcher_add(s->dispatcher, all[i]);
	return rc ? rc : filter_open(s);
}

void loop_close(struct service *s)
{
	const int fds[] = {s->transitions.fd, s->ticks.fd, s->signals.fd, s->watchdog.fd};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

void service_loop(struct service *s)
{
	while (!s->stopping) {
		if (s->reload_wanted && !lane_is_busy(s->passes.lane) &&
			!lane_is_busy(s->queries.lane))
			service_reload(s);
		while (!s->stopping && passes_are_due(s)) {
			service_zones_watch(s);
			records_watch(s);
			passes_begin(s);
		}
		if (s->reload_wanted)
			service_hurry(s,
				true); /* passes that started after the request may be cut short */
		else
			queries_begin(s);
		if (s->stopping)
			break;
		ticks_set(s);
		if (dispatcher_wait(s->dispatcher, -1) < 0)
			service_stop(s, CODE_FAILED);
	}
}
