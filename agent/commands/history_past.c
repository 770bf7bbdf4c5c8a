/* Access past its end: recorded access that should have ended or been reduced before a time, and was confirmed only
 * later. */
#include <string.h>

#include "commands/history_select.h"
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

/* The next record for the same login and database that is about SQL, or NULL; and a record before it that says that
 * the network was blocked. */
static const struct journal_entry *following(
	const struct journal_entry **network, const struct journal_entries *h, size_t i)
{
	*network = NULL;
	for (size_t k = i + 1; k < h->n; k++) {
		if (!is_same_access(&h->items[i], &h->items[k]))
			continue;
		if (!is_network_only(&h->items[k], &h->items[i]))
			return &h->items[k];
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
	struct history_past *out, size_t *i, const struct journal_entries *h, instant_t at)
{
	while (*i < h->n) {
		const size_t k = (*i)++;
		const struct journal_entry *e = &h->items[k];
		struct history_past past = {.access = e};

		if (e->at > at || !e->until || e->until > at || !e->level ||
			streq(e->level, level_name(LEVEL_NONE)))
			continue;
		past.closed = following(&past.network, h, k);
		if ((past.closed && past.closed->at <= at) || is_continued(h, k))
			continue;
		*out = past;
		return true;
	}
	return false;
}
