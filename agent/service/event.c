/* What the rest of the service builds on: asking for a pass, events of its own in the journal, its end. */
#include <time.h>
#include "service/internal.h"

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
	s->passes.pending |= reasons;
	if (reasons & REASONS_URGENT)
		lane_hurry(s->passes.lane);
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
		.configuration = s->loaded.program->digest};

	clock_now(&e.at, NULL, &s->clock);
	int rc = journal_write(NULL, s->journal, &e);
	if (rc < 0)
		log_send(LOG_JOURNAL_FAILED, NULL, "the journal does not take \"%s\": %s", action,
			journal_problem(rc));
	return rc;
}
