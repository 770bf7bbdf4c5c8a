/* Whose packets were denied, and why. */
#include "curfew/denied.h"

#include "curfew/report.h"

static bool server_has(const struct server *s, const struct endpoint *e)
{
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (!endpoint_compare(&s->endpoints[i], e))
			return true;
	return false;
}

const struct server *denied_server(const struct program *p, const struct endpoint *e)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (server_has(&p->servers[i], e))
			return &p->servers[i];
	return NULL;
}

bool denied_hint_find(struct denied_hint *out, const struct program *p, const struct client *only,
	const struct source *refused)
{
	bool found = false;

	for (size_t c = 0; c < p->n_clients; c++)
		for (size_t u = 0; u < p->clients[c].n_users && (!only || only == &p->clients[c]);
			u++)
			for (size_t s = 0; s < p->clients[c].users[u].n_sources; s++) {
				const struct source *k = &p->clients[c].users[u].sources[s];
				bool own = source_contains(k, refused->family, refused->addr);
				if (!own && (found || !source_is_near(k, refused)))
					continue;
				*out = (struct denied_hint){.user = &p->clients[c].users[u],
					.client = &p->clients[c],
					.own = own,
					.source = *k};
				if (own)
					return true;
				found = true;
			}
	return found;
}

const struct grant *denied_grant(
	const struct grants *g, const struct user *u, const struct server *s)
{
	const struct grant *best = NULL;

	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].user == u && g->items[i].server == s &&
			(!best || g->items[i].level > best->level))
			best = &g->items[i];
	return best;
}

void denied_hint_words(char buf[RECORD_TEXT_MAX], const struct denied_hint *h,
	const struct grants *g, const struct server *s, enum answer admitted, instant_t now)
{
	char source[SOURCE_TEXT_MAX], words[WORDS_MAX];
	const struct grant *k = s ? denied_grant(g, h->user, s) : NULL;

	if (!h->own)
		record_printf(buf, RECORD_TEXT_MAX,
			"near %s of %s; check whether the address has changed",
			source_format(source, &h->source), h->user->login);
	else if (!k)
		record_printf(buf, RECORD_TEXT_MAX,
			"belongs to %s, who has no database on this server", h->user->login);
	else if (k->level == LEVEL_NONE)
		record_printf(buf, RECORD_TEXT_MAX, "belongs to %s: %s%s%s", h->user->login,
			k->phase == PHASE_REVOKED ? "" : phase_name(k->phase),
			k->phase == PHASE_REVOKED ? "" : ", ", grant_words(words, k, now));
	else if (admitted == ANSWER_YES)
		record_printf(buf, RECORD_TEXT_MAX,
			"belongs to %s, who is allowed now; these packets came before; if it still fails, run `curfew "
			"explain %s %s`",
			h->user->login, h->client->name, h->user->login);
	else
		record_printf(buf, RECORD_TEXT_MAX,
			"belongs to %s, whose access is scheduled now%s; run `curfew explain %s %s`",
			h->user->login,
			admitted == ANSWER_NO ? ", but not allowed by the packet filter" : "",
			h->client->name, h->user->login);
}
