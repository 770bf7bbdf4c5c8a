/* Scheduled access on one server: the current grants, by login. */
#include <errno.h>
#include <string.h>

#include "curfew/access.h"
#include "curfew/calendar.h"

static int login_compare(const void *a, const void *b)
{
	const struct wanted_login *x = a, *y = b;

	return names_compare(x->login, y->login);
}

static struct wanted_login *login_add(struct wanted_server *w, const struct grant *g)
{
	for (size_t i = w->n_logins; i-- > 0;)
		if (names_equal(w->logins[i].login, g->user->login))
			return &w->logins[i];
	struct wanted_login *l = &w->logins[w->n_logins++];
	*l = (struct wanted_login){.login = g->user->login, .client = g->client->name};
	return l;
}

/* Whether the grant was reduced, and when. Sessions from before have too many permissions. */
static bool grant_has_narrowed(const struct grant *g, instant_t *at)
{
	bool narrowed = false;

	if (g->level == LEVEL_READ_ONLY && g->phase == PHASE_LIVE &&
		g->database->before_go_live > LEVEL_READ_ONLY)
		narrowed = true;
	/* A staging grant that ended while the user keeps production access. */
	if (g->level == LEVEL_NONE && g->from > g->client->starts && g->next_level == LEVEL_NONE)
		narrowed = true;
	if (narrowed)
		*at = g->from;
	return narrowed;
}

static int name_compare(const void *a, const void *b)
{
	return names_compare(*(const char *const *)a, *(const char *const *)b);
}

static int named_build(struct wanted_server *w)
{
	size_t kept = 0;

	w->named = calloc(w->n_grants + 1, sizeof(*w->named));
	if (!w->named)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_grants; i++)
		w->named[i] = w->grants[i]->user->login;
	qsort(w->named, w->n_grants, sizeof(*w->named), name_compare);
	for (size_t i = 0; i < w->n_grants; i++)
		if (!kept || !names_equal(w->named[kept - 1], w->named[i]))
			w->named[kept++] = w->named[i];
	w->n_named = kept;
	return 0;
}

bool wanted_names(const struct wanted_server *w, const char *login)
{
	return w->n_named && bsearch(&login, w->named, w->n_named, sizeof(*w->named), name_compare);
}

int wanted_build(struct wanted_server *out, const struct server *s, const struct grants *g)
{
	struct wanted_server w = {.server = s};
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += g->items[i].server == s;
	w.grants = calloc(n + 1, sizeof(*w.grants));
	w.logins = calloc(n + 1, sizeof(*w.logins));
	if (!w.grants || !w.logins)
		goto no_memory;

	/* Grants are sorted by client and login, so those of one login are adjacent. */
	for (size_t i = 0; i < g->n; i++) {
		const struct grant *grant = &g->items[i];
		if (grant->server != s)
			continue;
		w.grants[w.n_grants++] = grant;
		if (grant->level == LEVEL_NONE)
			continue;
		struct wanted_login *l = login_add(&w, grant);
		struct wanted_user *users = reallocarray(l->users, l->n_users + 1, sizeof(*users));
		if (!users)
			goto no_memory;
		users[l->n_users++] = (struct wanted_user){.grant = grant};
		l->users = users;
	}
	qsort(w.logins, w.n_logins, sizeof(*w.logins), login_compare);
	for (size_t i = 0; i < w.n_grants; i++) {
		struct wanted_login key = {.login = w.grants[i]->user->login};
		struct wanted_login *l =
			bsearch(&key, w.logins, w.n_logins, sizeof(key), login_compare);
		instant_t at;
		if (l && grant_has_narrowed(w.grants[i], &at) && at > l->narrowed)
			l->narrowed = at;
	}
	if (named_build(&w))
		goto no_memory;
	*out = w;
	return 0;
no_memory:
	wanted_free(&w);
	return -ENOMEM;
}

void wanted_free(struct wanted_server *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->n_logins; i++)
		free(w->logins[i].users);
	free(w->logins);
	free(w->grants);
	free(w->named);
	*w = (struct wanted_server){0};
}

const struct wanted_login *wanted_find(const struct wanted_server *w, const char *login)
{
	struct wanted_login key = {.login = login};

	return bsearch(&key, w->logins, w->n_logins, sizeof(key), login_compare);
}

void grant_reason(char *buf, size_t size, const struct grant *g)
{
	char from[INSTANT_TEXT_MAX], until[INSTANT_TEXT_MAX];

	if (g->level == LEVEL_NONE)
		snprintf(buf, size, "%s: no access since %s", phase_name(g->phase),
			instant_format(from, g->from));
	else
		snprintf(buf, size, "%s: %s from %s until %s", phase_name(g->phase),
			level_name(g->level), instant_format(from, g->from),
			instant_format(until, g->until));
}
