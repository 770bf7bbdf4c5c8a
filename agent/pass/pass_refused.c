/* What servers refuse to give to logins in addition. Each attempt disables the login and ends its sessions until what
 * it gets is verified, so a refusal is kept in memory from pass to pass: whoever works is not disconnected every few
 * minutes for nothing. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "pass/pass_internal.h"

/* For the first time; a refusal at the next attempt doubles it. */
#define REFUSED_FOR  ((instant_t)3600)
#define REFUSED_MOST ((instant_t)86400)

struct refusal {
	char *server, *login, *database, *why;
	char *configuration; /* its digest: what was changed may be what is needed */
	instant_t wait, until;
};

struct refusals {
	struct refusal *items;
	size_t n;
};

static void refusal_free(struct refusal *r)
{
	free(r->server);
	free(r->login);
	free(r->database);
	free(r->why);
	free(r->configuration);
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		refusal_free(&r->items[i]);
	free(r->items);
	free(r);
}

/* A clock that was set back must not prolong it. */
static bool refusal_holds(const struct refusal *r, const struct pass *p)
{
	return p->o.now < r->until && r->until - p->o.now <= r->wait &&
	       streq(r->configuration, p->o.program->digest);
}

/* It holds, or the next attempt at the same is still to come. */
static bool refusal_counts(const struct refusal *r, const struct pass *p)
{
	return r->until - p->o.now <= r->wait && p->o.now - r->until <= REFUSED_MOST &&
	       streq(r->configuration, p->o.program->digest);
}

/* An operator who insists does not prolong it. */
static instant_t wait_after(const struct refusal *r, const struct pass *p)
{
	if (p->o.now < r->until)
		return r->wait;
	return r->wait < REFUSED_MOST / 2 ? 2 * r->wait : REFUSED_MOST;
}

/* Returns how long what is refused anew is to hold. */
static instant_t refusals_tidy(struct refusals *r, const struct pass *p, const struct record *anew)
{
	size_t kept = 0;
	instant_t wait = REFUSED_FOR;

	for (size_t i = 0; i < r->n; i++) {
		struct refusal *k = &r->items[i];
		bool same = streq(k->server, anew->server) && names_equal(k->login, anew->login) &&
			    names_equal(k->database, anew->database);
		bool counts = refusal_counts(k, p);
		if (same && counts)
			wait = wait_after(k, p);
		if (same || !counts)
			refusal_free(k);
		else
			r->items[kept++] = *k;
	}
	r->n = kept;
	return wait;
}

static bool is_addition(enum change_kind kind)
{
	return kind == CHANGE_USER_CREATE || kind == CHANGE_USER_REMAP || kind == CHANGE_MEMBER_ADD;
}

/* The next attempt may meet it no more, or the next reading shows it and nothing is attempted: nothing was refused
 * (https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors). */
static bool passes_by_itself(int code)
{
	enum { READ_ONLY = 3906 };

	return code == READ_ONLY || database_error_words(code);
}

/* Without memory it is tried again. */
void pass_refused_note(struct pass *p, const struct record *r)
{
	bool refused = r->code > 0 && !passes_by_itself(r->code);

	if (!p->o.refusals || !is_addition(r->change.kind) || (!refused && r->state != STATE_OK))
		return;
	if (!*p->o.refusals && !(*p->o.refusals = calloc(1, sizeof(**p->o.refusals))))
		return;
	struct refusals *all = *p->o.refusals;
	instant_t wait = refusals_tidy(all, p, r);
	/* What it gives now it refuses no more. */
	if (!refused)
		return;
	struct refusal *more = reallocarray(all->items, all->n + 1, sizeof(*more));
	if (!more)
		return;
	all->items = more;
	struct refusal *k = &more[all->n];
	*k = (struct refusal){.server = strdup(r->server),
		.login = strdup(r->login),
		.database = strdup(r->database),
		.why = strdup(r->detail),
		.configuration = strdup(p->o.program->digest),
		.wait = wait,
		.until = p->o.now + wait};
	if (k->server && k->login && k->database && k->why && k->configuration)
		all->n++;
	else
		refusal_free(k);
}

int pass_refused_build(struct pass *p, struct server_work *w)
{
	const struct refusals *all = p->o.refusals ? *p->o.refusals : NULL;

	if (!all || !all->n || p->o.insists)
		return 0;
	w->refused = calloc(all->n, sizeof(*w->refused));
	if (!w->refused)
		return -ENOMEM;
	w->sql.wanted.refused = w->refused;
	for (size_t i = 0; i < all->n; i++) {
		const struct refusal *k = &all->items[i];
		struct addition_refused *r = &w->refused[w->sql.wanted.n_refused];
		if (!streq(k->server, w->server->name) || !refusal_holds(k, p))
			continue;
		/* Copies: the pass may learn of more before this server's turn. */
		w->sql.wanted.n_refused++;
		*r = (struct addition_refused){.login = strdup(k->login),
			.database = strdup(k->database),
			.why = strdup(k->why)};
		if (!r->login || !r->database || !r->why)
			return -ENOMEM;
	}
	return 0;
}

void pass_refused_free(struct server_work *w)
{
	for (size_t i = 0; i < w->sql.wanted.n_refused; i++) {
		free(w->refused[i].login);
		free(w->refused[i].database);
		free(w->refused[i].why);
	}
	free(w->refused);
}
