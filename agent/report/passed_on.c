/* Whose a login is once the access that was recorded of it has ended in the files. Nothing is removed at the server while
 * the login is written in a file, and only a new password ends what the person before could do. */
#include "curfew/passed_on.h"

#include <string.h>

#include "curfew/report.h"

static bool is_same(const char *a, const char *b)
{
	return names_equal(a ? a : "", b ? b : "");
}

static bool is_same_place(const struct journal_entry *a, const struct journal_entry *b)
{
	return is_same(a->login, b->login) && is_same(a->server, b->server) &&
	       is_same(a->database, b->database);
}

/* By time first and then by number, because an archive carries records over under new numbers. */
static bool is_before(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->at < b->at || (a->at == b->at && a->id < b->id);
}

/* A pass ends the access of the one client in the batch of the other's; older versions took the time of each apart. */
static bool is_together(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->at - b->at <= 1 && b->at - a->at <= 1;
}

bool access_is_given(const struct journal_entry *e)
{
	return e->level && (!streq(e->level, level_name(LEVEL_NONE)) ||
				   (e->outcome && !is_verified(e->outcome)));
}

const struct journal_entry *access_goes_on(
	const struct journal_entry *end, const struct journal_entries *access)
{
	if (access_is_given(end))
		return end;
	for (size_t i = 0; i < access->n; i++) {
		const struct journal_entry *e = &access->items[i];

		if (is_together(e, end) && access_is_given(e) && is_same_place(e, end) &&
			!is_same(e->client, end->client))
			return e;
	}
	return NULL;
}

const struct journal_entry *access_handed_over(
	const struct journal_entry *next, const struct journal_entries *events)
{
	const struct journal_entry *first = NULL;

	for (size_t i = 0; i < events->n; i++) {
		const struct journal_entry *k = &events->items[i];
		/* Records of older versions do not say where. */
		if (k->action && streq(k->action, "handover") && k->at >= next->at &&
			is_same(k->login, next->login) &&
			(!k->server || is_same(k->server, next->server)) &&
			(!first || is_before(k, first)))
			first = k;
	}
	return first;
}

const struct journal_entry *access_gone(
	const struct journal_entry *next, const struct journal_entries *access)
{
	const struct journal_entry *first = NULL;

	for (size_t i = 0; i < access->n; i++) {
		const struct journal_entry *e = &access->items[i];

		if (is_before(next, e) && is_same_place(e, next) &&
			(!first || is_before(e, first)) && !access_goes_on(e, access))
			first = e;
	}
	return first;
}
