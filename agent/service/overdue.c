/* Counts overdue access by the schedule, the journal's verified levels, and its login inventory. */
#include <string.h>
#include "service/overdue.h"

static void overdue_add(struct overdue *o, instant_t since, instant_t now)
{
	o->n++;
	if (now - since > o->age)
		o->age = now - since;
}

static int identity_compare(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	return c ? c : strcmp(x->login, y->login);
}

/* The login was verified as removed, so it holds nothing any more. */
static bool login_is_gone(const struct identities *ledger, const struct proved *p)
{
	const struct identity key = {.server = p->server, .login = p->login};
	const struct identity *i =
		ledger->n ? bsearch(&key, ledger->items, ledger->n, sizeof(key), identity_compare)
			  : NULL;

	return i && i->removed;
}

static void overdue_sum(struct overdue *o, const struct proved_list *proved,
	const struct identities *ledger, const struct grants *grants, bool *wanted, instant_t now)
{
	for (size_t i = 0; i < grants->n; i++) {
		const struct grant *g = &grants->items[i];
		const struct proved *p = proved_find(proved, g);
		if (!p)
			continue;
		wanted[p - proved->items] = true;
		if (p->level <= g->level)
			continue;
		/* At level none `until` is when access ended. */
		instant_t since = g->level == LEVEL_NONE ? g->until : g->from;
		overdue_add(o, since > 0 && since <= now ? since : p->at, now);
	}
	/* Grants that left the configuration are known only from the last verification. */
	for (size_t i = 0; i < proved->n; i++)
		if (!wanted[i] && proved->items[i].level != LEVEL_NONE &&
			!login_is_gone(ledger, &proved->items[i]))
			overdue_add(o, proved->items[i].at, now);
}

void overdue_count(struct overdue *out, struct journal *j, const struct program *p,
	const struct overrides *overrides, instant_t now)
{
	struct proved_list proved = {0};
	struct identities ledger = {0};
	struct grants grants = {0};
	bool *wanted = NULL;

	if (j && proved_read(&proved, j) == 0 && ledger_read(&ledger, j) == 0 &&
		schedule_at(&grants, p, overrides, now) == 0)
		wanted = calloc(proved.n + 1, sizeof(*wanted));
	if (wanted) {
		struct overdue o = {0};
		if (ledger.n)
			qsort(ledger.items, ledger.n, sizeof(*ledger.items), identity_compare);
		overdue_sum(&o, &proved, &ledger, &grants, wanted, now);
		*out = o;
	}
	free(wanted);
	grants_free(&grants);
	identities_free(&ledger);
	proved_list_free(&proved);
}
