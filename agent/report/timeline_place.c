/* Positions in a timeline's picture, and its texts. */
#include "report/timeline.h"

#include <string.h>

double timeline_place(const struct timeline *t, instant_t at, double width)
{
	double place = (double)(at - t->from) / (double)(t->until - t->from) * width;

	return place < 0 ? 0 : place > width ? width : place;
}

bool timeline_month(instant_t *at, struct local_time *local, const struct timeline *t, int nth)
{
	struct local_time l;
	int months;

	if (instant_to_local(&l, t->from, t->client->timezone) < 0)
		return false;
	months = l.year * 12 + l.month + nth;
	l = (struct local_time){.year = months / 12, .month = months % 12 + 1, .day = 1, .hour = 0};
	if (local_to_instant(at, &l, t->client->timezone) < 0 || *at >= t->until)
		return false;
	*local = l;
	return true;
}

enum level timeline_level(const struct timeline *t, size_t database, instant_t at)
{
	for (size_t i = 0; i < t->n_bars; i++) {
		const struct timeline_bar *b = &t->bars[i];

		if (b->database == database && b->from <= at && at < b->until)
			return b->level;
	}
	return LEVEL_NONE;
}

const char *month_name(int month)
{
	static const char *const names[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	return month >= 1 && month <= 12 ? names[month - 1] : "?";
}

bool timeline_shows_write(const struct timeline *t)
{
	for (size_t i = 0; i < t->n_bars; i++)
		if (t->bars[i].level == LEVEL_WRITE)
			return true;
	return false;
}

bool timeline_shows_now(const struct timeline *t)
{
	return t->now >= t->from && t->now <= t->until;
}

const char *distance_words(char buf[WORDS_MAX], instant_t at, instant_t now)
{
	char duration[WORDS_MAX];

	if (at == now)
		snprintf(buf, WORDS_MAX, "now");
	else if (at > now)
		snprintf(buf, WORDS_MAX, "in %.60s", duration_words(duration, at - now));
	else
		snprintf(buf, WORDS_MAX, "%.60s ago", duration_words(duration, now - at));
	return buf;
}

static const struct timeline_mark *mark_find(const struct timeline *t, enum timeline_mark_kind kind)
{
	for (size_t i = 0; i < t->n_marks; i++)
		if (t->marks[i].kind == kind)
			return &t->marks[i];
	return NULL;
}

bool timeline_is_revoked(const struct timeline *t)
{
	const struct timeline_mark *revoked = mark_find(t, MARK_REVOKED);

	return revoked && revoked->at <= t->now &&
	       t->now < client_end(t->client, t->overrides, t->now);
}

const char *timeline_words(char buf[2 * WORDS_MAX], const struct timeline *t)
{
	const char *phase = phase_name(client_phase(t->client, t->overrides, t->now)),
		   *zone = t->client->timezone;
	char distance[WORDS_MAX], when[64];

	if (timeline_is_revoked(t)) {
		snprintf(buf, 2 * WORDS_MAX, "%s since %s", phase_name(PHASE_REVOKED),
			instant_format_local(
				when, sizeof(when), mark_find(t, MARK_REVOKED)->at, zone));
		return buf;
	}
	for (size_t i = 0; i < t->n_marks; i++) {
		const struct timeline_mark *m = &t->marks[i];

		if (m->at <= t->now || m->kind == MARK_REVOKED)
			continue;
		snprintf(buf, 2 * WORDS_MAX, "%s; next: %s %s, %s", phase,
			timeline_mark_name(m->kind), distance_words(distance, m->at, t->now),
			instant_format_local(when, sizeof(when), m->at, zone));
		return buf;
	}
	snprintf(buf, 2 * WORDS_MAX, "%s %s", phase,
		instant_format_local(
			when, sizeof(when), client_end(t->client, t->overrides, t->now), zone));
	return buf;
}
