/* Corrections of a clock that was ahead, and the records that they refute: by number, because their times are wrong. */
#include "curfew/clock_resets.h"

#include <errno.h>
#include <string.h>

static instant_t reset_time(const struct journal_entry *e)
{
	const size_t n = strlen(CLOCK_RESET_DETAIL);
	char *end;

	if (!e->detail || strncmp(e->detail, CLOCK_RESET_DETAIL, n) != 0)
		return e->at;
	const long long to = strtoll(e->detail + n, &end, 10);
	return end != e->detail + n ? to : e->at;
}

int clock_resets_take(struct clock_resets *out, const struct journal_entry *event)
{
	if (!event->action || !streq(event->action, CLOCK_RESET))
		return 0;
	/* It was recorded before it was made, and could not be made. */
	if (event->outcome && streq(event->outcome, "failed")) {
		out->n -= out->n > 0;
		return 0;
	}
	struct clock_reset *items = reallocarray(out->items, out->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	out->items = items;
	items[out->n++] = (struct clock_reset){event->id, reset_time(event)};
	return 0;
}

int clock_resets_find(struct clock_resets *out, const struct journal_entries *events)
{
	int rc = 0;

	*out = (struct clock_resets){0};
	for (size_t i = 0; i < events->n && !rc; i++)
		rc = clock_resets_take(out, &events->items[i]);
	return rc;
}

instant_t clock_resets_latest(const struct clock_resets *r, const struct journal_entry *e)
{
	instant_t latest = e->at;

	for (size_t i = 0; i < r->n; i++)
		if (e->id < r->items[i].id && latest > r->items[i].to)
			latest = r->items[i].to;
	return latest;
}

bool clock_resets_refute(const struct clock_resets *r, const struct journal_entry *e)
{
	return clock_resets_latest(r, e) < e->at;
}

void clock_resets_drop(struct journal_entries *all, const struct clock_resets *r)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (clock_resets_refute(r, &all->items[i]))
			journal_entry_free(&all->items[i]);
		else
			all->items[n++] = all->items[i];
	all->n = n;
}
