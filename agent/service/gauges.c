/* Fills in the metrics from the service's state, and writes the metrics file. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

/* Never 0. The entries of the schedule are those of the configuration for each grant that has a level, without the sources
 * that have ended. */
static uint64_t entries_fingerprint(
	const struct program *p, const struct grants *grants, instant_t now)
{
	const uint64_t prime = UINT64_C(0x100000001b3);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *at = p->digest; *at; at++)
		hash = (hash ^ (uint8_t)*at) * prime;
	for (size_t i = 0; i < grants->n; i++) {
		const struct grant *g = &grants->items[i];
		uint64_t left = 0;

		for (size_t k = 0; g->user->source_ends && k < g->user->n_sources; k++)
			left += user_source_end(g->user, k) > now;
		hash = (hash ^ (2 * left + (g->level != LEVEL_NONE && g->until > now))) * prime;
	}
	return hash ? hash : 1;
}

static void grants_count(struct service *s, const struct grants *grants)
{
	struct metrics *m = &s->metrics;
	uint64_t entries = entries_fingerprint(s->loaded.program, grants, m->now);

	memset(m->grants, 0, sizeof(m->grants));
	for (size_t i = 0; i < grants->n; i++)
		m->grants[grants->items[i].level]++;
	m->has_next = schedule_next(&m->next_transition, grants, m->now);
	/* Counting them takes sorting them. */
	if (entries != s->allowlist_of && allowlist_count(&m->allowlist, grants, m->now) == 0)
		s->allowlist_of = entries;
}

static void refused_count(struct metrics *m, struct service *s)
{
	int rc = s->firewall && !s->stopping
			 ? firewall_client_refused(&m->refused_packets, s->firewall)
			 : 0;

	service_firewall_asked(s, rc);
}

static void servers_fill(struct metrics_server *servers, const struct retries *retries)
{
	for (size_t i = 0; i < retries_count(retries); i++) {
		const struct server_retry *h = retries_at(retries, i);
		servers[i] = (struct metrics_server){.name = h->name,
			.reachable = h->reachable && !h->failures,
			.has_complete_pass = h->has_complete_pass,
			.complete_pass = h->complete_pass,
			.failures = h->failures,
			.round_trips = h->round_trips};
	}
}

void service_metrics_write(struct service *s, const struct grants *grants, instant_t now)
{
	struct metrics *m = &s->metrics;
	const char *file = s->loaded.program->settings.metrics_file;
	size_t n = retries_count(s->retries);

	if (!file)
		return;
	_cleanup_free_ struct metrics_server *servers = calloc(n + 1, sizeof(*servers));
	if (!servers)
		return;
	servers_fill(servers, s->retries);
	m->now = now;
	m->clients = s->loaded.program->n_clients;
	m->kept_clients = s->loaded.kept.n;
	m->overdue = s->overdue.n;
	m->overdue_unknown = s->overdue.unknown && !s->overdue.n;
	m->overdue_age = s->overdue.age;
	m->clock_behind = s->clock_behind;
	m->unfiltered = s->filter.lost;
	m->unrecorded = backlog_count(s->backlog);
	m->servers = servers;
	m->n_servers = n;
	if (grants)
		grants_count(s, grants);
	refused_count(m, s);
	int rc = metrics_write(m, file);
	if (rc < 0)
		log_send(LOG_TROUBLE, NULL, "cannot write metrics to %s: %s", file, strerror(-rc));
	m->servers = NULL;
	m->n_servers = 0;
}
