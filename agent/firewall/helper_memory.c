/* What the lines of the firewall process say together: who is revoked, the journal's head, and the guards in force. */
#include <errno.h>
#include <string.h>
#include "curfew/firewall_record.h"
#include "curfew/schedule.h"

static size_t guard_number(const struct kept_guards *g, const struct endpoint *e)
{
	size_t i = g->n; /* lines about one guard follow each other */

	while (i > 0 && endpoint_compare(&g->items[i - 1].endpoint, e) != 0)
		i--;
	return i ? i - 1 : SIZE_MAX;
}

const struct kept_guard *firewall_memory_guard(
	const struct firewall_memory *m, const struct endpoint *e)
{
	size_t i = guard_number(&m->guards, e);

	return i == SIZE_MAX ? NULL : &m->guards.items[i];
}

static void guard_remove(struct firewall_memory *m, size_t i)
{
	struct kept_guards *g = &m->guards;

	m->n_trusted -= g->items[i].n_trusted;
	free(g->items[i].server);
	free(g->items[i].trusted);
	g->items[i] = g->items[--g->n];
}

static int guard_put(struct firewall_memory *m, const struct firewall_record *r)
{
	struct kept_guards *g = &m->guards;

	if (g->n >= FIREWALL_GUARDS_MAX)
		return -E2BIG;
	char *server = strdup(r->client);
	struct kept_guard *k = server ? ARRAY_MORE(g->items, g->n) : NULL;
	if (!k) {
		free(server);
		return -ENOMEM;
	}
	*k = (struct kept_guard){.server = server, .endpoint = r->endpoint};
	return 0;
}

static int guard_trust(struct firewall_memory *m, size_t i, const struct source *s)
{
	struct kept_guard *k = &m->guards.items[i];

	if (m->n_trusted >= FIREWALL_TRUSTED_MAX)
		return -E2BIG;
	if (ARRAY_ADD(k->trusted, k->n_trusted, *s))
		return -ENOMEM;
	m->n_trusted++;
	return 0;
}

static int guard_add(struct firewall_memory *m, const struct firewall_record *r)
{
	size_t i = guard_number(&m->guards, &r->endpoint);

	if (r->kind == FIREWALL_TRUSTED)
		return i == SIZE_MAX ? 0 : guard_trust(m, i, &r->source);
	if (i != SIZE_MAX)
		guard_remove(m, i);
	return r->kind == FIREWALL_GUARD ? guard_put(m, r) : 0;
}

const struct firewall_record *firewall_memory_find(
	const struct firewall_memory *m, const char *client, const char *login)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct firewall_record *r = &m->revoked[i];
		if (override_is_same(
			    r->client, *r->login ? r->login : NULL, client, *login ? login : NULL))
			return r;
	}
	return NULL;
}

int firewall_memory_add(struct firewall_memory *m, const struct firewall_record *r)
{
	if (r->kind >= FIREWALL_GUARD)
		return guard_add(m, r);
	const struct firewall_record *old =
		r->kind == FIREWALL_HEAD ? NULL : firewall_memory_find(m, r->client, r->login);

	if (r->kind == FIREWALL_HEAD)
		m->head = *r;
	else if (r->kind == FIREWALL_REINSTATED && old)
		m->revoked[old - m->revoked] = m->revoked[--m->n];
	if (r->kind != FIREWALL_REVOKED || old)
		return 0;
	return ARRAY_ADD(m->revoked, m->n, *r);
}

int firewall_memory_read(struct firewall_memory *m, size_t *unreadable, const char *text)
{
	int rc = 0;

	for (const char *line = text; *line && rc == 0;) {
		struct firewall_record r;
		const char *end = strchr(line, '\n');

		if (firewall_record_read(&r, line) < 0)
			++*unreadable;
		else
			rc = firewall_memory_add(m, &r);
		if (rc == -E2BIG) {
			++*unreadable;
			rc = 0;
		}
		line = end ? end + 1 : line + strlen(line);
	}
	return rc;
}

void firewall_memory_free(struct firewall_memory *m)
{
	free(m->revoked);
	kept_guards_free(&m->guards);
	*m = (struct firewall_memory){0};
}
