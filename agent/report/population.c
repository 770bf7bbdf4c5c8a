/* Derives periods of access from records of access: a period starts with the first record that gives access and ends
 * with the first that does not. */
#include "curfew/population.h"
#include "curfew/report.h"

#include <errno.h>
#include <string.h>

static bool is_given(const struct journal_entry *e)
{
	return e->level && (!streq(e->level, level_name(LEVEL_NONE)) ||
				   (e->outcome && !is_verified(e->outcome)));
}

static int text_compare(const char *a, const char *b)
{
	return names_compare(a ? a : "", b ? b : "");
}

static int place_compare(const struct journal_entry *a, const struct journal_entry *b)
{
	int c = text_compare(a->client, b->client);

	if (!c)
		c = text_compare(a->login, b->login);
	if (!c)
		c = text_compare(a->server, b->server);
	return c ? c : text_compare(a->database, b->database);
}

static int entry_compare(const void *a, const void *b)
{
	const struct journal_entry *x = *(const struct journal_entry *const *)a,
				   *y = *(const struct journal_entry *const *)b;
	int c = place_compare(x, y);

	if (!c)
		c = (x->at > y->at) - (x->at < y->at);
	return c ? c : (x->id > y->id) - (x->id < y->id);
}

/* A proof of more than the access that was left is no evidence of its end. */
static bool level_is_within(const char *level, const char *most)
{
	for (int l = LEVEL_NONE; level && most && l <= LEVEL_FULL; l++) {
		if (streq(level, level_name((enum level)l)))
			return true;
		if (streq(most, level_name((enum level)l)))
			return false;
	}
	return false;
}

static const struct journal_entry *proof_find(
	const struct journal_entries *proofs, const struct journal_entry *e)
{
	for (size_t i = 0; i < proofs->n; i++) {
		const struct journal_entry *p = &proofs->items[i];
		if (p->at >= e->at && is_verified(p->outcome) &&
			level_is_within(p->level, e->level) && !text_compare(p->login, e->login) &&
			!text_compare(p->server, e->server) &&
			(!p->database || !text_compare(p->database, e->database)))
			return p;
	}
	return NULL;
}

/* Whether a record continues this period. */
static bool row_goes_on(const struct population_row *r, const struct journal_entry *e)
{
	return is_given(e) && !place_compare(r->last, e) && streq(r->last->level, e->level);
}

static void row_end(struct population_row *r, const struct journal_entry *e,
	const struct journal_entries *proofs, instant_t now)
{
	instant_t until = now;

	if (e) {
		r->end = e;
		r->ended = until = e->at;
		r->proof = proof_find(proofs, e);
	}
	if (r->due && until > r->due)
		r->late = until - r->due;
}

static bool row_is_within(const struct population_row *r, const struct population *p)
{
	return r->opened < p->to && (!r->ended || r->ended > p->from);
}

static void row_person(struct population_row *r)
{
	if (!person_parse(&r->person, r->last->before) && r->first != r->last)
		person_parse(&r->person, r->first->before);
}

static void rows_make(struct population *out, const struct journal_entry **sorted, size_t n,
	const struct journal_entries *proofs)
{
	for (size_t i = 0; i < n;) {
		const struct journal_entry *e = sorted[i++];
		struct population_row r = {.first = e, .last = e, .opened = e->at, .due = e->until};

		if (!is_given(e))
			continue;
		for (; i < n && row_goes_on(&r, sorted[i]); i++) {
			r.last = sorted[i];
			r.due = r.last->until;
		}
		row_end(&r, i < n && !place_compare(e, sorted[i]) ? sorted[i] : NULL, proofs,
			out->at);
		if (!row_is_within(&r, out))
			continue;
		row_person(&r);
		out->items[out->n++] = r;
	}
}

int population_make(struct population *out, const struct journal_entries *access,
	const struct journal_entries *proofs)
{
	const struct journal_entry **sorted = calloc(access->n + 1, sizeof(*sorted));
	size_t n = 0;

	out->items = calloc(access->n + 1, sizeof(*out->items));
	out->n = 0;
	if (!sorted || !out->items) {
		free(sorted);
		population_free(out);
		return -ENOMEM;
	}
	for (size_t i = 0; i < access->n; i++)
		if (!out->client || !text_compare(out->client, access->items[i].client))
			sorted[n++] = &access->items[i];
	if (n)
		qsort(sorted, n, sizeof(*sorted), entry_compare);
	rows_make(out, sorted, n, proofs);
	free(sorted);
	return 0;
}

void population_free(struct population *p)
{
	for (size_t i = 0; i < p->n; i++)
		person_free(&p->items[i].person);
	free(p->items);
	p->items = NULL;
	p->n = 0;
}

bool population_is_late(const struct population *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].late)
			return true;
	return false;
}
