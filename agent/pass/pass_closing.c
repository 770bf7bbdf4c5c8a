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

	array_sort(items, n, sizeof(*items), remembered_compare);
	for (size_t i = 0; i < n; i++) {
		struct remembered *last = kept ? &items[kept - 1] : NULL;
		if (!last || remembered_compare(last, &items[i])) {
			items[kept++] = items[i];
			continue;
		}
		if (items[i].level > last->level)
			last->level = items[i].level;
		last->excess |= items[i].excess;
		/* One of two replicas says nothing about the other one's. */
		if (items[i].made && last->made)
			last->verified = false;
		if (items[i].made && !last->made) {
			last->verified = items[i].verified;
			last->database_id = items[i].database_id;
			last->made = items[i].made;
		}
	}
	return kept;
}

static void level_add(struct remembered *items, size_t *n, const struct verified_level *k)
{
	items[(*n)++] = (struct remembered){k->login, k->database, k->level, false};
}

static void verified_add(struct remembered *items, size_t *n, const struct verified *v)
{
	items[(*n)++] = (struct remembered){.login = v->login,
		.database = v->database,
		.level = v->level,
		.excess = v->result == VERIFICATION_EXCESS,
		.verified = v->result == VERIFICATION_VERIFIED,
		.database_id = v->database_id,
		.made = v->made};
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

	for (size_t i = 0; i < p->levels.n; i++) {
		const struct verified_level *k = &p->levels.items[i];
		if (row_is_missing(items, own, p, server, k->server, k->login, k->database))
			level_add(items, n, k);
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
	size_t n_levels, n_verified;
	const struct verified_level *levels = pass_verified_levels_of(&n_levels, p, server);
	const struct verified *verified = pass_verified_of(&n_verified, p, server);
	const struct server *of = program_server(p->o.program, server);
	bool replicated = of && server_is_replicated(p->o.program, of);
	struct remembered *items =
		calloc((replicated ? p->levels.n + p->verified.n : n_levels + n_verified) + 1,
			sizeof(*items));

	if (!items)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < n_levels; i++)
		level_add(items, n, &levels[i]);
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
	struct sql_closing *c = ARRAY_MORE(w->closings, w->sql.n_closings);

	w->sql.closings = w->closings;
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
		struct source *left;
		size_t n;
		int rc = pass_sources_left(&left, &n, p, g);

		if (rc)
			return rc;
		if (!n || names_equal(last, g->user->login) ||
			!wanted_find(&w->sql.wanted, g->user->login))
			continue;
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
	const struct wanted_server *wanted = &w->sql.wanted;
	int rc = closings_build(&w->due, wanted, &w->sql.claims, wanted->remembered,
		wanted->n_remembered,
		p->first_start || (p->hold[0] && !p->memory_failed && !p->unfiltered));

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
