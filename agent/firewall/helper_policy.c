/* The policy of the firewall process, against which it checks each entry. It is built from the whole configuration for
 * any time: a bound that no mistake of the service can exceed. It has all that the process needs of the configuration,
 * which is five times as large, and is not kept. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "curfew/firewall_process.h"

struct policy_user {
	const char *client, *login;
	bool revoked;
};

/* A source of one user, or one that is trusted, on one endpoint. */
struct policy_entry {
	struct source source;
	uint32_t endpoint; /* its number in `guards` */
	uint32_t user;
	instant_t end;
};

struct firewall_policy {
	struct policy_entry *allows, *trusted; /* sorted; users may share a source */
	size_t n_allows, n_trusted;
	struct policy_user *users;
	size_t n_users;
	struct guard *guards; /* sorted, unique */
	size_t n_guards;
	struct pool texts; /* of users and guards */
	unsigned widest4, widest6;
};

/* The end of an entry if everybody who has this source here is revoked. */
#define REVOKED (-1)

static int entry_compare(const void *a, const void *b)
{
	const struct policy_entry *x = a, *y = b;

	if (x->endpoint != y->endpoint)
		return x->endpoint < y->endpoint ? -1 : 1;
	return source_compare(&x->source, &y->source);
}

void firewall_policy_revoke(struct firewall_policy *p, const struct firewall_memory *m)
{
	for (size_t i = 0; i < p->n_users; i++) {
		struct policy_user *u = &p->users[i];

		u->revoked = m && (firewall_memory_find(m, u->client, "") ||
					  firewall_memory_find(m, u->client, u->login));
	}
}

static size_t user_entries(const struct user *u, const struct server *s)
{
	size_t n = 0;

	for (size_t e = 0; e < s->n_endpoints; e++)
		for (size_t i = 0; i < u->n_sources; i++)
			n += u->sources[i].family == s->endpoints[e].family;
	return n;
}

/* Each of the user's sources on each endpoint of its family. */
static void user_entries_add(struct firewall_policy *p, const struct user *u, uint32_t number,
	const struct server *s, instant_t last)
{
	for (size_t e = 0; e < s->n_endpoints; e++) {
		const struct guard *g = guard_find(p->guards, p->n_guards, &s->endpoints[e]);

		for (size_t i = 0; g && i < u->n_sources; i++) {
			instant_t end = user_source_end(u, i);

			if (u->sources[i].family == s->endpoints[e].family)
				p->allows[p->n_allows++] = (struct policy_entry){u->sources[i],
					(uint32_t)(g - p->guards), number, end < last ? end : last};
		}
	}
}

static void client_count(
	size_t *users, size_t *entries, const struct program *p, const struct client *c)
{
	*users += c->n_users;
	for (size_t k = 0; k < p->n_servers; k++)
		for (size_t u = 0; client_uses_server(p, c, &p->servers[k]) && u < c->n_users; u++)
			*entries += user_entries(&c->users[u], &p->servers[k]);
}

static int client_add(struct firewall_policy *out, const struct program *p, const struct client *c)
{
	const size_t first = out->n_users;
	const char *name = pool_text(&out->texts, c->name);

	for (size_t u = 0; u < c->n_users; u++) {
		const char *login = pool_text(&out->texts, c->users[u].login);

		if (!name || !login)
			return -ENOMEM;
		out->users[out->n_users++] = (struct policy_user){name, login, false};
	}
	for (size_t k = 0; k < p->n_servers; k++) {
		if (!client_uses_server(p, c, &p->servers[k]))
			continue;
		for (size_t u = 0; u < c->n_users; u++)
			user_entries_add(
				out, &c->users[u], (uint32_t)(first + u), &p->servers[k], c->end);
	}
	return 0;
}

/* Guards first: what is trusted there names them by number. */
static int servers_add(struct firewall_policy *out, const struct program *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server *s = &p->servers[i];
		const char *name = pool_text(&out->texts, s->name);

		if (!name)
			return -ENOMEM;
		for (size_t e = 0; e < s->n_endpoints; e++)
			out->guards[out->n_guards++] = (struct guard){s->endpoints[e], name};
	}
	if (out->n_guards)
		qsort(out->guards, out->n_guards, sizeof(*out->guards), guard_compare);
	for (size_t i = 0; i < out->n_guards; i++)
		if (!kept || guard_compare(&out->guards[kept - 1], &out->guards[i]) != 0)
			out->guards[kept++] = out->guards[i];
	out->n_guards = kept;
	return 0;
}

static void trusted_add(struct firewall_policy *out, const struct server *s)
{
	for (size_t e = 0; e < s->n_endpoints; e++) {
		const struct guard *g = guard_find(out->guards, out->n_guards, &s->endpoints[e]);

		for (size_t t = 0; g && t < s->n_trusted; t++)
			out->trusted[out->n_trusted++] = (struct policy_entry){
				.source = s->trusted[t], .endpoint = (uint32_t)(g - out->guards)};
	}
}

static int policy_room(struct firewall_policy *policy, const struct program *p)
{
	size_t n = 0, users = 0, guards = 0, trusted = 0;

	for (size_t i = 0; i < p->n_clients; i++)
		client_count(&users, &n, p, &p->clients[i]);
	for (size_t i = 0; i < p->n_servers; i++) {
		guards += p->servers[i].n_endpoints;
		trusted += p->servers[i].n_endpoints * p->servers[i].n_trusted;
	}
	policy->users = calloc(users + 1, sizeof(*policy->users));
	policy->allows = calloc(n + 1, sizeof(*policy->allows));
	policy->guards = calloc(guards + 1, sizeof(*policy->guards));
	policy->trusted = calloc(trusted + 1, sizeof(*policy->trusted));
	return policy->users && policy->allows && policy->guards && policy->trusted ? 0 : -ENOMEM;
}

int firewall_policy_build(
	struct firewall_policy **out, const struct program *p, const struct firewall_memory *memory)
{
	struct firewall_policy *policy = calloc(1, sizeof(*policy));
	int rc = policy ? policy_room(policy, p) : -ENOMEM;

	if (rc == 0)
		rc = servers_add(policy, p);
	for (size_t i = 0; i < p->n_clients && rc == 0; i++)
		rc = client_add(policy, p, &p->clients[i]);
	if (rc < 0) {
		firewall_policy_free(policy);
		return rc;
	}
	for (size_t i = 0; i < p->n_servers; i++)
		trusted_add(policy, &p->servers[i]);
	array_sort(policy->allows, policy->n_allows, sizeof(*policy->allows), entry_compare);
	array_sort(policy->trusted, policy->n_trusted, sizeof(*policy->trusted), entry_compare);
	policy->widest4 = p->settings.widest_prefix4;
	policy->widest6 = p->settings.widest_prefix6;
	firewall_policy_revoke(policy, memory);
	*out = policy;
	return 0;
}

void firewall_policy_free(struct firewall_policy *p)
{
	if (!p)
		return;
	free(p->allows);
	free(p->users);
	free(p->guards);
	free(p->trusted);
	pool_free(&p->texts);
	free(p);
}

/* The first of the equal ones; `n`: none. */
static size_t entry_find(const struct firewall_policy *p, const struct policy_entry *items,
	size_t n, const struct source *s, const struct endpoint *e)
{
	const struct guard *g = guard_find(p->guards, p->n_guards, e);
	struct policy_entry key = {.source = *s};
	size_t at = n;

	if (g) {
		key.endpoint = (uint32_t)(g - p->guards);
		at = array_first(items, n, sizeof(*items), &key, entry_compare);
	}
	return at < n && entry_compare(&items[at], &key) == 0 ? at : n;
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

/* The latest end of those who have this source on this endpoint and are not revoked. 0: no configured client has it. */
static instant_t allow_end(const struct firewall_policy *p, const struct allow *a)
{
	const size_t first = entry_find(p, p->allows, p->n_allows, &a->source, &a->endpoint);
	instant_t end = first < p->n_allows ? REVOKED : 0;

	for (size_t i = first; i < p->n_allows; i++) {
		const struct policy_entry *e = &p->allows[i];

		if (entry_compare(e, &p->allows[first]) != 0)
			break;
		if (!p->users[e->user].revoked && e->end > end)
			end = e->end;
	}
	return end;
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
		entry_find(p, p->trusted, p->n_trusted, &t->source, &t->endpoint) == p->n_trusted)
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
