/* How far a client is with its customizations: sums the tallies of its databases by day, and prints them as text and
 * JSON. */
#include "curfew/progress.h"
#include "curfew/report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* A go-live this near turns what is left into advice. */
#define NEAR ((instant_t)30 * DAY)

static int time_order(const void *a, const void *b)
{
	const struct sample_tally *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static void tally_add(struct sample_tally *sum, const struct sample_tally *t)
{
	sum->red += t->red;
	sum->yellow += t->yellow;
	sum->green += t->green;
	sum->undecided += t->undecided;
	sum->keep += t->keep;
	sum->replace += t->replace;
	sum->drop += t->drop;
	sum->left += t->left;
}

/* The last tally of each database at that time. */
static struct sample_tally sum_at(const struct samples *samples, instant_t at)
{
	struct sample_tally sum = {.at = at};

	for (size_t i = 0; i < samples->n; i++) {
		const struct sample *s = &samples->items[i];
		size_t n = 0;
		while (n < s->n_tallies && s->tallies[n].at <= at)
			n++;
		if (n)
			tally_add(&sum, &s->tallies[n - 1]);
	}
	return sum;
}

/* Of each day the last time: databases are not sampled in the same second. */
static size_t days_keep(struct sample_tally *items, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || items[i + 1].at / DAY != items[i].at / DAY)
			items[kept++] = items[i];
	return kept;
}

int progress_make(
	struct progress *out, const struct samples *samples, const struct sample_tally *now)
{
	struct progress p = {0};
	size_t room = 1;

	for (size_t i = 0; i < samples->n; i++)
		room += samples->items[i].n_tallies;
	p.items = calloc(room, sizeof(*p.items));
	if (!p.items)
		return -ENOMEM;
	for (size_t i = 0; i < samples->n; i++)
		for (size_t k = 0; k < samples->items[i].n_tallies; k++)
			if (!now || samples->items[i].tallies[k].at < now->at)
				p.items[p.n++].at = samples->items[i].tallies[k].at;
	if (p.n)
		qsort(p.items, p.n, sizeof(*p.items), time_order);
	p.n = days_keep(p.items, p.n);
	for (size_t i = 0; i < p.n; i++)
		p.items[i] = sum_at(samples, p.items[i].at);
	if (now && p.n && p.items[p.n - 1].at / DAY == now->at / DAY)
		p.items[p.n - 1] = *now;
	else if (now)
		p.items[p.n++] = *now;
	*out = p;
	return 0;
}

void progress_free(struct progress *p)
{
	free(p->items);
	*p = (struct progress){0};
}

const struct sample_tally *progress_last(const struct progress *p)
{
	return p->n ? &p->items[p->n - 1] : NULL;
}

bool tally_is_urgent(const struct sample_tally *t, const struct client *c, instant_t now)
{
	return (t->undecided || t->red) && c->has_go_live && c->go_live > now &&
	       c->go_live - now <= NEAR;
}

const char *tally_words(char buf[TALLY_WORDS_MAX], const struct sample_tally *t,
	const struct client *c, instant_t now)
{
	char when[64] = "";

	if (c && c->has_go_live)
		instant_format_local(when, sizeof(when), c->go_live, c->timezone);
	snprintf(buf, TALLY_WORDS_MAX,
		"%llu of %llu custom objects are left%s%s: %llu undecided, %llu to replace, %llu to drop; %llu red",
		(unsigned long long)t->left, (unsigned long long)tally_all(t),
		!*when		   ? ""
		: c->go_live > now ? " before go-live "
				   : " after go-live ",
		when, (unsigned long long)t->undecided, (unsigned long long)t->replace,
		(unsigned long long)t->drop, (unsigned long long)t->red);
	return buf;
}

static int number_cell(struct table *t, uint64_t n)
{
	return table_cellf(t, "%llu", (unsigned long long)n);
}

static int row_print(struct table *t, const struct sample_tally *k)
{
	const uint64_t numbers[] = {
		k->left, k->red, k->yellow, k->green, k->undecided, k->keep, k->replace, k->drop};
	char day[INSTANT_TEXT_MAX];
	int rc = table_row(t, TONE_PLAIN);

	instant_format(day, k->at);
	day[strcspn(day, "T")] = '\0';
	if (!rc)
		rc = table_cell(t, day);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && !rc; i++)
		rc = number_cell(t, numbers[i]);
	return rc;
}

int progress_print(const struct progress *p, FILE *to, size_t lines)
{
	static const struct table_column columns[] = {{"day", 0}, {"left", TABLE_RIGHT},
		{"red", TABLE_RIGHT}, {"yellow", TABLE_RIGHT}, {"green", TABLE_RIGHT},
		{"undecided", TABLE_RIGHT}, {"keep", TABLE_RIGHT}, {"replace", TABLE_RIGHT},
		{"drop", TABLE_RIGHT}};
	size_t n = p->n < lines ? p->n : lines, last = SIZE_MAX;
	struct table *t;
	int rc = table_new(&t, columns, ARRAY_SIZE(columns), to, 0);

	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		size_t at = n > 1 ? i * (p->n - 1) / (n - 1) : p->n - 1;
		if (at != last)
			rc = row_print(t, &p->items[at]);
		last = at;
	}
	if (!rc)
		rc = table_print(t);
	table_free(t);
	return rc;
}

struct json_t *tally_json(const struct sample_tally *t)
{
	return t ? json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "at",
			   instant_json(t->at), "left", (json_int_t)t->left, "red",
			   (json_int_t)t->red, "yellow", (json_int_t)t->yellow, "green",
			   (json_int_t)t->green, "undecided", (json_int_t)t->undecided, "keep",
			   (json_int_t)t->keep, "replace", (json_int_t)t->replace, "drop",
			   (json_int_t)t->drop)
		 : json_null();
}

struct json_t *progress_json(const struct progress *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n && list; i++)
		json_array_append_new(list, tally_json(&p->items[i]));
	return list;
}
