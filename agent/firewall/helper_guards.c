/* The guards that the firewall process remembers, compared with those of its table. */
#include <errno.h>
#include <string.h>
#include "curfew/text.h"
#include "firewall/helper_guards.h"

static int record_print(FILE *to, const struct firewall_record *r)
{
	char line[FIREWALL_RECORD_MAX];
	int rc = firewall_record_write(line, r);

	if (rc == 0)
		fprintf(to, "%s\n", line);
	return rc;
}

int helper_guard_print(FILE *to, const char *server, const struct endpoint *e,
	const struct source *trusted, size_t n, instant_t now)
{
	struct firewall_record r = {.kind = FIREWALL_GUARD, .at = now, .endpoint = *e};

	snprintf(r.client, sizeof(r.client), "%s", server);
	int rc = record_print(to, &r);
	r.kind = FIREWALL_TRUSTED;
	for (size_t i = 0; i < n && rc == 0; i++) {
		r.source = trusted[i];
		rc = record_print(to, &r);
	}
	return rc;
}

static bool guard_is_known(
	const struct kept_guard *k, const struct guard *g, const struct trusted *trusted, size_t n)
{
	/* Whose it was, and who was trusted, was recorded while the configuration named it. */
	if (!g->server)
		return true;
	bool same = streq(k->server, g->server) && k->n_trusted == n;
	for (size_t i = 0; i < n && same; i++)
		same = source_compare(&k->trusted[i], &trusted[i].source) == 0;
	return same;
}

static int guard_tell(FILE *to, const struct firewall_memory *m, const struct guard *g,
	const struct trusted *trusted, size_t n, instant_t now)
{
	const struct kept_guard *known = firewall_memory_guard(m, &g->endpoint);

	if (known && guard_is_known(known, g, trusted, n))
		return 0;
	struct source *sources = calloc(n + 1, sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sources[i] = trusted[i].source;
	/* An older version guarded it: the comment of its sources is the server's name. */
	const char *server = g->server ? g->server : n ? trusted[0].comment : "unknown";
	int rc = helper_guard_print(to, server, &g->endpoint, sources, n, now);
	free(sources);
	return rc;
}

/* First what goes, so that a full memory has room for what comes. */
static int changes_print(
	FILE *to, const struct firewall_memory *m, const struct allowlist *w, instant_t now)
{
	int rc = 0;

	for (size_t i = 0; i < m->guards.n && rc == 0; i++) {
		const struct kept_guard *k = &m->guards.items[i];
		struct firewall_record r = {
			.kind = FIREWALL_UNGUARD, .at = now, .endpoint = k->endpoint};
		snprintf(r.client, sizeof(r.client), "%s", k->server);
		if (!guard_find(w->guards, w->n_guards, &k->endpoint))
			rc = record_print(to, &r);
	}
	/* Both are sorted by endpoint. */
	for (size_t i = 0, t = 0; i < w->n_guards && rc == 0; i++) {
		const struct endpoint *e = &w->guards[i].endpoint;
		while (t < w->n_trusted && endpoint_compare(&w->trusted[t].endpoint, e) < 0)
			t++;
		size_t from = t;
		while (t < w->n_trusted && endpoint_compare(&w->trusted[t].endpoint, e) == 0)
			t++;
		rc = guard_tell(
			to, m, &w->guards[i], from < t ? &w->trusted[from] : NULL, t - from, now);
	}
	return rc;
}

int helper_guards_changes(
	char **out, const struct firewall_memory *m, const struct allowlist *w, instant_t now)
{
	struct text t;

	if (w->n_guards > FIREWALL_GUARDS_MAX || w->n_trusted > FIREWALL_TRUSTED_MAX)
		return -E2BIG;
	if (!text_begin(&t))
		return -ENOMEM;
	int rc = changes_print(t.to, m, w, now);
	char *text = text_end(&t);
	if (rc == 0 && !text)
		rc = -ENOMEM;
	if (rc < 0)
		free(text);
	else
		*out = text;
	return rc;
}

int helper_guards_join(struct firewall_state *held, const struct kept_guards *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		n += g->items[i].n_trusted;
	struct guard *guards =
		reallocarray(held->guards, held->n_guards + g->n + 1, sizeof(*guards));
	if (guards)
		held->guards = guards;
	struct observed_trusted *trusted =
		reallocarray(held->trusted, held->n_trusted + n + 1, sizeof(*trusted));
	if (trusted)
		held->trusted = trusted;
	if (!guards || !trusted)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++) {
		const struct kept_guard *k = &g->items[i];
		guards[held->n_guards++] = (struct guard){.endpoint = k->endpoint};
		for (size_t s = 0; s < k->n_trusted; s++)
			trusted[held->n_trusted++] = (struct observed_trusted){
				.source = k->trusted[s], .endpoint = k->endpoint, .comment = ""};
	}
	qsort(guards, held->n_guards, sizeof(*guards), guard_compare);
	return 0;
}
