/* Fills in the metrics from the service's state, and writes the metrics file. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

static void grants_count(struct metrics *m, struct service *s)
{
	struct grants grants;

	if (schedule_at(&grants, s->loaded.program, &s->overrides, m->now) < 0)
		return;
	memset(m->grants, 0, sizeof(m->grants));
	for (size_t i = 0; i < grants.n; i++)
		m->grants[grants.items[i].level]++;
	m->has_next = schedule_next(&m->next_transition, &grants, m->now);
	allowlist_count(&m->allowlist, &grants, m->now);
	grants_free(&grants);
}

static void refused_count(struct metrics *m, struct service *s)
{
	int rc = s->firewall && !s->stopping
			 ? firewall_client_refused(&m->refused_packets, s->firewall)
			 : 0;

	if (rc == -EPIPE || rc == -ETIMEDOUT)
		service_firewall_died(s, rc);
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

void service_metrics_write(struct service *s)
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
	m->now = service_now(s);
	m->clients = s->loaded.program->n_clients;
	m->kept_clients = s->loaded.kept.n;
	m->overdue = s->overdue.n;
	m->overdue_age = s->overdue.age;
	m->clock_behind = s->clock_behind;
	m->unrecorded = backlog_count(s->backlog);
	m->servers = servers;
	m->n_servers = n;
	grants_count(m, s);
	refused_count(m, s);
	int rc = metrics_write(m, file);
	if (rc < 0)
		log_send(LOG_TROUBLE, NULL, "cannot write metrics to %s: %s", file, strerror(-rc));
	m->servers = NULL;
	m->n_servers = 0;
}
