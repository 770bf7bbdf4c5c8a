/* Builds the scheduled allowlist from the grants. An entry of one login lasts until its next reduction; entries with
 * the same source and endpoint merge, and the latest time counts. */
#include <errno.h>
#include <string.h>

#include "curfew/allowlist.h"
#include "curfew/comment.h"

/* One source and endpoint of one login, before entries are merged. */
struct entry {
	const struct source *source;
	const struct endpoint *endpoint;
	instant_t until;
	const char *client, *login; /* of a trusted source: the server's name, and no login */
};
struct entries {
	struct entry *items;
	size_t n;
};

static int entries_add(struct entries *list, const struct entry *e)
{
	return ARRAY_ADD(list->items, list->n, *e);
}

static void entries_free(struct entries *list)
{
	free(list->items);
}

static bool entry_same_key(const struct entry *a, const struct entry *b)
{
	return endpoint_compare(a->endpoint, b->endpoint) == 0 &&
	       source_compare(a->source, b->source) == 0;
}

static int entry_compare_names(const struct entry *a, const struct entry *b)
{
	int rc = strcmp(a->client, b->client);

	return rc || !a->login || !b->login ? rc : strcmp(a->login, b->login);
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int rc = endpoint_compare(x->endpoint, y->endpoint);

	if (rc == 0)
		rc = source_compare(x->source, y->source);
	return rc ? rc : entry_compare_names(x, y);
}

/* The names of entries[from..to), each once. The entries are sorted. */
static void comment_make(char *out, const struct entries *list, size_t from, size_t to)
{
	struct comment c;

	comment_begin(&c, out);
	for (size_t i = from; i < to; i++) {
		const struct entry *e = &list->items[i];

		if (i > from && entry_compare_names(e, e - 1) == 0)
			continue;
		comment_add(&c, e->client, e->login);
	}
	comment_end(&c);
}

/* Index behind the entries with the same source and endpoint as entries[from]. */
static size_t entries_run(const struct entries *list, size_t from)
{
	size_t to = from + 1;

	while (to < list->n && entry_same_key(&list->items[from], &list->items[to]))
		to++;
	return to;
}

static void entries_sort(struct entries *list)
{
	if (list->n)
		qsort(list->items, list->n, sizeof(*list->items), entry_compare);
}

static bool server_has_endpoint(const struct server *s, const struct endpoint *e)
{
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (!endpoint_compare(&s->endpoints[i], e))
			return true;
	return false;
}

bool endpoint_is_configured(const struct program *p, const struct endpoint *e)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (server_has_endpoint(&p->servers[i], e))
			return true;
	return false;
}

/* What the entries of one user are made of. */
struct login_grants {
	const struct grant
		*items; /* of the user on all servers, which the schedule keeps together */
	size_t n;
	instant_t now;
	admission_fn admission;
	void *context;
};

/* The address of a listener leads to any of its replicas: who may not enter one of them does not pass there. */
static bool endpoint_is_refused(
	const struct login_grants *l, const struct server *s, const struct endpoint *e)
{
	for (size_t i = 0; l->admission && i < l->n; i++)
		if (l->items[i].server != s && server_has_endpoint(l->items[i].server, e) &&
			l->admission(&l->items[i], l->context) == ADMIT_NOBODY)
			return true;
	return false;
}

/* Every source of the user to every endpoint of the server. A temporary source ends by itself. */
static int add_login(
	struct entries *list, const struct login_grants *l, const struct grant *g, instant_t until)
{
	int rc = 0;

	for (size_t e = 0; e < g->server->n_endpoints; e++) {
		if (endpoint_is_refused(l, g->server, &g->server->endpoints[e]))
			continue;
		for (size_t s = 0; rc == 0 && s < g->user->n_sources; s++) {
			instant_t end = user_source_end(g->user, s);
			struct entry entry = {
				.source = &g->user->sources[s],
				.endpoint = &g->server->endpoints[e],
				.until = end < until ? end : until,
				.client = g->client->name,
				.login = g->user->login,
			};

			if (end > l->now && entry.source->family == entry.endpoint->family)
				rc = entries_add(list, &entry);
		}
	}
	return rc;
}

/* Index behind the grants of one login on one server, which the schedule keeps together. */
static size_t grants_run(const struct grants *g, size_t from)
{
	size_t to = from + 1;

	while (to < g->n && g->items[to].user == g->items[from].user &&
		g->items[to].server == g->items[from].server)
		to++;
	return to;
}

static size_t user_run(const struct grants *g, size_t from)
{
	size_t to = from + 1;

	while (to < g->n && g->items[to].user == g->items[from].user)
		to++;
	return to;
}

/* A login is shared by all databases of its server, so the earliest reduction in any of them ends its entry. */
static bool login_is_admitted(
	instant_t *until, const struct login_grants *l, const struct grant *g, size_t n)
{
	bool admitted = false;

	*until = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		enum admission a = l->admission ? l->admission(&g[i], l->context) : ADMIT;

		if (a == ADMIT_NOBODY)
			return false;
		if (g[i].level == LEVEL_NONE || g[i].until <= l->now)
			continue;
		admitted |= a == ADMIT;
		if (g[i].until < *until)
			*until = g[i].until;
	}
	return admitted;
}

/* Sorted by what they lead to, so that those to be merged are together. */
static int entries_build(struct entries *list, const struct grants *g, instant_t now,
	admission_fn admission, void *context)
{
	int rc = 0;

	for (size_t from = 0, to; rc == 0 && from < g->n; from = to) {
		struct login_grants l = {
			&g->items[from], user_run(g, from) - from, now, admission, context};
		to = from + l.n;
		for (size_t at = from, end; rc == 0 && at < to; at = end) {
			instant_t until;

			end = grants_run(g, at);
			if (login_is_admitted(&until, &l, &g->items[at], end - at))
				rc = add_login(list, &l, &g->items[at], until);
		}
	}
	if (rc == 0)
		entries_sort(list);
	return rc;
}

int allowlist_count(size_t *out, const struct grants *g, instant_t now)
{
	_cleanup_(entries_free) struct entries list = {0};
	int rc = entries_build(&list, g, now, NULL, NULL);

	if (rc < 0)
		return rc;
	*out = 0;
	for (size_t from = 0; from < list.n; from = entries_run(&list, from))
		++*out;
	return 0;
}

static int build_allows(struct allowlist *out, const struct grants *g, instant_t now,
	admission_fn admission, void *context)
{
	_cleanup_(entries_free) struct entries list = {0};
	int rc = entries_build(&list, g, now, admission, context);

	if (rc < 0 || list.n == 0)
		return rc;
	out->allows = calloc(list.n, sizeof(*out->allows));
	if (!out->allows)
		return -ENOMEM;
	for (size_t from = 0, to; from < list.n; from = to) {
		struct allow *a = &out->allows[out->n_allows++];
		char comment[ALLOW_COMMENT_MAX + 1];

		to = entries_run(&list, from);
		a->source = *list.items[from].source;
		a->endpoint = *list.items[from].endpoint;
		for (size_t i = from; i < to; i++)
			if (list.items[i].until > a->until)
				a->until = list.items[i].until;
		comment_make(comment, &list, from, to);
		a->comment = pool_text(&out->texts, comment);
		if (!a->comment)
			return -ENOMEM;
	}
	return 0;
}

static int build_trusted(struct allowlist *out, const struct program *p)
{
	_cleanup_(entries_free) struct entries list = {0};
	int rc = 0;

	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server *server = &p->servers[i];

		for (size_t s = 0; s < server->n_trusted; s++)
			for (size_t e = 0; rc == 0 && e < server->n_endpoints; e++) {
				struct entry entry = {
					.source = &server->trusted[s],
					.endpoint = &server->endpoints[e],
					.client = server->name,
				};

				if (entry.source->family == entry.endpoint->family)
					rc = entries_add(&list, &entry);
			}
	}
	if (rc < 0 || list.n == 0)
		return rc;
	entries_sort(&list);
	out->trusted = calloc(list.n, sizeof(*out->trusted));
	if (!out->trusted)
		return -ENOMEM;
	for (size_t from = 0, to; from < list.n; from = to) {
		struct trusted *t = &out->trusted[out->n_trusted++];

		to = entries_run(&list, from);
		t->source = *list.items[from].source;
		t->endpoint = *list.items[from].endpoint;
		comment_make(t->comment, &list, from, to);
	}
	return 0;
}

int guard_compare(const void *a, const void *b)
{
	const struct guard *x = a, *y = b;

	return endpoint_compare(&x->endpoint, &y->endpoint);
}

const struct guard *guard_find(const struct guard *guards, size_t n, const struct endpoint *e)
{
	const struct guard key = {.endpoint = *e};

	return n ? bsearch(&key, guards, n, sizeof(key), guard_compare) : NULL;
}

static int build_guards(struct allowlist *out, const struct program *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_servers; i++)
		n += p->servers[i].n_endpoints;
	if (n == 0)
		return 0;
	out->guards = calloc(n, sizeof(*out->guards));
	if (!out->guards)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < p->n_servers; i++)
		for (size_t e = 0; e < p->servers[i].n_endpoints; e++)
			out->guards[n++] =
				(struct guard){p->servers[i].endpoints[e], p->servers[i].name};
	qsort(out->guards, n, sizeof(*out->guards), guard_compare);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || guard_compare(&out->guards[i], &out->guards[out->n_guards - 1]) != 0)
			out->guards[out->n_guards++] = out->guards[i];
	return 0;
}

int allowlist_build(struct allowlist *out, const struct program *p, const struct grants *g,
	instant_t now, admission_fn admission, void *context)
{
	struct allowlist a = {0};
	int rc = build_allows(&a, g, now, admission, context);

	if (rc == 0)
		rc = build_guards(&a, p);
	if (rc == 0)
		rc = build_trusted(&a, p);
	if (rc < 0) {
		allowlist_free(&a);
		return rc;
	}
	*out = a;
	return 0;
}

void allowlist_free(struct allowlist *a)
{
	free(a->allows);
	free(a->guards);
	free(a->trusted);
	pool_free(&a->texts);
	*a = (struct allowlist){0};
}
