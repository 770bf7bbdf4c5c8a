/* Whether the kernel lets in what a record says is allowed: read where no commit confirms it. */
#include "pass/pass_internal.h"

static bool is_endpoint_of(const struct server *s, const struct endpoint *e)
{
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (!endpoint_compare(&s->endpoints[i], e))
			return true;
	return false;
}

bool pass_is_let_in(const struct firewall_state *s, const struct grant *g,
	const struct source *source, int64_t seconds)
{
	for (size_t i = 0; i < s->n_allows; i++) {
		const struct observed_allow *a = &s->allows[i];
		bool lasts = !a->has_timeout ||
			     (int64_t)(a->remaining_ms / 1000) + FIREWALL_TOLERANCE >= seconds;

		if (lasts && !source_compare(&a->source, source) &&
			is_endpoint_of(g->server, &a->endpoint))
			return true;
	}
	return false;
}

/* An address of the one family has no entry for an endpoint of the other. */
static bool has_a_way(const struct server *s, const struct source *source)
{
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (s->endpoints[i].family == source->family)
			return true;
	return false;
}

bool pass_is_opened(const struct pass *p, const struct firewall_state *s, const struct grant *g)
{
	const instant_t now = p->o.now + (s->read_ms - p->zero_ms) / 1000;

	for (size_t i = 0; i < g->user->n_sources; i++) {
		const struct source *source = &g->user->sources[i];
		instant_t end = user_source_end(g->user, i);

		if (end > g->until)
			end = g->until;
		if (end > now && has_a_way(g->server, source) &&
			!pass_is_let_in(s, g, source, end - now))
			return false;
	}
	return true;
}
