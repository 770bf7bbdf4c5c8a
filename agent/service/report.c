/* What the service knows of itself: overdue access, figures. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

static void overdue_add(struct service *s, instant_t since, instant_t now)
{
	s->overdue++;
	if (now - since > s->overdue_age)
		s->overdue_age = now - since;
}

static int identity_compare(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int c = strcmp(x->server, y->server);

	return c ? c : strcmp(x->login, y->login);
}

/* Its login was seen gone: what it last held, it holds no more. */
static bool login_is_gone(const struct identities *ledger, const struct proved *p)
{
	const struct identity key = {.server = p->server, .login = p->login};
	const struct identity *i =
		ledger->n ? bsearch(&key, ledger->items, ledger->n, sizeof(key), identity_compare)
			  : NULL;

	return i && i->removed;
}

/* By what each server last proved, so that a server that never answers again counts as well. */
static void overdue_sum(struct service *s, const struct proved_list *proved,
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
		overdue_add(s, since > 0 && since <= now ? since : p->at, now);
	}
	/* Of those that left the configuration only this is known: they were there then. */
	for (size_t i = 0; i < proved->n; i++)
		if (!wanted[i] && proved->items[i].level != LEVEL_NONE &&
			!login_is_gone(ledger, &proved->items[i]))
			overdue_add(s, proved->items[i].at, now);
}

void service_overdue_count(struct service *s)
{
	struct proved_list proved = {0};
	struct identities ledger = {0};
	struct grants grants = {0};
	instant_t now = service_now(s);
	size_t before = s->overdue;
	bool *wanted = NULL;

	if (proved_read(&proved, s->journal) == 0 && ledger_read(&ledger, s->journal) == 0 &&
		schedule_at(&grants, s->program, &s->overrides, now) == 0)
		wanted = calloc(proved.n + 1, sizeof(*wanted));
	if (wanted) {
		if (ledger.n)
			qsort(ledger.items, ledger.n, sizeof(*ledger.items), identity_compare);
		s->overdue = 0;
		s->overdue_age = 0;
		overdue_sum(s, &proved, &ledger, &grants, wanted, now);
	}
	free(wanted);
	grants_free(&grants);
	identities_free(&ledger);
	proved_list_free(&proved);
	if (s->overdue)
		log_send(LOG_OVERDUE, NULL,
			"%zu grants are past their end or narrowing and not proved closed, the oldest for "
			"%lld s; `curfew status` names them",
			s->overdue, (long long)s->overdue_age);
	else if (before)
		log_send(LOG_OVERDUE_OVER, NULL, "no access is overdue any more");
}

static void grants_count(struct metrics *m, struct service *s)
{
	struct grants grants;
	struct allowlist wanted;

	if (schedule_at(&grants, s->program, &s->overrides, m->now) < 0)
		return;
	memset(m->grants, 0, sizeof(m->grants));
	for (size_t i = 0; i < grants.n; i++)
		m->grants[grants.items[i].level]++;
	m->has_next = schedule_next(&m->next_transition, &grants, m->now);
	if (allowlist_build(&wanted, s->program, &grants, m->now, NULL, NULL) == 0) {
		m->allowlist = wanted.n_allows;
		allowlist_free(&wanted);
	}
	grants_free(&grants);
}

void service_figures_write(struct service *s)
{
	struct metrics *m = &s->figures;
	const char *file = s->program->settings.metrics_file;

	if (!file)
		return;
	struct metrics_server *servers = calloc(s->n_servers + 1, sizeof(*servers));
	if (!servers)
		return;
	for (size_t i = 0; i < s->n_servers; i++) {
		const struct server_state *k = &s->servers[i];
		servers[i] = (struct metrics_server){.name = k->name,
			.reachable = k->reachable && !k->failures,
			.has_good_pass = k->has_good_pass,
			.good_pass = k->good_pass,
			.failures = k->failures,
			.round_trips = k->round_trips};
	}
	m->now = service_now(s);
	m->clients = s->program->n_clients;
	m->kept_clients = s->kept.n;
	m->overdue = s->overdue;
	m->overdue_age = s->overdue_age;
	m->clock_behind = s->clock_behind;
	m->servers = servers;
	m->n_servers = s->n_servers;
	grants_count(m, s);
	struct firewall_state state;
	if (s->firewall && !s->stopping && s->gate.observe(&state, s, m->now) == 0) {
		m->refused_packets = state.refused_packets;
		firewall_state_free(&state);
	}
	int r = metrics_write(m, file);
	if (r < 0)
		log_send(LOG_TROUBLE, NULL, "the figures cannot be written to %s: %s", file,
			strerror(-r));
	m->servers = NULL;
	m->n_servers = 0;
	free(servers);
}
