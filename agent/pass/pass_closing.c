/* Builds, from the journal only, what each server's visit removes before it reads anything. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

static int remembered_compare(const void *a, const void *b)
{
	const struct remembered *x = a, *y = b;
	int c = names_compare(x->login, y->login);

	return c ? c : names_compare(x->database, y->database);
}

/* Merges to one row for each database, with the highest level that was observed or verified. */
static size_t remembered_merge(struct remembered *items, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(items, n, sizeof(*items), remembered_compare);
	for (size_t i = 0; i < n; i++) {
		struct remembered *last = kept ? &items[kept - 1] : NULL;
		if (!last || remembered_compare(last, &items[i])) {
			items[kept++] = items[i];
			continue;
		}
		if (items[i].level > last->level)
			last->level = items[i].level;
		last->excess |= items[i].excess;
	}
	return kept;
}

static void proved_add(struct remembered *items, size_t *n, const struct proved *k)
{
	items[(*n)++] = (struct remembered){k->login, k->database, k->level, false};
}

static void verified_add(struct remembered *items, size_t *n, const struct verified *v)
{
	items[(*n)++] = (struct remembered){
		v->login, v->database, v->level, v->result == VERIFICATION_EXCESS};
}

/* Whether another replica's row stands in for one that this server lacks. Its own are sorted. */
static bool row_is_missing(const struct remembered *own, size_t n, const struct pass *p,
	const char *server, const char *other, const char *login, const char *database)
{
	const struct remembered key = {.login = login, .database = database};

	return pass_are_replicas(p, other, server) && pass_grant(p, server, login, database) &&
	       !(n && bsearch(&key, own, n, sizeof(key), remembered_compare));
}

static void replicas_fill(
	struct remembered *items, size_t *n, const struct pass *p, const char *server)
{
	const size_t own = *n;

	for (size_t i = 0; i < p->proved.n; i++) {
		const struct proved *k = &p->proved.items[i];
		if (row_is_missing(items, own, p, server, k->server, k->login, k->database))
			proved_add(items, n, k);
	}
	for (size_t i = 0; i < p->verified.n; i++) {
		const struct verified *v = &p->verified.items[i];
		if (row_is_missing(items, own, p, server, v->server, v->login, v->database))
			verified_add(items, n, v);
	}
	*n = remembered_merge(items, *n);
}

int pass_remembered(struct remembered **out, size_t *n, const struct pass *p, const char *server)
{
	size_t n_proved, n_verified;
	const struct proved *proved = pass_proved_of(&n_proved, p, server);
	const struct verified *verified = pass_verified_of(&n_verified, p, server);
	const struct server *of = program_server(p->o.program, server);
	bool replicated = of && server_is_replicated(p->o.program, of);
	struct remembered *items =
		calloc((replicated ? p->proved.n + p->verified.n : n_proved + n_verified) + 1,
			sizeof(*items));

	if (!items)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < n_proved; i++)
		proved_add(items, n, &proved[i]);
	for (size_t i = 0; i < n_verified; i++)
		verified_add(items, n, &verified[i]);
	*n = remembered_merge(items, *n);
	if (replicated)
		replicas_fill(items, n, p, server);
	*out = items;
	return 0;
}

static struct sql_closing *closing_push(struct server_work *w)
{
	struct sql_closing *items = array_grown(w->closings, w->sql.n_closings, sizeof(*items));

	if (!items)
		return NULL;
	w->sql.closings = w->closings = items;
	struct sql_closing *c = &items[w->sql.n_closings++];
	*c = (struct sql_closing){0};
	return c;
}

/* A temporary source that ended stays in the file. */
static const char *source_reason(const struct user *u, const struct source *left)
{
	for (size_t i = 0; i < u->n_sources; i++)
		if (!source_compare(&u->sources[i], left))
			return "this temporary source has ended";
	return "this source was removed from the user's file";
}

/* Size 0: none is on record, and the visit asks for the SID of the marked login. */
static struct sid sid_on_record(const struct server_work *w, const char *login)
{
	const struct claims *c = &w->sql.claims;

	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].living && c->items[i].sid.size &&
			streq(c->items[i].server, w->server->name) &&
			names_equal(c->items[i].login, login))
			return c->items[i].sid;
	return (struct sid){0};
}

/* Sources that left the user's file, or ended: end their sessions, and leave the login enabled. */
static int sources_close(struct pass *p, struct server_work *w)
{
	const char *last = "";

	for (size_t i = 0; i < w->sql.wanted.n_grants; i++) {
		const struct grant *g = w->sql.wanted.grants[i];
		const struct wanted_login *l = wanted_find(&w->sql.wanted, g->user->login);
		struct source *left;
		size_t n;

		if (!l || names_equal(last, g->user->login))
			continue;
		int rc = pass_sources_left(&left, &n, p, g);
		if (rc)
			return rc;
		if (n)
			last = g->user->login;
		for (size_t k = 0; k < n; k++) {
			struct sql_closing *c = closing_push(w);
			if (!c)
				return -ENOMEM;
			*c = (struct sql_closing){.login = g->user->login,
				.sid = sid_on_record(w, g->user->login),
				.client = g->client->name,
				.reason = source_reason(g->user, &left[k]),
				.source = &left[k]};
		}
	}
	return 0;
}

int pass_closings_build(struct pass *p, struct server_work *w)
{
	struct remembered *remembered;
	size_t n;
	int rc = pass_remembered(&remembered, &n, p, w->server->name);

	if (rc)
		return rc;
	rc = closings_build(&w->due, &w->sql.wanted, &w->sql.claims, remembered, n,
		p->first_start || (p->hold[0] && !p->memory_failed));
	free(remembered);
	for (size_t i = 0; i < w->due.n && !rc; i++) {
		const struct closing *d = &w->due.items[i];
		struct sql_closing *c = closing_push(w);
		if (!c)
			return -ENOMEM;
		*c = (struct sql_closing){.login = d->login,
			.sid = d->sid,
			.client = d->client,
			.reason = d->reason,
			.since = d->since};
	}
	return rc ? rc : sources_close(p, w);
}

void pass_closings_free(struct server_work *w)
{
	closings_free(&w->due);
	free(w->closings);
}
