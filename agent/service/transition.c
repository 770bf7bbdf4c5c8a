/* The next time at which a grant changes, and the wall-clock timer for it. */
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include "service/internal.h"

void service_time_came(struct service *s, unsigned reasons)
{
	service_ask(s, reasons);
	if (lane_is_busy(s->passes.lane))
		service_network_now(s, "a scheduled change", "service", true, NULL);
}

/* The system clock at which Curfew's time reaches the next change. */
static instant_t machine_next(const struct service *s, instant_t now, instant_t machine)
{
	instant_t ahead = now - machine;

	return s->next - (ahead > 0 ? ahead : 0);
}

int64_t transition_left(const struct service *s)
{
	struct timespec machine;
	instant_t now;

	clock_gettime(CLOCK_REALTIME, &machine);
	clock_now(&now, NULL, &s->clock);
	return (machine_next(s, now, (instant_t)machine.tv_sec) - (instant_t)machine.tv_sec) *
		       1000 -
	       machine.tv_nsec / 1000000;
}

/* Sets the timer to the system clock at which Curfew's time reaches `at`. If nothing is scheduled it is set far
 * ahead, because it also reports clock steps. True if the clock was stepped since the timer was last read: setting
 * the timer would lose that report. */
static bool transition_set(struct service *s)
{
	const time_t years = (time_t)(10 * 365 * DAY);
	struct itimerspec t = {0};
	struct timespec machine;
	instant_t now;

	clock_gettime(CLOCK_REALTIME, &machine);
	clock_now(&now, NULL, &s->clock);
	if (s->has_next && s->next - now < years)
		t.it_value.tv_sec = (time_t)machine_next(s, now, (instant_t)machine.tv_sec);
	else
		t.it_value.tv_sec = machine.tv_sec + years;
	if (timerfd_settime(
		    s->transitions.fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL) == 0)
		return false;
	if (errno == ECANCELED)
		return true;
	log_send(LOG_TROUBLE, NULL, "cannot set the timer: %s", strerror(errno));
	return false;
}

void service_schedule_by(struct service *s, const struct grants *grants, instant_t now)
{
	unsigned came = 0;

	/* Setting the timer discards an expiry that was not read yet, for example one that came while a pass was
	 * ending. */
	if (s->has_next && now >= s->next)
		came = REASON_TRANSITION;
	s->has_next = schedule_next(&s->next, grants, now);
	if (transition_set(s))
		came |= REASON_CLOCK;
	if (came)
		service_time_came(s, came);
}

void service_schedule(struct service *s)
{
	struct grants grants;
	instant_t now = service_now(s);

	if (schedule_at(&grants, s->loaded.program, &s->overrides, now) < 0) {
		/* Out of memory: compute the schedule again soon. */
		s->passes.next_interval = monotonic_ms() + RETRY_FIRST * 1000;
		return;
	}
	service_schedule_by(s, &grants, now);
	grants_free(&grants);
}
