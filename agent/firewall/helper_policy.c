/* The policy of the firewall process, against which it checks each entry. It is built from the whole configuration for
 * any time: a bound that no mistake of the service can exceed. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "curfew/firewall_process.h"

struct policy_entry {
	struct source source;
	struct endpoint endpoint;
	instant_t end; /* REVOKED: everybody who has this source here is revoked */
};
#define REVOKED (-1)

struct firewall_policy {
	struct policy_entry *allows, *trusted; /* sorted, unique */
	size_t n_allows, n_trusted;
	struct guard *guards; /* sorted, unique; the names are the program's */
	size_t n_guards;
	unsigned widest4, widest6;
};

static int entry_compare(const void *a, const void *b)
{
	const struct policy_entry *x = a, *y = b;
	int c = endpoint_compare(&x->endpoint, &y->endpoint);

	return c ? c : source_compare(&x->source, &y->source);
}

static bool is_revoked(const struct firewall_memory *m, const char *client, const char *login)
{
	return m && (firewall_memory_find(m, client, "") || firewall_memory_find(m, client, login));
}

/* Calls `f` for each source on each endpoint of the client. */
static void client_walk(const struct program *p, const struct client *c,
	const struct firewall_memory *m, void (*f)(void *, const struct policy_entry *),
	void *context)
{
	for (size_t u = 0; u < c->n_users; u++) {
		instant_t last = is_revoked(m, c->name, c->users[u].login) ? REVOKED : c->end;
		for (size_t k = 0; k < p->n_servers; k++) {
			const struct server *s = &p->servers[k];
			if (!client_uses_server(p, c, s))
				continue;
			for (size_t e = 0; e < s->n_endpoints; e++)
				for (size_t i = 0; i < c->users[u].n_sources; i++) {
					instant_t end = user_source_end(&c->users[u], i);
					struct policy_entry entry = {c->users[u].sources[i],
						s->endpoints[e], end < last ? end : last};
					f(context, &entry);
				}
		}
	}
}

static void count_entry(void *context, const struct policy_entry *e)
{
	(void)e;
	++*(size_t *)context;
}

static void add_entry(void *context, const struct policy_entry *e)
{
	struct firewall_policy *p = context;

	p->allows[p->n_allows++] = *e;
}

/* Merges equal entries; the latest end counts. */
static size_t entries_merge(struct policy_entry *items, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(items, n, sizeof(*items), entry_compare);
	for (size_t i = 0; i < n; i++) {
		if (kept && entry_compare(&items[kept - 1], &items[i]) == 0) {
			if (items[i].end > items[kept - 1].end)
				items[kept - 1].end = items[i].end;
		} else {
			items[kept++] = items[i];
		}
	}
	return kept;
}

static void servers_add(struct firewall_policy *out, const struct program *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server *s = &p->servers[i];
		for (size_t e = 0; e < s->n_endpoints; e++) {
			out->guards[out->n_guards++] = (struct guard){s->endpoints[e], s->name};
			for (size_t t = 0; t < s->n_trusted; t++)
				out->trusted[out->n_trusted++] =
					(struct policy_entry){s->trusted[t], s->endpoints[e], 0};
		}
	}
	if (out->n_guards)
		qsort(out->guards, out->n_guards, sizeof(*out->guards), guard_compare);
	for (size_t i = 0; i < out->n_guards; i++)
		if (!kept || guard_compare(&out->guards[kept - 1], &out->guards[i]) != 0)
			out->guards[kept++] = out->guards[i];
	out->n_guards = kept;
	out->n_trusted = entries_merge(out->trusted, out->n_trusted);
}

int firewall_policy_build(
	struct firewall_policy **out, const struct program *p, const struct firewall_memory *memory)
{
	struct firewall_policy *policy = calloc(1, sizeof(*policy));
	size_t n = 0, guards = 0, trusted = 0;

	if (!policy)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_clients; i++)
		client_walk(p, &p->clients[i], NULL, count_entry, &n);
	for (size_t i = 0; i < p->n_servers; i++) {
		guards += p->servers[i].n_endpoints;
		trusted += p->servers[i].n_endpoints * p->servers[i].n_trusted;
	}
	policy->allows = calloc(n + 1, sizeof(*policy->allows));
	policy->guards = calloc(guards + 1, sizeof(*policy->guards));
	policy->trusted = calloc(trusted + 1, sizeof(*policy->trusted));
	if (!policy->allows || !policy->guards || !policy->trusted) {
		firewall_policy_free(policy);
		return -ENOMEM;
	}
	policy->widest4 = p->settings.widest_prefix4;
	policy->widest6 = p->settings.widest_prefix6;
	for (size_t i = 0; i < p->n_clients; i++)
		client_walk(p, &p->clients[i], memory, add_entry, policy);
	policy->n_allows = entries_merge(policy->allows, policy->n_allows);
	servers_add(policy, p);
	*out = policy;
	return 0;
}

void firewall_policy_free(struct firewall_policy *p)
{
	if (!p)
		return;
	free(p->allows);
	free(p->guards);
	free(p->trusted);
	free(p);
}

static const struct policy_entry *entry_find(const struct policy_entry *items, size_t n,
	const struct source *s, const struct endpoint *e)
{
	struct policy_entry key = {*s, *e, 0};

	return n ? bsearch(&key, items, n, sizeof(key), entry_compare) : NULL;
}

/* The comment is stored in the kernel and printed on terminals, so it must not contain control characters. */
static bool comment_is_sound(const char *comment)
{
	size_t n = strnlen(comment, ALLOW_COMMENT_MAX + 1);

	if (n > ALLOW_COMMENT_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)comment[i] < 0x20 || comment[i] == 0x7f)
			return false;
	return true;
}

const char *firewall_policy_form(const struct firewall_policy *p, const struct allow *a)
{
	if (a->source.family != AF_INET && a->source.family != AF_INET6)
		return "the address family of the source is unknown";
	if (a->source.prefix < (a->source.family == AF_INET ? p->widest4 : p->widest6))
		return "the source prefix is shorter than the configuration allows";
	if (a->endpoint.family != a->source.family)
		return "source and endpoint have different address families";
	if (a->until <= 0)
		return "the timeout is missing";
	return comment_is_sound(a->comment) ? NULL : "the comment is invalid";
}

/* 0: no configured client has this source on this endpoint. */
static instant_t allow_end(const struct firewall_policy *p, const struct allow *a)
{
	const struct policy_entry *e = entry_find(p->allows, p->n_allows, &a->source, &a->endpoint);

	return e ? e->end : 0;
}

const char *firewall_policy_allow(const struct firewall_policy *p, const struct allow *a)
{
	const char *why = firewall_policy_form(p, a);
	instant_t end = allow_end(p, a);

	/* Accepted here: firewall_policy_bound() leaves out the entries of revoked users. */
	if (why || end == REVOKED)
		return why;
	if (end <= 0)
		return "no configured client has this source on this endpoint";
	return a->until > end ? "the timeout is after the end of every client that has this entry"
			      : NULL;
}

bool firewall_policy_confirms(const struct firewall_policy *p, const struct allowlist *w)
{
	for (size_t i = 0; i < w->n_allows; i++)
		if (w->allows[i].until > allow_end(p, &w->allows[i]))
			return false;
	return true;
}

static int observed_compare(const void *key, const void *item)
{
	const struct allow *a = key;
	const struct observed_allow *o = item;
	int c = endpoint_compare(&a->endpoint, &o->endpoint);

	return c ? c : source_compare(&a->source, &o->source);
}

/* Its end in the table, rounded up: the next commit must not find it too late and shorten it again. 0: it is not there. */
static instant_t held_end(const struct firewall_state *held, const struct allow *a, instant_t now)
{
	const struct observed_allow *o = held->n_allows ? bsearch(a, held->allows, held->n_allows,
								  sizeof(*o), observed_compare)
							: NULL;

	return o && o->has_timeout ? now + (instant_t)((o->remaining_ms + 999) / 1000) : 0;
}

size_t firewall_policy_bound(struct allowlist *w, const struct firewall_policy *p,
	const struct firewall_state *held, instant_t now)
{
	size_t kept = 0, bounded = 0;

	for (size_t i = 0; i < w->n_allows; i++) {
		struct allow a = w->allows[i];
		instant_t end = allow_end(p, &a), there = held_end(held, &a, now);

		if (there > end && end != REVOKED)
			end = there;
		if (a.until > end) {
			a.until = end;
			bounded++;
		}
		if (end > 0)
			w->allows[kept++] = a;
	}
	w->n_allows = kept;
	return bounded;
}

static bool is_configured(const struct firewall_policy *p, const struct endpoint *e)
{
	return guard_find(p->guards, p->n_guards, e) != NULL;
}

const char *firewall_policy_server(const struct firewall_policy *p, const struct endpoint *e)
{
	const struct guard *g = guard_find(p->guards, p->n_guards, e);

	return g ? g->server : NULL;
}

const char *firewall_policy_trusted(const struct firewall_policy *p, const struct trusted *t)
{
	/* Endpoints that left the configuration are checked in firewall_policy_list(). */
	if (is_configured(p, &t->endpoint) &&
		!entry_find(p->trusted, p->n_trusted, &t->source, &t->endpoint))
		return "the configuration does not trust this source on this endpoint";
	return comment_is_sound(t->comment) ? NULL : "the comment is malformed";
}

static bool state_has_guard(const struct firewall_state *s, const struct endpoint *e)
{
	return s && guard_find(s->guards, s->n_guards, e);
}

static bool state_has_trusted(const struct firewall_state *s, const struct trusted *t)
{
	for (size_t i = 0; s && i < s->n_trusted; i++)
		if (!endpoint_compare(&s->trusted[i].endpoint, &t->endpoint) &&
			!source_compare(&s->trusted[i].source, &t->source))
			return true;
	return false;
}

const char *firewall_policy_list(const struct firewall_policy *p, const struct allowlist *w,
	const struct firewall_state *held)
{
	for (size_t i = 0; i < p->n_guards; i++)
		if (!guard_find(w->guards, w->n_guards, &p->guards[i].endpoint))
			return "an endpoint of the configuration is not guarded";
	for (size_t i = 0; i < w->n_guards; i++)
		if (!is_configured(p, &w->guards[i].endpoint) &&
			!state_has_guard(held, &w->guards[i].endpoint))
			return "no server of the configuration has this endpoint, and it is not guarded now";
	/* For an endpoint that left the configuration, only sources that the table already trusts may stay. */
	for (size_t i = 0; i < w->n_trusted; i++)
		if (!is_configured(p, &w->trusted[i].endpoint) &&
			!state_has_trusted(held, &w->trusted[i]))
			return "no server of the configuration has this endpoint, and this source is not trusted there now";
	return NULL;
}

bool firewall_policy_keeps(const struct firewall_policy *p, const struct allowlist *w)
{
	for (size_t i = 0; i < w->n_guards; i++)
		if (!is_configured(p, &w->guards[i].endpoint))
			return true;
	for (size_t i = 0; i < w->n_trusted; i++)
		if (!is_configured(p, &w->trusted[i].endpoint))
			return true;
	return false;
}
