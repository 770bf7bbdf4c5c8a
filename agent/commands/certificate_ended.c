/* When the end of access was confirmed, by the records of access. */
#include "commands/certificate_ended.h"

#include <string.h>

#include "curfew/clock_resets.h"

static bool is_same_place(const struct journal_entry *a, const struct journal_entry *b)
{
	return names_equal(a->login, b->login) && streq(a->server, b->server) &&
	       names_equal(a->database, b->database);
}

struct search {
	const struct collected *collected;
	const struct certificate_scope *scope;
	struct clock_resets resets;
};

/* What a clock recorded that was ahead by mistake confirms nothing; practice may record future times. */
static bool is_ahead(const struct search *k, const struct journal_entry *e)
{
	return !k->collected->report.program->settings.practice &&
	       (e->at > k->collected->report.at || clock_resets_refute(&k->resets, e));
}

static bool is_place_of(const struct search *k, const struct journal_entry *e)
{
	if (is_ahead(k, e))
		return false;
	return e->kind == JOURNAL_ACCESS && e->login && e->server && e->database && e->level &&
	       scope_has(k->scope, e->login);
}

static bool is_gone(const struct journal_entry *e)
{
	return streq(e->level, level_name(LEVEL_NONE)) && (!e->outcome || is_verified(e->outcome));
}

static instant_t ended_find(const struct search *search)
{
	const struct journal_entries *h = &search->collected->history;
	instant_t last = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct journal_entry *e = &h->items[i];
		size_t k = i;

		if (!is_place_of(search, e) || !is_gone(e) || e->at <= last)
			continue;
		while (k-- > 0)
			if (is_place_of(search, &h->items[k]) && is_same_place(&h->items[k], e)) {
				if (!is_gone(&h->items[k]))
					last = e->at;
				break;
			}
	}
	return last;
}

instant_t certificate_ended(const struct collected *c, const struct certificate_scope *s,
	const struct journal_entries *events)
{
	struct search search = {.collected = c, .scope = s};
	instant_t ended = 0;

	if (!clock_resets_find(&search.resets, events))
		ended = ended_find(&search);
	free(search.resets.items);
	return ended;
}
