/* Durations and coming changes as text. */
#include "curfew/report.h"
#include "curfew/text.h"

#include <string.h>

static const struct {
	int64_t seconds;
	const char *name;
} units[] = {
	{86400, "day"},
	{3600, "hour"},
	{60, "minute"},
	{1, "second"},
};

const char *duration_words(char buf[WORDS_MAX], int64_t seconds)
{
	uint64_t left = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
	size_t first = 0, used = 0;

	while (first + 1 < ARRAY_SIZE(units) && left < (uint64_t)units[first].seconds)
		first++;
	for (size_t i = first; i < ARRAY_SIZE(units) && i < first + 2; i++) {
		uint64_t size = (uint64_t)units[i].seconds, n = left / size;

		left %= size;
		if (n == 0 && i > first)
			break;
		used += (size_t)snprintf(buf + used, WORDS_MAX - used, "%s%llu %s%s",
			used ? " " : "", (unsigned long long)n, units[i].name, n == 1 ? "" : "s");
	}
	return buf;
}

const char *grant_words(char buf[WORDS_MAX], const struct grant *g, instant_t now)
{
	char duration[WORDS_MAX], when[64];
	instant_t at = g->until;

	instant_format_local(when, sizeof(when), at, g->client->timezone);
	if (g->next_level != g->level && at > now)
		snprintf(buf, WORDS_MAX, "%s in %s, %s",
			g->next_level == LEVEL_NONE ? "ends" : level_name(g->next_level),
			duration_words(duration, at - now), when);
	else if (g->phase == PHASE_REVOKED)
		snprintf(buf, WORDS_MAX, "revoked since %s",
			instant_format_local(when, sizeof(when), g->from, g->client->timezone));
	else if (at <= now)
		snprintf(buf, WORDS_MAX,
			g->phase == PHASE_LAPSED ? "lapsed %s: testing ended without a go-live"
						 : "ended %s",
			when);
	else
		snprintf(buf, WORDS_MAX, "no access scheduled");
	return buf;
}

char *user_sources_words(const struct user *u, instant_t now, const char *zone)
{
	char one[SOURCE_TEXT_MAX], until[64];
	const char *before = "";
	struct text text;

	if (!text_begin(&text))
		return NULL;
	for (size_t i = 0; i < u->n_sources; i++) {
		instant_t end = user_source_end(u, i);

		if (end <= now)
			continue;
		fprintf(text.to, "%s%s", before, source_format(one, &u->sources[i]));
		if (end != SOURCE_NO_END)
			fprintf(text.to, " (until %s)",
				instant_format_local(until, sizeof(until), end, zone));
		before = ", ";
	}
	return text_end(&text);
}

bool grant_is_alike(const struct grant *a, const struct grant *b)
{
	if (a->client != b->client || a->phase != b->phase || a->next_level != b->next_level ||
		(a->level == a->next_level) != (b->level == b->next_level))
		return false;
	/* For a revoked grant compare the start, for others the end. */
	return a->phase == PHASE_REVOKED && a->level == a->next_level ? a->from == b->from
								      : a->until == b->until;
}

bool grant_begins_group(const struct grant *items, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (grant_is_alike(&items[k], &items[i]))
			return false;
	return true;
}
