/* Advice on a coming go-live, from the provider's own recommendations. */
#include "program/loading.h"

#include "curfew/calendar.h"

#include <string.h>

/* The production ticket should be opened four to six weeks before go-live. */
#define LEAD_WEEKS 4
#define WEEK	   (7 * DAY)

static bool weekday_is_late(const char *local)
{
	static const char *const late[] = {"Thu", "Fri", "Sat", "Sun"};

	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		if (strncmp(local, late[i], 3) == 0)
			return true;
	return false;
}

/* Nobody is at work on a holiday, so a go-live on it, or on the day before, leaves nobody to fix problems. */
static void holiday_check(const struct client *c, struct reading *r,
	const config_setting_t *go_live, const struct strings *holidays)
{
	static const char *const words[] = {"on a holiday", "on the day before a holiday"};
	struct local_time local, t;
	char text[64];

	if (instant_to_local(&local, c->go_live, c->timezone) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		t = local_add_days(local, i);
		snprintf(text, sizeof(text), "%04d-%02d-%02d", t.year, t.month, t.day);
		if (!strings_contain(holidays, text))
			continue;
		reading_advice(r, go_live,
			"go-live is %s (%s); choose a day with working days behind it", words[i],
			text);
		return;
	}
}

void advice_check(const struct client *c, struct reading *r, const config_setting_t *go_live,
	const struct settings *s)
{
	char local[64];

	if (c->go_live <= r->now)
		return;
	instant_format_local(local, sizeof(local), c->go_live, c->timezone);
	if (c->go_live - r->now < LEAD_WEEKS * WEEK && !c->milestones[MILESTONE_PRODUCTION_TICKET])
		reading_advice(r, go_live,
			"go-live is in less than %d weeks (%s) and milestones.production_ticket is missing; "
			"open the ticket and add it, or move go-live",
			LEAD_WEEKS, local);
	if (weekday_is_late(local))
		reading_advice(r, go_live,
			"go-live is late in the week (%s); a Monday or another early weekday leaves time "
			"to fix problems",
			local);
	holiday_check(c, r, go_live, &s->holidays);
	if (!c->milestones[MILESTONE_CHECKLIST_SIGNED])
		reading_advice(r, go_live,
			"go-live is set (%s) but milestones.checklist_signed is missing; add it when the "
			"checklist is signed",
			local);
}
