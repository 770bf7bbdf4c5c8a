/* Alarms that go to the team at once: while a problem lasts, at most one an hour. */
#include "service/internal.h"

void sending_pass_done(struct service *s, const struct pass_result *r, unsigned reasons)
{
	char text[256];

	snprintf(text, sizeof(text),
		"%zu grants overdue, %zu with more access than scheduled, %zu unverified, %zu servers unreachable; run "
		"`curfew status`",
		s->overdue.n, r->excess, r->unverified, r->unreachable);
	if (s->overdue.n)
		sending_alarm(s, "overdue",
			"access should have ended or become read-only, and this is not confirmed",
			text);
	if (r->excess)
		sending_alarm(s, "excess", "a user has more access than scheduled", text);
	if (reasons & REASON_TRANSITION && r->unverified)
		sending_alarm(s, "unverified", "access was changed, but is not verified", text);
	if (reasons & REASON_TRANSITION && r->unreachable)
		sending_alarm(
			s, "unreachable", "a server does not answer when access changes", text);
	if (s->metrics.drift_sql != s->drift_told) {
		snprintf(text, sizeof(text), "%llu changes; run `curfew history`",
			(unsigned long long)(s->metrics.drift_sql - s->drift_told));
		s->drift_told = s->metrics.drift_sql;
		sending_alarm(s, "drift-sql",
			"access was changed on a SQL server, and is as scheduled again", text);
	}
	/* The outbox is in the journal: until that can be written again, only the system log can tell. */
	if (s->journal_back)
		sending_alarm(s, "journal", "the journal could not be written, and can be again",
			"nothing was granted meanwhile; access was removed as scheduled");
	s->journal_back = false;
	if (s->clock_alarm)
		sending_alarm(s, "clock", "the system clock was set back", "run `curfew clock`");
	sending_look(s);
}
