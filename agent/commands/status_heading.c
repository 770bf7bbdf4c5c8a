/* The line above a client's grants: its phase, and what comes next. */
#include "commands/status_heading.h"

#include "curfew/calendar.h"
#include "curfew/report.h"

/* Show the phase of a grant that is not revoked, so that one revoked user does not change the heading. */
const struct grant *status_heading_grant(const struct grant *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].phase != PHASE_REVOKED)
			return &items[i];
	return items;
}

/* True if no grant has access left. Uses the grants, not the file's dates: a client may have staging alone, or production
 * alone. */
bool status_is_over(const struct grant *items, size_t n, instant_t now)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].phase != PHASE_REVOKED && items[i].end > now)
			return false;
	return true;
}

struct turn {
	const char *what;
	instant_t at;
};

static struct turn next_turn(
	const struct client *c, const struct grant *items, size_t n, instant_t now)
{
	struct turn opens = {"access starts", 0}, ends = {"all access ends", 0};
	bool has = false;

	for (size_t i = 0; i < n; i++) {
		const struct grant *g = &items[i];
		has |= g->level != LEVEL_NONE;
		if (g->level == LEVEL_NONE && g->next_level != LEVEL_NONE &&
			(!opens.at || g->until < opens.at))
			opens.at = g->until;
		if (g->phase != PHASE_REVOKED && g->end > ends.at)
			ends.at = g->end;
	}
	if (!has && opens.at)
		return opens;
	/* After a go-live that has passed, the file's later date does not come. */
	const enum phase phase = status_heading_grant(items, n)->phase;
	const bool live = phase != PHASE_PENDING && phase != PHASE_TESTING;
	return c->has_go_live && now < c->go_live && !live ? (struct turn){"go-live", c->go_live}
							   : ends;
}

void status_heading_print(
	const struct client *c, const struct grant *items, size_t n, instant_t now, bool color)
{
	const struct grant *g = status_heading_grant(items, n);
	char words[WORDS_MAX], duration[WORDS_MAX], when[64];
	struct turn next = next_turn(c, items, n, now);

	printf("%s%s%s  ", style_begin(color, TONE_BOLD), c->name, style_end(color, TONE_BOLD));
	if (status_is_over(items, n, now))
		puts(grant_words(words, g, now));
	else
		printf("%s, %s in %s, %s\n", phase_name(g->phase), next.what,
			duration_words(duration, next.at - now),
			instant_format_local(when, sizeof(when), next.at, c->timezone));
}
