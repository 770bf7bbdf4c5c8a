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

size_t history_past_print(const struct journal_entries *h, instant_t at, FILE *to)
{
	char end[INSTANT_TEXT_MAX], closed[INSTANT_TEXT_MAX], shut[INSTANT_TEXT_MAX];
	const struct journal_entry *network;
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct journal_entry *e = &h->items[i];
		if (e->at > at || !e->until || e->until > at || !e->level ||
			streq(e->level, level_name(LEVEL_NONE)))
			continue;
		const struct journal_entry *next = following(&network, h, i);
		if ((next && next->at <= at) || (i && is_continued(h, i)))
			continue;
		text_printf(to,
			"past its end: %s on %s / %s, %s until %s; not confirmed closed %s%s%s%s\n",
			e->login, e->server, e->database, e->level, instant_format(end, e->until),
			next ? "until " : "so far", next ? instant_format(closed, next->at) : "",
			network ? "; network closed " : "",
			network ? instant_format(shut, network->at) : "");
		n++;
	}
	return n;
}
