/* What `curfew status` has read of one grant: its record, its entries in the packet filter, its revocation. */
#include "commands/status_view.h"

#include <string.h>

#include "curfew/report.h"

/* Whether an allowlist entry allows one of the user's addresses to reach the grant's server. */
bool status_is_admitted(const struct firewall_state *s, const struct grant *g)
{
	for (size_t i = 0; i < s->n_allows; i++)
		if (grant_is_behind(g, &s->allows[i].source, &s->allows[i].endpoint))
			return true;
	return false;
}

const struct server *status_unguarded(const struct status_view *seen, const struct program *p,
	const struct client *only, size_t *from)
{
	while (seen->network && *from < p->n_servers) {
		const struct server *s = &p->servers[(*from)++];
		if ((!only || client_uses_server(p, only, s)) && !network_guards(seen->network, s))
			return s;
	}
	return NULL;
}

const struct record *status_record(const struct records *k, const struct grant *g)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		if (r->kind == RECORD_GRANT && streq(r->server, g->server->name) &&
			streq(r->login, g->user->login) && streq(r->database, g->database->name))
			return r;
	}
	return NULL;
}

/* False: unknown, which must never be shown as none. */
bool status_is_seen(const struct record *r)
{
	return r && r->state != STATE_UNREACHABLE && r->grant.seen == ANSWER_YES;
}

bool status_is_residual(const struct record *r)
{
	return r->kind == RECORD_GRANT && r->grant.origin == GRANT_RESIDUAL;
}

const struct override *status_revocation(const struct context *c, const struct grant *g)
{
	for (size_t i = 0; i < c->overrides.n; i++) {
		const struct override *o = &c->overrides.items[i];
		if (override_blocks(o, g->client->name, g->user->login))
			return o;
	}
	return NULL;
}
