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

int pass_remembered(struct remembered **out, size_t *n, const struct pass *p, const char *server)
{
	size_t n_proved, n_verified;
	const struct proved *proved = pass_proved_of(&n_proved, p, server);
	const struct verified *verified = pass_verified_of(&n_verified, p, server);
	struct remembered *items = calloc(n_proved + n_verified + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	*n = 0;
	for (size_t i = 0; i < n_proved; i++)
		items[(*n)++] = (struct remembered){
			proved[i].login, proved[i].database, proved[i].level, false};
	for (size_t i = 0; i < n_verified; i++)
		items[(*n)++] = (struct remembered){verified[i].login, verified[i].database,
			verified[i].level, verified[i].result == VERIFICATION_EXCESS};
	*n = remembered_merge(items, *n);
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
