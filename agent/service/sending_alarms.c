/* What goes to the team at once: alarms, while a problem lasts at most one an hour; preflights; tests. */
#include <errno.h>
#include <string.h>
#include "curfew/calendar.h"
#include "service/internal.h"
#include "service/sending.h"
#include "service/sending_make.h"

/* Within one second. */
#define TESTS_MAX 100

static char *now_text(const struct sending_view *v)
{
	char buf[64];

	return strdup(
		instant_format_local(buf, sizeof(buf), v->now, v->program->settings.timezone));
}

bool sending_alarm(struct service *s, enum notice_alarm alarm, const char *detail)
{
	struct notice_values values = {{0}};
	struct sending_view v = {0};
	char event[256];

	if (!s->sending || !sending_is_on(s))
		return true;
	if (sending_view_make(&v, s))
		return false;
	/* Alarm of one kind at most once an hour. */
	snprintf(event, sizeof(event), "alarm/%s/%lld", notice_alarm_key(alarm),
		(long long)(v.now / 3600));
	values.items[VALUE_REASON] = strdup(notice_alarm_reason(alarm));
	values.items[VALUE_LIST] = strdup(detail);
	values.items[VALUE_HOST] = sending_host();
	values.items[VALUE_DATE] = now_text(&v);
	int rc = team_add(&v, NOTICE_ALARM, event, NULL, v.program->settings.notices.team, &values);
	if (rc < 0)
		sending_fail_log(rc, notice_alarm_reason(alarm));
	notice_values_free(&values);
	sending_give(s);
	return rc > 0;
}

void sending_preflight_failed(struct service *s, const struct sending_preflight *f)
{
	const struct client *c = program_client(s->loaded.program, f->client);
	struct notice_values values = {{0}};
	struct sending_view v = {0};
	char event[256], date[64];

	if (!s->sending || !c || !sending_is_on(s) || sending_view_make(&v, s))
		return;
	snprintf(event, sizeof(event), "%s/preflight/%lld/%d", c->name, (long long)f->at, f->days);
	values.items[VALUE_CLIENT] = strdup(c->name);
	values.items[VALUE_TICKET] = strdup(c->ticket);
	values.items[VALUE_REASON] = strdup(f->what);
	values.items[VALUE_LIST] = strdup(f->failed);
	values.items[VALUE_DATE] =
		strdup(instant_format_local(date, sizeof(date), f->at, c->timezone));
	values.items[VALUE_IN] = notice_days_text(f->at, v.now, c->timezone);
	int rc = leads_add(&v, NOTICE_PREFLIGHT, event, c, &values);
	if (rc < 0)
		sending_fail_log(rc, "what a preflight found");
	notice_values_free(&values);
	sending_give(s);
}

int sending_test(struct service *s, const char *recipient)
{
	struct notice_values values = {{0}};
	struct sending_view v = {0};
	char event[64];

	if (!sending_is_on(s))
		return -ENODEV;
	int rc = sending_view_make(&v, s);
	/* Each that was asked for is one, also of several within a second. */
	for (unsigned k = 0; rc == 0 && k < TESTS_MAX; k++) {
		snprintf(event, sizeof(event), "test/%lld/%u", (long long)v.now, k);
		rc = team_add(&v, NOTICE_TEST, event, NULL, recipient, &values);
	}
	sending_give(s);
	return rc < 0 ? rc : 0;
}

void sending_pass_done(struct service *s, const struct pass_result *r, unsigned reasons)
{
	/* One that did not answer before is not due in each pass. */
	size_t silent = retries_silent(s->retries);
	char first[OVERDUE_FIRST_SIZE + 16] = "", text[sizeof(first) + 256];

	if (s->overdue.n)
		snprintf(first, sizeof(first), " (first: %s)", s->overdue.first);
	if (silent < r->unreachable)
		silent = r->unreachable;
	snprintf(text, sizeof(text),
		"%zu grant%s overdue%s, %zu with more access than scheduled, %zu unverified, %zu unread, %zu server%s "
		"unreachable; run `curfew status`",
		s->overdue.n, s->overdue.n == 1 ? "" : "s", first, r->excess, r->unverified,
		s->metrics.unread, silent, silent == 1 ? "" : "s");
	if (s->overdue.n)
		sending_alarm(s, ALARM_OVERDUE, text);
	if (r->excess)
		sending_alarm(s, ALARM_EXCESS, text);
	if (reasons & (REASON_TRANSITION | REASON_REST) && r->unverified)
		sending_alarm(s, ALARM_UNVERIFIED, text);
	if (reasons & (REASON_TRANSITION | REASON_REST) && silent)
		sending_alarm(s, ALARM_UNREACHABLE, text);
	if (s->metrics.drift_sql != s->drift_told) {
		snprintf(text, sizeof(text), "%llu change%s; run `curfew history`",
			(unsigned long long)(s->metrics.drift_sql - s->drift_told),
			s->metrics.drift_sql - s->drift_told == 1 ? "" : "s");
		/* What this hour's mail does not have is in that of the next. */
		if (sending_alarm(s, ALARM_DRIFT_SQL, text))
			s->drift_told = s->metrics.drift_sql;
	}
	if (s->filter.lost)
		sending_alarm(s, ALARM_FILTER, s->filter.why);
	if (r->held && !r->unfiltered)
		sending_alarm(s, ALARM_HELD,
			"access still ends on time; `curfew status` says what is missing and what to do");
	/* The outbox is in the journal: until that can be written again, only the system log can tell. */
	if (s->journal_back &&
		sending_alarm(s, ALARM_JOURNAL,
			"nothing was granted meanwhile, and removals did not wait for it; `curfew status` says what is not confirmed"))
		s->journal_back = false;
	if (s->clock_alarm)
		sending_alarm(s, ALARM_CLOCK, "ended access stays ended; run `curfew clock`");
	sending_denied(s);
	sending_look(s);
}
