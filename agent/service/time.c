/* The service's current time, its correction, and the alarm of a clock that was set back. */
#include <errno.h>
#include <string.h>
#include "curfew/clock_resets.h"
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
			"the system clock is behind the latest time seen", text);
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
			"cannot save the latest time seen (%s); no access is granted until it can be saved",
			strerror(-rc));
}

static int reset_record(struct service *s, const char *actor, const char *reason,
	const char *detail, const char *outcome)
{
	struct journal_entry e = {.action = CLOCK_RESET,
		.actor = actor,
		.reason = reason,
		.detail = detail,
		.outcome = outcome};

	return records_write(s, &e);
}

int service_time_reset(char why[RECORD_TEXT_MAX], struct service *s, instant_t to,
	const char *actor, const char *reason)
{
	char detail[RECORD_TEXT_MAX];
	int rc = clock_reset_check(&s->clock, to);

	record_set(why, RECORD_TEXT_MAX,
		rc == -ERANGE ? "the time must be between the system clock and the latest time seen"
			      : strerror(-rc));
	if (rc < 0)
		return rc;
	record_printf(detail, sizeof(detail), CLOCK_RESET_DETAIL "%lld, was %lld", (long long)to,
		(long long)s->clock.highest);
	/* Record the reset first: there must be no reset without a record. */
	lane_settle(s->passes.lane);
	rc = reset_record(s, actor, reason, detail, NULL);
	if (rc) {
		record_printf(
			why, RECORD_TEXT_MAX, "cannot write the journal: %s", journal_problem(rc));
		return rc;
	}
	rc = clock_reset(&s->clock, to);
	if (rc < 0) {
		record_set(why, RECORD_TEXT_MAX, strerror(-rc));
		reset_record(s, actor, reason, why, "failed");
	}
	return rc;
}
