/* What a reading saves for the next one, and takes from earlier ones: when custom objects were last used, since when they
 * are watched, how many there are, and people's decisions. */
#include "inventory/inventory_internal.h"

#include <errno.h>

static void use_recall(struct inventory *v, const struct sample *s, const struct sample_use *u)
{
	struct inventory_item *i = inventory_called(v, s->server, s->database, u->type, u->name);

	/* Use in the future: the clock was set back. */
	if (!i || u->last <= i->last || u->last > v->at)
		return;
	i->last = u->last;
	i->seen_by = u->source;
}

static void decision_recall(
	struct inventory *v, const struct sample *s, const struct sample_decision *d)
{
	struct inventory_item *i = inventory_called(v, s->server, s->database, d->type, d->name);

	if (!i)
		return;
	i->decision = d->decision;
	i->replacement = d->replacement;
	i->owner = d->owner;
	i->due = d->due;
	i->note = d->note;
}

void inventory_recall(struct inventory *v)
{
	for (size_t k = 0; v->samples && k < v->samples->n; k++) {
		const struct sample *s = &v->samples->items[k];
		for (size_t i = 0; i < s->n_uses; i++)
			use_recall(v, s, &s->uses[i]);
		for (size_t i = 0; i < s->n_decisions; i++)
			decision_recall(v, s, &s->decisions[i]);
	}
}

static bool is_of(const struct inventory_item *i, const char *server, const char *database)
{
	return inventory_is_custom(i) && streq(i->server, server) && streq(i->database, database);
}

/* Jobs and linked servers count with the database that they work for. */
static bool is_counted(const struct inventory *v, const struct inventory_item *i,
	const char *server, const char *database)
{
	if (!inventory_is_custom(i))
		return false;
	if (server)
		return streq(i->server, server) && streq(i->place, database);
	if (*i->place)
		return true;
	for (size_t k = 0; k < v->n_databases; k++)
		if (streq(v->databases[k].server, i->server))
			return v->databases[k].alone;
	return false;
}

bool inventory_is_left(const struct inventory_item *i)
{
	return !i->decision || !streq(i->decision, "keep") || i->color == COLOR_RED;
}

void inventory_tally(struct sample_tally *out, const struct inventory *v, const char *server,
	const char *database)
{
	*out = (struct sample_tally){.at = v->at};
	for (size_t k = 0; k < v->n; k++) {
		const struct inventory_item *i = &v->items[k];
		if (!is_counted(v, i, server, database))
			continue;
		out->red += i->color == COLOR_RED;
		out->yellow += i->color == COLOR_YELLOW;
		out->green += i->color == COLOR_GREEN;
		out->undecided += !i->decision;
		out->keep += i->decision && streq(i->decision, "keep");
		out->replace += i->decision && streq(i->decision, "replace");
		out->drop += i->decision && streq(i->decision, "drop");
		out->left += inventory_is_left(i);
	}
}

static int watches_add(struct sample *out, const struct inventory *v)
{
	out->watches = calloc(INVENTORY_PARTS, sizeof(*out->watches));
	if (!out->watches)
		return -ENOMEM;
	for (int p = 0; p < INVENTORY_PARTS; p++) {
		const enum inventory_part part = (enum inventory_part)p;
		const struct sample_watch *kept =
			inventory_part_kept(v, out->server, out->database, part);
		const char *why;
		struct sample_watch w =
			inventory_part_watch(&why, v, out->server, out->database, part);
		/* Not readable now: keep the watch as it was. A later reading continues it with a gap. */
		if (!w.since && !kept)
			continue;
		if (!w.since)
			w = *kept;
		w.part = v->parts[p];
		out->watches[out->n_watches++] = w;
	}
	return 0;
}

int inventory_sample(
	struct sample *out, const struct inventory *v, const char *server, const char *database)
{
	struct sample s = {.server = server, .database = database, .at = v->at};
	size_t n = 0;

	for (size_t k = 0; k < v->n; k++)
		n += is_of(&v->items[k], server, database) && v->items[k].last;
	s.tallies = calloc(1, sizeof(*s.tallies));
	s.uses = calloc(n + 1, sizeof(*s.uses));
	if (!s.tallies || !s.uses || (n <= SAMPLE_USES_MAX && watches_add(&s, v))) {
		inventory_sample_clear(&s);
		return -ENOMEM;
	}
	inventory_tally(&s.tallies[s.n_tallies++], v, server, database);
	for (size_t k = 0; k < v->n && s.n_uses < SAMPLE_USES_MAX; k++) {
		const struct inventory_item *i = &v->items[k];
		if (is_of(i, server, database) && i->last)
			s.uses[s.n_uses++] =
				(struct sample_use){i->type, i->full, i->seen_by, i->last};
	}
	*out = s;
	return 0;
}

int inventory_decisions(
	struct sample *out, const struct inventory *v, const char *server, const char *database)
{
	const struct sample *before = sample_of(v->samples, server, database);
	struct sample s = {.server = server, .database = database};

	s.decisions = calloc(v->n + (before ? before->n_decisions : 0) + 1, sizeof(*s.decisions));
	if (!s.decisions)
		return -ENOMEM;
	for (size_t k = 0; k < v->n; k++) {
		const struct inventory_item *i = &v->items[k];
		if (is_of(i, server, database) &&
			(i->decision || i->replacement || i->owner || i->due || i->note))
			s.decisions[s.n_decisions++] = (struct sample_decision){i->type, i->full,
				i->decision, i->replacement, i->owner, i->due, i->note};
	}
	for (size_t k = 0; before && k < before->n_decisions; k++) {
		const struct sample_decision *d = &before->decisions[k];
		if (!inventory_called(v, server, database, d->type, d->name))
			s.decisions[s.n_decisions++] = *d;
	}
	*out = s;
	return 0;
}

void inventory_sample_clear(struct sample *s)
{
	free(s->watches);
	free(s->uses);
	free(s->tallies);
	free(s->decisions);
	*s = (struct sample){0};
}
