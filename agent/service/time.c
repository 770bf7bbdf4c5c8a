/* The service's current time, and the alarm of a clock that was set back. */
#include <string.h>
#include "service/internal.h"

static void clock_watch(struct service *s, int ran_back, instant_t behind)
{
	char text[128];

	s->clock_behind = ran_back ? behind : 0;
	if ((ran_back != 0) == s->clock_alarm)
		return;
	s->clock_alarm = ran_back != 0;
	if (s->clock_alarm) {
		record_printf(text, sizeof(text), "%lld s behind the latest time seen",
			(long long)behind);
		log_send(LOG_CLOCK_BACK, NULL,
			"the system clock is %s; Curfew continues from the latest time seen, so ended access stays "
			"ended; correct the clock, or see `curfew clock`",
			text);
		service_event(s, "clock-back", NULL, NULL, "service",
			"the system clock was set back", text);
	} else {
		log_send(LOG_CLOCK_RIGHT, NULL, "the system clock is correct again");
		service_event(s, "clock-restored", NULL, NULL, "service",
			"the system clock is correct again", NULL);
	}
}

instant_t service_now(struct service *s)
{
	instant_t now, behind = 0;
	int ran_back = clock_now(&now, &behind, &s->clock);

	clock_see(&s->clock, now);
	clock_watch(s, ran_back, behind);
	return now;
}

void service_time_save(struct service *s)
{
	int rc = clock_save(&s->clock);

	if (rc < 0)
		log_send(LOG_TROUBLE, NULL,
			"cannot save the latest time seen (%s); a restart would not know it",
			strerror(-rc));
}
