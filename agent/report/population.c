/* Derives periods of access from records of access: a period starts with the first record that gives access and ends
 * with the first that does not, or gives another level, is of another person or approval, or shows more than is
 * scheduled. */
#include "curfew/population.h"
#include "curfew/passed_on.h"
#include "curfew/report.h"

#include <errno.h>
#include <string.h>

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

/* By time first and then by number, because an archive carries records over under new numbers. */
static bool is_before(const struct journal_entry *a, const struct journal_entry *b)
{
	return a->at < b->at || (a->at == b->at && a->id < b->id);
}

static bool is_proof_of(const struct journal_entry *p, const struct journal_entry *e)
{
	return is_verified(p->outcome) && level_is_within(p->level, e->level) &&
	       !text_compare(p->login, e->login) && !text_compare(p->server, e->server) &&
	       (!p->database || !text_compare(p->database, e->database));
}

/* The verification that `e` was written for: the last one before it, of the pass that wrote both. If that has none, the
 * first one from then on, but before access is given again. */
static const struct journal_entry *proof_find(const struct journal_entries *proofs,
	const struct journal_entry *last, const struct journal_entry *e, instant_t again)
{
	const struct journal_entry *earlier = NULL, *later = NULL;

	for (size_t i = 0; i < proofs->n; i++) {
		const struct journal_entry *p = &proofs->items[i];
		if (is_before(p, last) || p->at >= again || !is_proof_of(p, e))
			continue;
		if (is_before(p, e))
			earlier = p;
		else if (!later)
			later = p;
	}
	return earlier ? earlier : later;
}

static bool is_excess(const struct journal_entry *e)
{
	enum verification v;

	return e->outcome && verification_parse(&v, e->outcome) && v == VERIFICATION_EXCESS;
}

static bool text_is(const char *a, const char *b)
{
	return streq(a ? a : "", b ? b : "");
}

/* The end of access may move; records of older versions have no person. */
static bool is_same_person(const struct journal_entry *a, const struct journal_entry *b)
{
	struct person x, y;

	if (text_is(a->before, b->before))
		return true;
	bool known = person_parse(&x, a->before),
	     same = !person_parse(&y, b->before) || !known ||
		    (text_is(x.name, y.name) && text_is(x.email, y.email) &&
			    text_is(x.ticket, y.ticket) && text_is(x.approved_by, y.approved_by) &&
			    x.approved == y.approved);
	person_free(&x);
	person_free(&y);
	return same;
}

/* Whether a record continues this period. Past its due time only what is not as scheduled does: the same access, verified,
 * was scheduled again by then. */
static bool row_goes_on(const struct population_row *r, const struct journal_entry *e)
{
	if (!access_is_given(e) || place_compare(r->last, e) || !streq(r->last->level, e->level))
		return false;
	if (r->due && e->at >= r->due)
		return e->outcome && !is_verified(e->outcome);
	return !is_excess(e) && is_same_person(r->last, e);
}

/* When the place has more again than the record leaves. */
static instant_t given_again(const struct journal_entry **sorted, size_t n, size_t i)
{
	for (size_t k = i + 1; k < n && !place_compare(sorted[i], sorted[k]); k++)
		if (access_is_given(sorted[k]) &&
			!level_is_within(sorted[k]->level, sorted[i]->level))
			return sorted[k]->at;
	return INT64_MAX;
}

static bool is_action(const struct journal_entry *e, const char *action)
{
	return e->action && streq(e->action, action);
}

static bool is_revoke(const struct journal_entry *e)
{
	return is_action(e, "revoke") || is_action(e, REVOKE_ARCHIVED);
}

/* Access that was taken away by an operator, or with the client's file, was due then. */
static bool is_taken_away(const struct journal_entry *e, const struct journal_entry *of)
{
	return (is_revoke(e) || is_action(e, "client-removed")) &&
	       !text_compare(e->client, of->client) &&
	       (!e->login || !text_compare(e->login, of->login));
}

/* By time: what an archive carries over stands behind later records. */
static bool is_given_back(const struct journal_entry *e, const struct journal_entry *taken)
{
	const bool back = is_revoke(taken)
				  ? is_action(e, "reinstate") || is_action(e, REINSTATE_ARCHIVED)
				  : is_action(e, "client-added");

	return back && is_before(taken, e) && !text_compare(e->client, taken->client) &&
	       !text_compare(e->login, taken->login);
}

static void row_taken_away(
	struct population_row *r, const struct journal_entries *events, instant_t until)
{
	for (size_t i = 0; i < events->n; i++) {
		const struct journal_entry *e = &events->items[i];
		instant_t back = until;

		if (e->at < r->opened || e->at >= until || !is_taken_away(e, r->first))
			continue;
		for (size_t k = 0; k < events->n; k++)
			if (is_given_back(&events->items[k], e) && events->items[k].at < back)
				back = events->items[k].at;
		if (back - e->at > POPULATION_PASS && back - e->at > r->late) {
			r->late = back - e->at;
			r->due = e->at;
		}
	}
}

/* The row is another person's from `next` on. */
static void row_hand_on(struct population_row *r, const struct journal_entry *next,
	const struct population_records *records)
{
	const struct journal_entry *gone;

	r->proof = NULL;
	r->handover = access_handed_over(next, records->events);
	if (r->handover) {
		r->ended = r->handover->at;
		return;
	}
	gone = access_gone(next, records->access);
	r->continues = r->passed_on = true;
	r->gone = gone ? gone->at : 0;
}

static void row_continue(struct population_row *r, const struct population_records *records)
{
	const struct journal_entry *next = access_goes_on(r->end, records->access);

	if (!next)
		return;
	r->moved_to = next == r->end ? NULL : next;
	if (is_another_person(r->last->before, next->before)) {
		row_hand_on(r, next, records);
	} else if (!r->moved_to && level_is_within(r->last->level, next->level)) {
		r->continues = true;
		r->proof = NULL;
	}
}

static void row_end(struct population_row *r, const struct journal_entry *e, instant_t again,
	const struct population_records *records, instant_t now)
{
	instant_t until = now;

	if (e) {
		r->end = e;
		r->ended = e->at;
		r->proof = proof_find(records->proofs, r->last, e, again);
		row_continue(r, records);
		until = !r->passed_on ? r->ended : r->gone ? r->gone : now;
	}
	/* A pass that began in time confirms it when the server has answered. More than scheduled has no time for that. */
	int64_t over = r->due ? until - r->due : 0;
	if (over > (e && !is_excess(r->first) ? POPULATION_PASS : 0))
		r->late = over;
	row_taken_away(r, records->events, until);
}

/* Who knows the password of another person's login has what that login has. */
static bool row_is_within(const struct population_row *r, const struct population *p)
{
	const instant_t ended = r->passed_on ? r->gone : r->ended;

	return (r->opened < p->to || (r->opened == p->to && p->to == p->at)) &&
	       (!ended || ended >= p->from);
}

static void row_person(struct population_row *r)
{
	if (!person_parse(&r->person, r->last->before) && r->first != r->last)
		person_parse(&r->person, r->first->before);
}

static bool is_configured(const struct program *p, const struct journal_entry *e)
{
	const struct client *c = e->client ? program_client(p, e->client) : NULL;
	bool user = false, database = false;

	for (size_t i = 0; c && i < c->n_users; i++)
		user = user || !text_compare(c->users[i].login, e->login);
	for (size_t i = 0; c && i < c->n_databases; i++)
		database = database || !text_compare(c->databases[i].name, e->database);
	return user && database && e->server && program_server(p, e->server);
}

static void rows_make(struct population *out, const struct journal_entry **sorted, size_t n,
	const struct population_records *records)
{
	for (size_t i = 0; i < n;) {
		const struct journal_entry *e = sorted[i++];
		struct population_row r = {
			.first = e, .last = e, .worst = e, .opened = e->at, .due = e->until};

		if (!access_is_given(e))
			continue;
		/* More than is scheduled was due at once. */
		if (is_excess(e))
			r.due = e->at;
		for (; i < n && row_goes_on(&r, sorted[i]); i++) {
			r.last = sorted[i];
			if (!is_excess(r.worst))
				r.worst = r.last;
			if (!r.due || r.last->at < r.due)
				r.due = r.last->until;
		}
		bool ends = i < n && !place_compare(e, sorted[i]);
		row_end(&r, ends ? sorted[i] : NULL, ends ? given_again(sorted, n, i) : 0, records,
			out->at);
		r.left = !ends && records->program && !is_configured(records->program, e);
		if (!row_is_within(&r, out))
			continue;
		row_person(&r);
		out->items[out->n++] = r;
	}
}

/* What a clock recorded that was ahead by mistake says nothing about today; practice may record future times. */
int population_make(struct population *out, const struct population_records *records)
{
	const struct journal_entries *access = records->access;
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
		if ((!out->client || !text_compare(out->client, access->items[i].client)) &&
			(out->practice || access->items[i].at <= out->at))
			sorted[n++] = &access->items[i];
	if (n)
		qsort(sorted, n, sizeof(*sorted), entry_compare);
	rows_make(out, sorted, n, records);
	free(sorted);
	return 0;
}

void population_free(struct population *p)
{
	for (size_t i = 0; i < p->n; i++)
		person_free(&p->items[i].person);
	lost_records_free(&p->lost);
	free(p->former);
	p->former = NULL;
	p->n_former = 0;
	free(p->items);
	p->items = NULL;
	p->n = 0;
}

bool population_is_late(const struct population *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].late || p->items[i].left || p->items[i].passed_on)
			return true;
	return false;
}

bool population_row_ended(const struct population_row *r)
{
	return r->ended && !r->continues;
}
