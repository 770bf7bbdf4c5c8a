/* The event loop: one epoll descriptor, no polling. Everything that wakes it is a file: signals, the instant of
 * the next transition on the clock that people set, intervals on the one that nobody sets, the firewall process,
 * the control socket, the workers of the pass under way. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "curfew/notify.h"
#include "service/internal.h"

/* The head of the journal's chain goes to the system log this often. */
#define HEAD_INTERVAL_MS (3600 * 1000)

int64_t service_monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void service_stop(struct service *s, int code)
{
	if (!s->stopping)
		s->code = code;
	s->stopping = true;
}

void service_ask(struct service *s, unsigned reasons)
{
	s->pending |= reasons;
	if (reasons & REASONS_URGENT)
		service_pass_hurry(s);
}

int service_event(struct service *s, const char *action, const char *client, const char *login,
	const char *actor, const char *reason, const char *detail)
{
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.action = action,
		.client = client,
		.login = login,
		.actor = actor,
		.reason = reason,
		.detail = detail,
		.configuration = s->program->digest};

	clock_now(&e.at, NULL, &s->clock);
	int r = journal_write(NULL, s->journal, &e);
	if (r < 0)
		log_send(LOG_JOURNAL_FAILED, NULL, "the journal does not take \"%s\": %s", action,
			journal_problem(r));
	return r;
}

/* ---- time ---- */

static void clock_watch(struct service *s, int ran_back, instant_t behind)
{
	char words[128];

	s->clock_behind = ran_back ? behind : 0;
	if ((ran_back != 0) == s->clock_alarm)
		return;
	s->clock_alarm = ran_back != 0;
	if (s->clock_alarm) {
		record_printf(words, sizeof(words), "%lld s behind the highest instant seen",
			(long long)behind);
		log_send(LOG_CLOCK_BACK, NULL,
			"this machine's clock is %s: nothing is reopened, time goes on from there; set the "
			"clock right, or see `curfew clock`",
			words);
		service_event(s, "clock-back", NULL, NULL, "service",
			"the machine's clock was set back", words);
	} else {
		log_send(LOG_CLOCK_RIGHT, NULL, "this machine's clock is right again");
		service_event(s, "clock-restored", NULL, NULL, "service",
			"the machine's clock is right again", NULL);
	}
}

instant_t service_now(struct service *s)
{
	instant_t now, behind = 0;
	int ran_back = clock_now(&now, &behind, &s->clock);
	int r = clock_advance(&s->clock, now);

	if (r < 0)
		log_send(LOG_TROUBLE, NULL,
			"the highest instant seen cannot be put on disk (%s): a restart would not know it",
			strerror(-r));
	clock_watch(s, ran_back, behind);
	return now;
}

/* What ends now ends now, in the network, whatever servers a pass is waiting for. */
static void time_came(struct service *s, unsigned reasons)
{
	service_ask(s, reasons);
	if (s->run.pass)
		service_network_now(s, "the schedule says so now", "service", true, NULL);
}

/* The machine's clock at which ours reaches `at`; far ahead when nothing comes: the timer still tells of steps.
 * True when the clock was stepped since the timer was read: it is set all the same, but tells of that here only. */
static bool transition_set(struct service *s)
{
	const time_t years = (time_t)10 * 365 * 86400;
	struct itimerspec t = {0};
	struct timespec machine;
	instant_t now;

	clock_gettime(CLOCK_REALTIME, &machine);
	clock_now(&now, NULL, &s->clock);
	instant_t ahead = now - (instant_t)machine.tv_sec;
	if (s->has_next && s->next - now < years)
		t.it_value.tv_sec = (time_t)(s->next - (ahead > 0 ? ahead : 0));
	else
		t.it_value.tv_sec = machine.tv_sec + years;
	if (timerfd_settime(
		    s->transitions, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL) == 0)
		return false;
	if (errno == ECANCELED)
		return true;
	log_send(LOG_TROUBLE, NULL, "the timer cannot be set: %s", strerror(errno));
	return false;
}

void service_schedule(struct service *s)
{
	struct grants grants;
	instant_t now = service_now(s);
	unsigned came = 0;

	if (schedule_at(&grants, s->program, &s->overrides, now) < 0) {
		/* Without memory for the schedule: look again soon. */
		s->next_interval = service_monotonic() + RETRY_FIRST * 1000;
		return;
	}
	/* Setting the timer anew takes back what it had to say: it may have come while a pass was ending. */
	if (s->has_next && now >= s->next)
		came = REASON_TRANSITION;
	s->has_next = schedule_next(&s->next, &grants, now);
	grants_free(&grants);
	if (transition_set(s))
		came |= REASON_CLOCK;
	if (came)
		time_came(s, came);
}

/* The regular look, the next retry, the end of a grace, the journal's head: whichever comes first. */
static void ticks_set(struct service *s)
{
	int64_t next = s->next_interval < s->next_head ? s->next_interval : s->next_head;
	struct itimerspec t = {0};

	if (s->run.pass) {
		next = s->next_head;
		if (s->run.cut && s->run.cut < next)
			next = s->run.cut;
		if (s->run.settle && s->run.settle < next)
			next = s->run.settle;
	}
	for (size_t i = 0; i < s->n_servers && !s->run.pass; i++)
		if (s->servers[i].retry && s->servers[i].retry < next)
			next = s->servers[i].retry;
	if (service_reading_next(s) < next)
		next = service_reading_next(s);
	if (next < 1)
		next = 1; /* 0 would stop it */
	t.it_value.tv_sec = (time_t)(next / 1000);
	t.it_value.tv_nsec = (long)(next % 1000) * 1000000;
	timerfd_settime(s->ticks, TFD_TIMER_ABSTIME, &t, NULL);
}

static void head_log(struct service *s)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	char text[2 * JOURNAL_HASH_SIZE + 1];
	int64_t id;

	if (journal_head(hash, &id, s->journal) < 0)
		return;
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	log_send(LOG_JOURNAL_HEAD, NULL, "the journal ends with record %lld, hash %s",
		(long long)id, text);
}

/* ---- events ---- */

static void transition_event(struct service *s)
{
	uint64_t ticks;

	if (read(s->transitions, &ticks, sizeof(ticks)) < 0 && errno == ECANCELED)
		time_came(s, REASON_CLOCK);
	service_schedule(s);
}

static void tick_event(struct service *s)
{
	uint64_t ticks;
	int64_t now = service_monotonic();

	(void)!read(s->ticks, &ticks, sizeof(ticks));
	if (s->next_head <= now) {
		head_log(s);
		s->next_head = now + HEAD_INTERVAL_MS;
	}
	service_reading_tick(s);
	if (s->run.pass) {
		if (s->run.settle && s->run.settle <= now)
			service_pass_settle(s);
		if (s->run.cut && s->run.cut <= now)
			service_pass_cut(s);
		return;
	}
	if (s->next_interval <= now)
		service_ask(s, REASON_INTERVAL);
	for (size_t i = 0; i < s->n_servers; i++)
		if (s->servers[i].retry && s->servers[i].retry <= now)
			service_ask(s, REASON_RETRY);
}

static void firewall_event(struct service *s)
{
	bool changed = false;
	char who[64];
	int r = firewall_client_read(&changed, who, s->firewall);

	if (r < 0) {
		service_firewall_died(s, r);
		return;
	}
	if (!changed)
		return;
	s->figures.drift_network++;
	log_send(LOG_DRIFT_NETWORK, NULL,
		"the table inet curfew was changed by %s: it is put right",
		who[0] ? who : "somebody else");
	service_event(s, "drift", NULL, NULL, "service", "the packet filter's table was changed",
		who[0] ? who : "somebody else");
	service_network_now(s, "somebody else changed the table", "service", false, NULL);
}

static void signal_event(struct service *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		service_stop(s, 0);
		return;
	}
	service_reload_ask(s);
}

static void watchdog_event(struct service *s)
{
	uint64_t ticks;

	(void)!read(s->watchdog, &ticks, sizeof(ticks));
	notify_watchdog();
}

static void service_dispatch(struct service *s, const void *what)
{
	if (what == &s->transitions)
		transition_event(s);
	else if (what == &s->ticks)
		tick_event(s);
	else if (what == &s->signals)
		signal_event(s);
	else if (what == &s->watchdog)
		watchdog_event(s);
	else if (what == &s->firewall)
		firewall_event(s);
	else if (what == &s->control)
		control_dispatch(s->control);
	else if (what == &s->run)
		service_pass_dispatch(s);
	else if (what == &s->reading)
		service_reading_dispatch(s);
}

void service_loop(struct service *s)
{
	struct epoll_event events[16];

	while (!s->stopping) {
		if (s->reload_wanted && !s->run.pass && !s->reading.pass)
			service_reload(s);
		while (!s->stopping && !s->run.pass && (s->pending || s->n_queue))
			service_pass_begin(s);
		if (s->reload_wanted)
			service_pass_hurry(s); /* one that was begun since it was asked for */
		else
			service_reading_begin(s);
		if (s->stopping)
			break;
		ticks_set(s);
		int n = epoll_wait(s->epoll, events, ARRAY_SIZE(events), -1);
		for (int i = 0; i < n && !s->stopping; i++)
			service_dispatch(s, events[i].data.ptr);
		if (n < 0 && errno != EINTR)
			service_stop(s, CODE_FAILED);
	}
}
