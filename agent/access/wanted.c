/* Scheduled access on one server: the current grants, by login. */
#include <errno.h>
#include <string.h>

#include "access/difference.h"
#include "curfew/calendar.h"

static int login_compare(const void *a, const void *b)
{
	const struct wanted_login *x = a, *y = b;

	return names_compare(x->login, y->login);
}

bool grant_has_narrowed(const struct grant *g, instant_t *at)
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

/* By login; of one login in the order of the grants. */
static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = *(const struct grant *const *)a,
			   *y = *(const struct grant *const *)b;
	int order = names_compare(x->user->login, y->user->login);

	return order ? order : (x > y) - (x < y);
}

static int login_take(struct wanted_server *w, const struct grant *g, bool first)
{
	struct wanted_login *l;
	struct wanted_user *users;

	if (first)
		w->named[w->n_named++] = g->user->login;
	if (g->level == LEVEL_NONE)
		return 0;
	l = w->n_logins ? &w->logins[w->n_logins - 1] : NULL;
	if (!l || !names_equal(l->login, g->user->login)) {
		l = &w->logins[w->n_logins++];
		*l = (struct wanted_login){.login = g->user->login, .client = g->client->name};
	}
	users = reallocarray(l->users, l->n_users + 1, sizeof(*users));
	if (!users)
		return -ENOMEM;
	users[l->n_users++] = (struct wanted_user){.grant = g};
	l->users = users;
	return 0;
}

/* The names of all, and the logins of those that have access now. */
static int logins_build(struct wanted_server *w)
{
	_cleanup_free_ const struct grant **sorted = calloc(w->n_grants + 1, sizeof(*sorted));
	int rc = 0;

	w->logins = calloc(w->n_grants + 1, sizeof(*w->logins));
	w->named = calloc(w->n_grants + 1, sizeof(*w->named));
	if (!sorted || !w->logins || !w->named)
		return -ENOMEM;
	memcpy(sorted, w->grants, w->n_grants * sizeof(*sorted));
	array_sort(sorted, w->n_grants, sizeof(*sorted), grant_compare);
	for (size_t i = 0; i < w->n_grants && rc == 0; i++)
		rc = login_take(w, sorted[i],
			i == 0 || !names_equal(sorted[i - 1]->user->login, sorted[i]->user->login));
	return rc;
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
	if (!w.grants)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].server == s)
			w.grants[w.n_grants++] = &g->items[i];
	if (logins_build(&w) < 0) {
		wanted_free(&w);
		return -ENOMEM;
	}
	for (size_t i = 0; i < w.n_grants; i++) {
		struct wanted_login key = {.login = w.grants[i]->user->login}, *l;
		instant_t at;
		if (!grant_has_narrowed(w.grants[i], &at))
			continue;
		l = bsearch(&key, w.logins, w.n_logins, sizeof(key), login_compare);
		if (l && at > l->narrowed)
			l->narrowed = at;
	}
	*out = w;
	return 0;
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
