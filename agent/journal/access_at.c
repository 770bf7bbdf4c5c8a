/* Who had which access at a time, by the records of access of one file, or of the journal and its archives together.
 *
 * The files overlap in time: a clock that was ahead leaves records of later times before earlier ones, and an archive
 * carries access in effect over, with its original time, to the end of the journal, behind what the next archive takes. So
 * the records of all files decide together. Ids go on from an archive to the file that follows it. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

/* A file whose name changed only in letter case is the same client's. */
static int place_compare(const struct journal_entry *a, const struct journal_entry *b)
{
	const char *const x[] = {a->client, a->login, a->server, a->database};
	const char *const y[] = {b->client, b->login, b->server, b->database};
	int order = 0;

	for (size_t i = 0; i < ARRAY_SIZE(x) && !order; i++)
		order = names_compare(x[i] ? x[i] : "", y[i] ? y[i] : "");
	return order;
}

static int entry_compare(const void *a, const void *b)
{
	const struct journal_entry *x = a, *y = b;
	int order = place_compare(x, y);

	if (!order)
		order = (x->at > y->at) - (x->at < y->at);
	return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* Access that was carried over stands in two files. */
static bool is_replaced(const struct journal_entry *e, const struct journal_entry *next)
{
	return e->at == next->at && place_compare(e, next) == 0;
}

void access_entries_sort(struct journal_entries *all)
{
	size_t n = 0;

	if (all->n)
		qsort(all->items, all->n, sizeof(all->items[0]), entry_compare);
	for (size_t i = 0; i < all->n; i++) {
		if (i + 1 < all->n && is_replaced(&all->items[i], &all->items[i + 1]))
			journal_entry_free(&all->items[i]);
		else
			all->items[n++] = all->items[i];
	}
	all->n = n;
}

static bool is_held(const struct journal_entry *e, instant_t at)
{
	const bool excess =
		e->outcome && (streq(e->outcome, "excess") || streq(e->outcome, "refuted"));

	return excess || (!streq(e->level ? e->level : "", "none") && e->until > at);
}

int access_entries_at(struct journal_entries *out, const struct journal_entries *all, instant_t at)
{
	*out = (struct journal_entries){.items = calloc(all->n + 1, sizeof(*out->items))};
	if (!out->items)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++) {
		const struct journal_entry *e = &all->items[i], *next = e + 1;
		const bool is_last = i + 1 == all->n || next->at > at || place_compare(e, next);

		if (e->at <= at && is_last && is_held(e, at))
			out->items[out->n++] = *e;
	}
	return 0;
}

int journal_covers(bool *out, struct journal *j, instant_t at)
{
	struct link anchor;
	instant_t archived;
	int rc = chain_anchor(&anchor, &archived, j);

	if (!rc)
		*out = at >= archived;
	return rc;
}

int journal_access_at(
	struct journal *j, instant_t at, const char *client, journal_fn each, void *context)
{
	const struct journal_filter f = {.client = client, .kind = JOURNAL_ACCESS};
	struct journal_entries all = {0}, held = {0};
	bool covers = false;
	int rc = journal_covers(&covers, j, at);

	if (!rc && !covers)
		rc = -ENODATA;
	if (!rc)
		rc = journal_read(j, &f, journal_entries_keep, &all);
	access_entries_sort(&all);
	if (!rc)
		rc = access_entries_at(&held, &all, at);
	for (size_t i = 0; i < held.n && !rc; i++)
		rc = each(context, &held.items[i]);
	free(held.items);
	journal_entries_free(&all);
	return rc;
}
