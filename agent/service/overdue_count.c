/* Counts overdue access by the schedule, the journal's verified levels, and its login inventory. */
#include <errno.h>
#include <string.h>
#include "service/overdue_count.h"

static void overdue_add(
	struct overdue *o, const char *server, const char *login, instant_t since, instant_t now)
{
	if (!o->n++)
		record_printf(o->first, sizeof(o->first), "%s on %s", login, server);
	if (now - since > o->age)
		o->age = now - since;
}

/* The login was verified as removed, so it holds nothing any more. A login that was made again has a tombstone too. */
static bool login_is_gone(const struct identities *ledger, const struct verified_level *p)
{
	bool removed = false;

	for (size_t i = 0; i < ledger->n; i++) {
		const struct identity *k = &ledger->items[i];
		if (!streq(k->server, p->server) || !streq(k->login, p->login))
			continue;
		if (!k->removed)
			return false;
		removed = true;
	}
	return removed;
}

static bool is_ended(const struct grant *g)
{
	return g->level == LEVEL_NONE && g->next_level == LEVEL_NONE && g->phase != PHASE_PENDING;
}

struct overdue_records {
	const struct state_copy *journal;
	const struct identity **living; /* by server and login, letter case aside */
	size_t n_living;
	/* Parallel to its levels and to `living`, behind which is one place for none: the configuration has it. */
	bool *wanted, *named;
};

static int living_compare(const void *a, const void *b)
{
	const struct identity *x = *(const struct identity *const *)a,
			      *y = *(const struct identity *const *)b;
	int c = names_compare(x->server, y->server);

	return c ? c : names_compare(x->login, y->login);
}

/* Its number among those that live; as many as there are: none. */
static size_t living_find(const struct overdue_records *r, const char *server, const char *login)
{
	const struct identity place = {.server = server, .login = login}, *key = &place;
	const struct identity **found =
		r->n_living ? bsearch(&key, r->living, r->n_living, sizeof(key), living_compare)
			    : NULL;

	return found ? (size_t)(found - r->living) : r->n_living;
}

static int records_prepare(struct overdue_records *r, const struct state_copy *journal)
{
	const struct identities *ledger = &journal->identities;

	r->journal = journal;
	r->living = calloc(ledger->n + 1, sizeof(*r->living));
	r->wanted = calloc(journal->levels.n + 1, sizeof(*r->wanted));
	r->named = calloc(ledger->n + 1, sizeof(*r->named));
	if (!r->living || !r->wanted || !r->named)
		return -ENOMEM;
	for (size_t i = 0; i < ledger->n; i++)
		if (!ledger->items[i].removed)
			r->living[r->n_living++] = &ledger->items[i];
	array_sort(r->living, r->n_living, sizeof(*r->living), living_compare);
	return 0;
}

static void records_free(struct overdue_records *r)
{
	free(r->named);
	free(r->wanted);
	free(r->living);
}

/* More than the schedule by its level, or, where nothing may be left, a user of the database or the login. */
static bool grant_is_overdue(struct overdue_records *r, const struct grant *g, instant_t *at)
{
	const struct verified_level *p = verified_level_find(&r->journal->levels, g);
	size_t n = 0;
	const struct verified *v = is_ended(g) ? state_copy_verified(&n, r->journal, g) : NULL;
	bool overdue = p && p->level > g->level;

	if (p)
		r->wanted[p - r->journal->levels.items] = true;
	*at = p ? p->at : n ? v->at : 0;
	for (size_t i = 0; i < n; i++)
		overdue |= v[i].result == VERIFICATION_EXCESS;
	return overdue;
}

/* The grants of one login on one server. Without any access of its own the login must be gone. */
static void login_sum(struct overdue *o, struct overdue_records *r, const struct grant *grants,
	size_t n, instant_t now)
{
	size_t living = living_find(r, grants[0].server->name, grants[0].user->login);
	bool ended = true;
	instant_t last = 0, at;
	size_t before = o->n;

	for (size_t i = 0; i < n; i++) {
		const struct grant *g = &grants[i];
		/* A revocation leaves `until` as it was. */
		instant_t since = g->level == LEVEL_NONE && g->until <= now ? g->until : g->from;

		ended = ended && is_ended(g);
		last = since > last ? since : last;
		if (grant_is_overdue(r, g, &at))
			overdue_add(o, g->server->name, g->user->login,
				since > 0 && since <= now ? since : at, now);
	}
	r->named[living] = true;
	if (living < r->n_living && ended && o->n == before)
		overdue_add(o, grants[0].server->name, grants[0].user->login,
			last > 0 && last <= now ? last : now, now);
}

/* Since when a login has had no access: by the last record of its levels, or it never had any since it was made. */
static instant_t idle_since(
	const struct overdue_records *r, const struct identity *login, instant_t now)
{
	instant_t since = 0;

	for (size_t i = 0; i < r->journal->levels.n; i++) {
		const struct verified_level *p = &r->journal->levels.items[i];
		if (p->at > since && streq(p->server, login->server) &&
			names_equal(p->login, login->login))
			since = p->at;
	}
	/* By the server's clock. */
	since = since ? since : login->created;
	return since > 0 && since < now ? since : now;
}

/* Whoever left the configuration is known only from the records. */
static void formers_sum(struct overdue *o, struct overdue_records *r, instant_t now)
{
	const struct verified_level_list *levels = &r->journal->levels;

	for (size_t i = 0; i < levels->n; i++) {
		const struct verified_level *p = &levels->items[i];

		if (r->wanted[i] || p->level == LEVEL_NONE ||
			login_is_gone(&r->journal->identities, p))
			continue;
		overdue_add(o, p->server, p->login, p->at, now);
		r->named[living_find(r, p->server, p->login)] = true;
	}
	for (size_t i = 0; i < r->n_living; i++)
		if (!r->named[i])
			overdue_add(o, r->living[i]->server, r->living[i]->login,
				idle_since(r, r->living[i], now), now);
}

static void overdue_sum(
	struct overdue *o, struct overdue_records *r, const struct grants *grants, instant_t now)
{
	for (size_t i = 0, n; i < grants->n; i += n) {
		const struct grant *g = &grants->items[i];

		for (n = 1; i + n < grants->n && g[n].user == g->user && g[n].server == g->server;)
			n++;
		login_sum(o, r, g, n, now);
	}
	formers_sum(o, r, now);
}

void overdue_count(struct overdue *out, const struct state_copy *journal,
	const struct grants *grants, instant_t now)
{
	struct overdue_records r = {0};
	struct overdue o = {0};

	out->unknown = true;
	if (journal && records_prepare(&r, journal) == 0) {
		overdue_sum(&o, &r, grants, now);
		*out = o;
	}
	records_free(&r);
}
