/* Databases that no proof waits for, by an operator's decision: nobody can read them, and Curfew gave nobody access there. */
#include <errno.h>

#include "pass/pass_internal.h"

/* Some end on the server is not verified yet, or is to be verified again. */
static bool is_wanted(const struct pass *p, const struct server_work *w)
{
	const struct wanted_server *wanted = &w->sql.wanted;

	for (size_t i = 0; i < wanted->n_grants; i++) {
		const struct grant *g = wanted->grants[i];
		const struct verified *v = p->works[pass_grant_number(p, g)].verified;

		if (g->level == LEVEL_NONE && g->phase != PHASE_PENDING &&
			(p->o.mode == PASS_AUDIT || !v || v->level != LEVEL_NONE ||
				v->result != VERIFICATION_VERIFIED))
			return true;
	}
	return false;
}

int pass_forgotten_ask(struct pass *p, struct server_work *w)
{
	if (!p->o.journal || !is_wanted(p, w))
		return 0;
	/* Without the decisions less is verified. */
	if (!p->forgotten_read && forgotten_databases_read(&p->forgotten, p->o.journal) == -ENOMEM)
		return -ENOMEM;
	p->forgotten_read = true;
	w->forgotten = calloc(p->forgotten.n + 1, sizeof(*w->forgotten));
	if (!w->forgotten)
		return -ENOMEM;
	w->sql.forgotten = w->forgotten;
	for (size_t i = 0; i < p->forgotten.n; i++)
		if (streq(p->forgotten.items[i].server, w->server->name))
			w->forgotten[w->sql.n_forgotten++] = p->forgotten.items[i].database;
	return 0;
}
