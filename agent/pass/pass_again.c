/* A visit whose session was lost in a database, as SQL Server does at damage to it: it is run again, first with one
 * database at a time, and then without each one that has ended it. Each begins to read behind the last of these, so that
 * it comes to the next one at once. Where they are too many for the time that a pass has, a last visit serves those that
 * were read: which that are depends on where the pass has begun, so that in some passes it is each one's turn. */
#include <string.h>

#include "pass/pass_again.h"

/* Visits go again until so many deadlines of a visit are over since the first was lost. */
#define AGAIN_DEADLINES 2

static bool time_is_over(const struct server_work *w)
{
	return monotonic_ms() >= w->again_until;
}

/* False: nothing can be done without it. */
static bool ender_add(struct server_work *w, const struct record *end)
{
	struct sql_ender *e = &w->enders[w->sql.n_enders];

	if (!*end->database || w->sql.no_further)
		return false;
	*e = (struct sql_ender){.database = strdup(end->database), .why = strdup(end->detail)};
	w->sql.n_enders++;
	w->sql.enders = w->enders;
	w->sql.reached = end->state == STATE_UNREAD ? e->database : NULL;
	w->sql.no_further = w->sql.n_enders == MAX_ENDERS || time_is_over(w);
	return e->database && e->why;
}

static bool entry_is_known(const struct server_work *w, const struct record *r)
{
	for (size_t i = 0; i < w->sql.n_entries; i++)
		if (w->entries[i].database == (int)r->entry.database_id &&
			sid_equal(&w->entries[i].sid, &r->entry.sid))
			return true;
	return false;
}

void pass_entry_take(struct server_work *w, const struct record *r)
{
	if (w->entries_lost || entry_is_known(w, r))
		return;
	const struct observed_entry e = {
		.sid = r->entry.sid, .database = (int)r->entry.database_id};
	w->entries_lost =
		w->sql.n_entries >= MAX_ENTRIES || ARRAY_ADD(w->entries, w->sql.n_entries, e) != 0;
	w->sql.entries = w->entries;
}

bool pass_goes_again(struct pass *p, struct server_work *w, const struct record *end)
{
	struct record lost = *end;

	/* Whoever was seen in a copy must not be let in by a visit that does not know it. */
	if (end->code != RECORD_CODE_AGAIN || w->entries_lost)
		return false;
	if (w->sql.apart && !ender_add(w, end))
		return false;
	if (!w->sql.apart)
		w->again_until = monotonic_ms() + (int64_t)w->sql.seconds * 1000 * AGAIN_DEADLINES;
	w->sql.apart = true;
	/* Each of its intents names the database that it is about. */
	RECORD_SET(&lost, database, "");
	pass_unfinished_take(p, w, &lost);
	return true;
}

void pass_again_free(struct server_work *w)
{
	free(w->entries);
	for (size_t i = 0; i < w->sql.n_enders; i++) {
		free(w->enders[i].database);
		free(w->enders[i].why);
	}
}
