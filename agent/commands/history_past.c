/* Access past its end: recorded access that should have ended or been reduced before a time, and was confirmed only
 * later. */
#include <string.h>

#include "commands/history_select.h"
#include "curfew/passed_on.h"
#include "curfew/person.h"
#include "curfew/report.h"

static bool is_same(const char *a, const char *b)
{
	return a && b ? names_equal(a, b) : a == b;
}

static bool is_same_access(const struct journal_entry *a, const struct journal_entry *b)
{
	return is_same(a->client, b->client) && is_same(a->login, b->login) &&
	       is_same(a->server, b->server) && is_same(a->database, b->database);
}

/* Only the network was blocked, by its timeout: SQL access did not change. */
static bool is_network_only(const struct journal_entry *e, const struct journal_entry *before)
{
	return e->until == before->until && e->level && before->level &&
	       streq(e->level, before->level) && e->after && streq(e->after, ACCESS_CLOSED);
}

static enum level level_of(const struct journal_entry *e)
{
	for (int l = LEVEL_NONE; e->level && l < LEVEL_FULL; l++)
		if (streq(e->level, level_name((enum level)l)))
			return (enum level)l;
	return LEVEL_FULL;
}

/* After the end a pass that found as much access, or more than was scheduled then, closed nothing. As much, verified, was
 * scheduled again. */
static bool is_settled(const struct journal_entry *e, const struct journal_entry *before)
{
	enum verification v;

	if (is_network_only(e, before))
		return false;
	if (e->at < before->until || !e->outcome || is_verified(e->outcome))
		return true;
	/* Also in the words of journals of 1.0. */
	return verification_parse(&v, e->outcome) && v != VERIFICATION_EXCESS &&
	       level_of(e) < level_of(before);
}

/* What confirms the end where a record settles it. A login that goes on as another person's, with no less, has the same
 * password until one is handed over or nothing is left there of it. */
static const struct journal_entry *closed_by(const struct history_records *r,
	const struct journal_entry *access, const struct journal_entry *settled)
{
	const struct journal_entry *next = access_goes_on(settled, r->access), *handover;

	if (!next || level_of(next) < level_of(access) ||
		!is_another_person(access->before, next->before))
		return settled;
	handover = access_handed_over(next, r->handovers);
	return handover ? handover : access_gone(next, r->access);
}

/* The next record for the same login and database that settles it, or NULL; and a record before it that says that the
 * network was blocked. */
static const struct journal_entry *following(
	const struct journal_entry **network, const struct history_records *r, size_t i)
{
	const struct journal_entries *h = r->access;

	*network = NULL;
	for (size_t k = i + 1; k < h->n; k++) {
		if (!is_same_access(&h->items[i], &h->items[k]))
			continue;
		if (is_settled(&h->items[k], &h->items[i]))
			return closed_by(r, &h->items[i], &h->items[k]);
		if (is_network_only(&h->items[k], &h->items[i]))
			*network = &h->items[k];
	}
	return NULL;
}

/* Printed with the record before it. */
static bool is_continued(const struct journal_entries *h, size_t i)
{
	for (size_t k = i; k-- > 0;)
		if (is_same_access(&h->items[k], &h->items[i]))
			return is_network_only(&h->items[i], &h->items[k]);
	return false;
}

bool history_past_next(
	struct history_past *out, size_t *i, const struct history_records *r, instant_t at)
{
	const struct journal_entries *h = r->access;

	while (*i < h->n) {
		const size_t k = (*i)++;
		const struct journal_entry *e = &h->items[k];
		struct history_past past = {.access = e};

		if (e->at > at || !e->until || e->until > at || !e->level ||
			streq(e->level, level_name(LEVEL_NONE)))
			continue;
		past.closed = following(&past.network, r, k);
		if ((past.closed && past.closed->at <= at) || is_continued(h, k))
			continue;
		*out = past;
		return true;
	}
	return false;
}
