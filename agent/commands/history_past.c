/* Access past its end: recorded access that should have ended or been reduced before a time, and was confirmed only
 * later. */
#include <string.h>

#include "commands/history_select.h"
#include "curfew/report.h"
#include "program/visible_text.h"

static bool is_same(const char *a, const char *b)
{
	return a && b ? names_equal(a, b) : a == b;
}

static bool is_same_access(const struct journal_entry *a, const struct journal_entry *b)
{
	return is_same(a->client, b->client) && is_same(a->login, b->login) &&
	       is_same(a->server, b->server) && is_same(a->database, b->database);
}

/* The next record for the same login and database after the i-th, or NULL. */
static const struct journal_entry *following(const struct journal_entries *h, size_t i)
{
	for (size_t k = i + 1; k < h->n; k++)
		if (is_same_access(&h->items[i], &h->items[k]))
			return &h->items[k];
	return NULL;
}

size_t history_past_print(const struct journal_entries *h, instant_t at, FILE *to)
{
	char end[INSTANT_TEXT_MAX], closed[INSTANT_TEXT_MAX];
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct journal_entry *e = &h->items[i];
		if (e->at > at || !e->until || e->until > at || !e->level ||
			streq(e->level, level_name(LEVEL_NONE)))
			continue;
		const struct journal_entry *next = following(h, i);
		if (next && next->at <= at)
			continue;
		text_printf(to,
			"past its end: %s on %s / %s, %s until %s; not confirmed closed %s%s\n",
			e->login, e->server, e->database, e->level, instant_format(end, e->until),
			next ? "until " : "so far", next ? instant_format(closed, next->at) : "");
		n++;
	}
	return n;
}
