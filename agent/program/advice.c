/* Advice on a go-live that is still to come, from the provider's own recommendations. */
#include "program/loading.h"

#include "curfew/calendar.h"

#include <string.h>

/* The production ticket should come four to six weeks ahead. */
#define LEAD_WEEKS 4
#define WEEK	   ((instant_t)7 * 86400)

static bool weekday_is_late(const char *local)
{
	static const char *const late[] = {"Thu", "Fri", "Sat", "Sun"};

	for (size_t i = 0; i < ARRAY_SIZE(late); i++)
		if (strncmp(local, late[i], 3) == 0)
			return true;
	return false;
}

void advice_check(const struct client *c, struct reading *r, const config_setting_t *go_live)
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
	if (!c->milestones[MILESTONE_CHECKLIST_SIGNED])
		reading_advice(r, go_live,
			"go-live is set (%s) but milestones.checklist_signed is missing; add it when the "
			"checklist is signed",
			local);
}
