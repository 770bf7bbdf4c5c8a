/* Names of milestones, their due dates, and which one is next. */
#include "curfew/milestones.h"

#include <string.h>

/* The production ticket, with the signed checklist, should be opened four to six weeks before go-live. */
#define LEAD	   (28 * DAY)
#define LEAD_EARLY (42 * DAY)

static const struct {
	const char *name, *words;
	bool automatic;
} kinds[MILESTONES] = {
	[MILESTONE_FILES_RECEIVED] = {"files_received", "files received", false},
	[MILESTONE_SERVICE_PACK_CHECKED] = {"service_pack_checked", "service pack checked", false},
	[MILESTONE_DATABASE_UPGRADED] = {"database_upgraded", "backup upgraded", false},
	[MILESTONE_ACCOUNTS_SET_UP] = {"accounts_set_up", "accounts set up", true},
	[MILESTONE_GATEWAY_ONBOARDED] = {"gateway_onboarded", "gateway onboarded", false},
	[MILESTONE_TEST_PLAN_DONE] = {"test_plan_done", "test plan done", false},
	[MILESTONE_CHECKLIST_SIGNED] = {"checklist_signed", "checklist signed", false},
	[MILESTONE_PRODUCTION_TICKET] = {"production_ticket", "production ticket", false},
	[MILESTONE_GO_LIVE_AGREED] = {"go_live_agreed", "go-live agreed", true},
	[MILESTONE_GO_LIVE_DONE] = {"go_live_done", "go-live done", true},
	[MILESTONE_STAGING_REMOVED] = {"staging_removed", "staging site removed", false},
	[MILESTONE_POST_UPGRADE_DONE] = {"post_upgrade_done", "post-upgrade tasks done", false},
};

const char *milestone_name(enum milestone m)
{
	return kinds[m].name;
}

const char *milestone_words(enum milestone m)
{
	return kinds[m].words;
}

bool milestone_is_automatic(enum milestone m)
{
	return kinds[m].automatic;
}

enum milestone milestone_find(const char *name)
{
	size_t m = 0;

	while (m < MILESTONES && !streq(kinds[m].name, name))
		m++;
	return (enum milestone)m;
}

static instant_t due_of(const struct client *c, enum milestone m)
{
	switch (m) {
	case MILESTONE_FILES_RECEIVED:
	case MILESTONE_SERVICE_PACK_CHECKED:
	case MILESTONE_DATABASE_UPGRADED:
	case MILESTONE_ACCOUNTS_SET_UP:
		return c->starts;
	case MILESTONE_GATEWAY_ONBOARDED:
	case MILESTONE_TEST_PLAN_DONE:
	case MILESTONE_CHECKLIST_SIGNED:
	case MILESTONE_PRODUCTION_TICKET:
		return c->has_go_live ? c->go_live - LEAD : 0;
	case MILESTONE_GO_LIVE_AGREED:
		return c->testing_end - LEAD_EARLY;
	case MILESTONE_GO_LIVE_DONE:
		return c->has_go_live ? c->go_live : 0;
	case MILESTONE_STAGING_REMOVED:
		return c->has_go_live ? c->staging_end : 0;
	default:
		return c->has_go_live ? c->end : 0;
	}
}

void client_milestones(struct milestone_state out[MILESTONES], const struct client *c,
	bool accounts, instant_t now)
{
	for (size_t m = 0; m < MILESTONES; m++)
		out[m] = (struct milestone_state){.which = (enum milestone)m,
			.done = c->milestones[m],
			.due = due_of(c, (enum milestone)m)};
	out[MILESTONE_ACCOUNTS_SET_UP].done = accounts;
	out[MILESTONE_GO_LIVE_AGREED].done = c->has_go_live;
	out[MILESTONE_GO_LIVE_DONE].done = c->has_go_live && c->go_live <= now;
}

const struct milestone_state *milestone_next(const struct milestone_state all[MILESTONES])
{
	const struct milestone_state *next = NULL;

	for (size_t m = 0; m < MILESTONES; m++)
		if (!all[m].done &&
			(!next || (all[m].due && (!next->due || all[m].due < next->due))))
			next = &all[m];
	return next;
}

size_t milestones_late(const struct milestone_state all[MILESTONES], instant_t now)
{
	size_t n = 0;

	for (size_t m = 0; m < MILESTONES; m++)
		n += !all[m].done && all[m].due && all[m].due <= now;
	return n;
}
