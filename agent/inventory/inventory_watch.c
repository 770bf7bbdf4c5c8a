/* Since when use of an object would have been seen. A restart resets the server's counters. Samples watch on, and time in
 * which use could have been missed is subtracted. */
#include "inventory/inventory_internal.h"

/* NULL: the part was not read, or it is off. */
static const struct inventory_coverage *part_on(
	const struct inventory *v, const char *server, const char *database, const char *part)
{
	const struct inventory_coverage *c = inventory_coverage_of(v, server, database, part);

	return c && c->seen == ANSWER_YES ? c : NULL;
}

static instant_t later(instant_t a, instant_t b)
{
	return a > b ? a : b;
}

/* Since when the server's counters of a database surely count; 0, with `why`. */
static instant_t counters_since(
	const char **why, const struct inventory *v, const char *server, const char *database)
{
	const struct inventory_coverage *start = part_on(v, server, "", "server-start");
	const struct inventory_coverage *memory = part_on(v, server, database, "memory");
	const struct inventory_coverage *counted = part_on(v, server, database, "counted-since");

	if (!part_on(v, server, database, "index-usage") || !start || !start->since || !counted)
		*why = "the server's counters of use, or its start, could not be read";
	else if (!memory || !memory->since)
		*why = "the database closes when no user is connected (AUTO_CLOSE), which resets its counters";
	else if (!counted->since) /* no counter: it may have begun just now */
		return v->at;
	else
		return later(later(start->since, memory->since), counted->since);
	return 0;
}

/* How far back Query Store knows what ran. */
static instant_t store_since(
	const char **why, const struct inventory *v, const char *server, const char *database)
{
	const struct inventory_coverage *store =
		inventory_coverage_of(v, server, database, "query-store");

	if (!part_on(v, server, database, "query-store-use") || !store ||
		store->seen == ANSWER_UNKNOWN)
		*why = "Query Store could not be read";
	else if (store->seen != ANSWER_YES || !store->since)
		*why = "Query Store is off, nearly full, or does not capture all queries, and the plan cache keeps only recent plans";
	else
		return store->since;
	return 0;
}

void inventory_parts_name(struct inventory *v, const struct vendor *vendor)
{
	static const char *const names[INVENTORY_PARTS] = {
		[PART_COUNTERS] = "index-usage", [PART_STORE] = "query-store"};
	char lists[VENDOR_FINGERPRINT] = "";

	if (vendor)
		vendor_fingerprint(lists, vendor);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		snprintf(v->parts[i], sizeof(v->parts[i]), "%s%s%s", names[i], *lists ? "/" : "",
			lists);
}

const struct sample_watch *inventory_part_kept(const struct inventory *v, const char *server,
	const char *database, enum inventory_part part)
{
	const struct sample *s = sample_of(v->samples, server, database);

	for (size_t i = 0; s && i < s->n_watches; i++)
		if (streq(s->watches[i].part, v->parts[part]))
			return &s->watches[i];
	return NULL;
}

static instant_t replicated(const char **why)
{
	*why = "the database is in an availability group: this server does not count what was used on others";
	return 0;
}

struct sample_watch inventory_part_watch(const char **why, const struct inventory *v,
	const char *server, const char *database, enum inventory_part part)
{
	*why = NULL;
	instant_t since = !part_on(v, server, database, "one-replica") ? replicated(why)
			  : part == PART_COUNTERS ? counters_since(why, v, server, database)
						  : store_since(why, v, server, database);
	const struct sample_watch own = {.since = since, .until = v->at};
	const struct sample_watch *kept = inventory_part_kept(v, server, database, part);

	/* A watch in the future: the clock was set back. */
	if (!since || !kept || kept->until > v->at || kept->since >= since)
		return own;
	struct sample_watch joined = {.since = kept->since, .until = v->at, .gap = kept->gap};
	if (since > kept->until)
		joined.gap += since - kept->until;
	/* The longer counts. */
	return v->at - joined.since - joined.gap > v->at - since ? joined : own;
}

/* Use before the object was created could not be seen. Samples cover only custom objects, so of a changed object of the
 * product only use after the change. An index has no date, but creating it modifies its table. 0: unknown. */
static instant_t item_since(const struct inventory_item *i)
{
	if (streq(i->type, "index"))
		return i->on ? i->on->modified : 0;
	return i->class == CLASS_CHANGED && i->modified > i->created ? i->modified : i->created;
}

/* What neither the counters nor Query Store can see. NULL: its use is seen. Query Store keeps queries: a module without
 * one, or that hides them in dynamic text, runs unseen. */
static const char *unseen(const struct inventory_item *i, bool counted)
{
	static const struct {
		const char *fact, *why;
	} facts[] = {{"no-query", "it holds no query, and Query Store keeps nothing else"},
		{"dynamic-sql", "Query Store does not show who runs dynamic SQL"},
		{"native", "the server does not record the use of natively compiled modules"},
		{"clr", "Query Store keeps nothing of code in assemblies"},
		{"unreadable", "its definition cannot be read, so it may hold no query"}};
	const struct inventory_item *table = i->on ? i->on : i;

	if (counted)
		return inventory_has_fact(table->facts, "uncounted")
			       ? "the server does not count the use of memory-optimized and external tables"
			       : NULL;
	if (!streq(i->type, "procedure") && !streq(i->type, "trigger"))
		return "the server does not record the use of this type";
	for (size_t k = 0; k < ARRAY_SIZE(facts); k++)
		if (inventory_has_fact(i->facts, facts[k].fact))
			return facts[k].why;
	return NULL;
}

struct sample_watch inventory_watch(
	const char **why, const struct inventory *v, const struct inventory_item *i)
{
	bool counted = streq(i->type, "table") || streq(i->type, "index");
	struct sample_watch w = {0};

	*why = unseen(i, counted);
	if (*why)
		return w;
	w = inventory_part_watch(
		why, v, i->server, i->database, counted ? PART_COUNTERS : PART_STORE);
	if (w.since && !item_since(i)) {
		*why = "its creation date is unknown";
		return (struct sample_watch){0};
	}
	if (w.since)
		w.since = later(w.since, item_since(i));
	return w;
}
