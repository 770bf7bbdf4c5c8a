/* Decides which logins to disable before a server is read. It uses only the journal's data, so nothing on the server
 * can delay it. */
#include <errno.h>
#include <string.h>

#include "curfew/access.h"

struct memory {
	const struct wanted_server *w;
	const struct claim **claims; /* not seen removed, on this server, sorted by login */
	size_t n_claims;
	const struct remembered *items;
	size_t n;
	bool unsure;
};

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = *(const struct claim *const *)a,
			   *y = *(const struct claim *const *)b;

	return names_compare(x->login, y->login);
}

static int claims_take(struct memory *m, const struct claims *c)
{
	m->claims = calloc(c->n + 1, sizeof(*m->claims));
	if (!m->claims)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].living && streq(c->items[i].server, m->w->server->name))
			m->claims[m->n_claims++] = &c->items[i];
	array_sort(m->claims, m->n_claims, sizeof(*m->claims), claim_compare);
	return 0;
}

static const struct claim *living_claim(const struct memory *m, const char *login)
{
	const struct claim key = {.login = login}, *at = &key;
	const struct claim **found = m->n_claims ? bsearch(&at, m->claims, m->n_claims,
							   sizeof(*m->claims), claim_compare)
						 : NULL;

	return found ? *found : NULL;
}

/* The remembered access of one login: items[from..to). */
struct memory_span {
	size_t from, to;
};

static int login_compare(const void *item, const void *login)
{
	const struct remembered *r = item;

	return names_compare(r->login, login);
}

static struct memory_span span_of(const struct memory *m, const char *login)
{
	size_t from = array_first(m->items, m->n, sizeof(*m->items), login, login_compare),
	       to = from;

	while (to < m->n && names_equal(m->items[to].login, login))
		to++;
	return (struct memory_span){from, to};
}

static const struct remembered *remembered_find(
	const struct memory *m, struct memory_span s, const struct grant *g)
{
	for (size_t i = s.from; i < s.to; i++)
		if (names_equal(m->items[i].database, g->database->name))
			return &m->items[i];
	return NULL;
}

static int closing_add(struct closings *out, const struct memory *m, const char *login,
	const char *client, instant_t since, const char *reason)
{
	struct closing *c = ARRAY_MORE(out->items, out->n);
	const struct claim *claim = living_claim(m, login);

	if (!c)
		return -ENOMEM;
	*c = (struct closing){
		.login = login, .client = client, .since = since, .reason = strdup(reason)};
	if (claim)
		c->sid = claim->sid;
	return c->reason ? 0 : -ENOMEM;
}

/* Index behind the grants of one login on this server, which the schedule keeps together. */
static size_t login_run(const struct wanted_server *w, size_t from)
{
	size_t to = from + 1;

	while (to < w->n_grants &&
		names_equal(w->grants[to]->user->login, w->grants[from]->user->login))
		to++;
	return to;
}

static bool run_names(const struct wanted_server *w, size_t from, size_t to, const char *database)
{
	for (size_t i = from; i < to; i++)
		if (names_equal(w->grants[i]->database->name, database))
			return true;
	return false;
}

/* A database in which the login still has access although its client's file no longer names the database. */
static const char *database_left(
	const struct memory *m, struct memory_span s, size_t from, size_t to)
{
	for (size_t i = s.from; i < s.to; i++)
		if (m->items[i].level != LEVEL_NONE &&
			!run_names(m->w, from, to, m->items[i].database))
			return m->items[i].database;
	return NULL;
}

static bool has_excess(const struct memory *m, struct memory_span s)
{
	for (size_t i = s.from; i < s.to; i++)
		if (m->items[i].excess)
			return true;
	return false;
}

/* The grant whose scheduled level is below the last known level; NULL: none. */
static const struct grant *narrower(const struct memory *m, struct memory_span s,
	const struct wanted_login *wanted, size_t from, size_t to)
{
	bool known = s.from < s.to || living_claim(m, m->w->grants[from]->user->login);

	/* Without a record, assume the highest level that the grant ever had. A grant that was never reduced cannot
	 * exceed it. */
	if (!known && wanted && (m->unsure || !wanted->narrowed))
		return NULL;
	for (size_t i = from; i < to; i++) {
		const struct grant *g = m->w->grants[i];
		const struct remembered *r = remembered_find(m, s, g);
		enum level level = r ? r->level : known ? LEVEL_NONE : LEVEL_FULL;
		if (level > g->level)
			return g;
	}
	return NULL;
}

static int login_close(struct closings *out, const struct memory *m, size_t from, size_t to)
{
	const struct grant *first = m->w->grants[from];
	const char *login = first->user->login;
	struct memory_span s = span_of(m, login);
	const struct wanted_login *wanted = wanted_find(m->w, login);
	const struct grant *g = narrower(m, s, wanted, from, to);
	const char *left = database_left(m, s, from, to);
	char reason[RECORD_TEXT_MAX];

	if (!g && !wanted && living_claim(m, login))
		g = first;
	if (g)
		grant_reason(reason, sizeof(reason), g);
	else if (has_excess(m, s))
		snprintf(reason, sizeof(reason),
			"its last verification found more than is scheduled");
	else if (left)
		snprintf(reason, sizeof(reason), "access to database [%s] is no longer scheduled",
			left);
	else
		return 0;
	return closing_add(out, m, login, first->client->name, g ? g->from : 0, reason);
}

static int former_close(struct closings *out, const struct memory *m, const char *login)
{
	if (wanted_names(m->w, login))
		return 0;
	return closing_add(out, m, login, NULL, 0,
		"the configuration of this server no longer names the login");
}

/* Logins that the configuration of this server no longer names. */
static int formers_close(struct closings *out, const struct memory *m)
{
	const char *last = NULL;
	int rc = 0;

	for (size_t i = 0; i < m->n_claims && !rc; i++)
		rc = former_close(out, m, m->claims[i]->login);
	for (size_t i = 0; i < m->n && !rc; i++) {
		const char *login = m->items[i].login;

		if (m->items[i].level == LEVEL_NONE || (last && names_equal(last, login)) ||
			living_claim(m, login))
			continue;
		rc = former_close(out, m, login);
		last = login;
	}
	return rc;
}

int closings_build(struct closings *out, const struct wanted_server *w, const struct claims *c,
	const struct remembered *remembered, size_t n_remembered, bool unsure)
{
	struct memory m = {.w = w, .items = remembered, .n = n_remembered, .unsure = unsure};
	struct closings list = {0};
	int rc = claims_take(&m, c);

	for (size_t from = 0, to; from < w->n_grants && !rc; from = to) {
		to = login_run(w, from);
		rc = login_close(&list, &m, from, to);
	}
	if (!rc)
		rc = formers_close(&list, &m);
	free(m.claims);
	if (rc)
		closings_free(&list);
	else
		*out = list;
	return rc;
}

void closings_free(struct closings *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		free(c->items[i].reason);
	free(c->items);
	*c = (struct closings){0};
}
