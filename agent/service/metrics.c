/* OpenMetrics that a reader of Prometheus' older text format, as node_exporter's textfile collector is, takes as well.
 * The two differ over counters alone: one has TYPE by the name with _total, the other by the name without, and each
 * stumbles over the other's. So counters have HELP and no TYPE, which both take, and _total, which says what they are.
 * The older format reads the EOF as a comment. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "curfew/metrics.h"

static void family(FILE *to, const char *name, const char *help)
{
	fprintf(to, "# HELP curfew_%s %s\n# TYPE curfew_%s gauge\n", name, help, name);
}

static void gauge(FILE *to, const char *name, int64_t value, const char *help)
{
	family(to, name, help);
	fprintf(to, "curfew_%s %" PRId64 "\n", name, value);
}

static void counter(FILE *to, const char *name, uint64_t value, const char *help)
{
	fprintf(to, "# HELP curfew_%s %s\ncurfew_%s %" PRIu64 "\n", name, help, name, value);
}

/* A label's value; only these three mean something in it. */
static void label(FILE *to, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', to);
		if (*value == '\n')
			fputs("\\n", to);
		else
			fputc(*value, to);
	}
}

static void server_line(FILE *to, const char *name, const char *server, int64_t value)
{
	fprintf(to, "curfew_%s{server=\"", name);
	label(to, server);
	fprintf(to, "\"} %" PRId64 "\n", value);
}

static void servers_print(const struct metrics *m, FILE *to)
{
	family(to, "server_reachable", "Whether the last pass could read this SQL server.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_reachable", m->servers[i].name, m->servers[i].reachable);
	family(to, "server_last_good_pass_timestamp_seconds",
		"When a pass over this SQL server was last complete.");
	for (size_t i = 0; i < m->n_servers; i++)
		if (m->servers[i].has_good_pass)
			server_line(to, "server_last_good_pass_timestamp_seconds",
				m->servers[i].name, m->servers[i].good_pass);
	family(to, "server_failures", "Passes over this SQL server that failed in a row.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_failures", m->servers[i].name, m->servers[i].failures);
	family(to, "server_round_trips", "Round trips of the last pass over this SQL server.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_round_trips", m->servers[i].name,
			(int64_t)m->servers[i].round_trips);
}

int metrics_print(const struct metrics *m, FILE *to)
{
	gauge(to, "clients", (int64_t)m->clients, "Clients of the configuration in force.");
	gauge(to, "clients_kept", (int64_t)m->kept_clients,
		"Clients whose file is broken and whose last good version is in force.");
	family(to, "grants",
		"Grants (user and database) by the level that the schedule wants now.");
	for (int l = LEVEL_NONE; l <= LEVEL_FULL; l++)
		fprintf(to, "curfew_grants{level=\"%s\"} %zu\n", level_name((enum level)l),
			m->grants[l]);
	gauge(to, "allowlist_elements", (int64_t)m->allowlist,
		"Elements that the packet filter should hold.");
	if (m->has_next)
		gauge(to, "next_transition_timestamp_seconds", m->next_transition,
			"When some grant changes next.");
	gauge(to, "overdue_grants", (int64_t)m->overdue,
		"Grants past their end or narrowing and not proved closed.");
	gauge(to, "overdue_age_seconds", m->overdue_age,
		"For how long the oldest of them has been.");
	if (m->has_pass) {
		gauge(to, "last_pass_timestamp_seconds", m->last_pass, "When the last pass ended.");
		family(to, "last_pass_duration_seconds", "How long it took.");
		fprintf(to, "curfew_last_pass_duration_seconds %.3f\n", m->pass_duration);
	}
	counter(to, "passes_total", m->passes, "Passes since the service was started.");
	counter(to, "passes_failed_total", m->passes_failed, "Passes that left something undone.");
	counter(to, "changes_total", m->changes,
		"Changes made on SQL servers and in the packet filter.");
	counter(to, "changes_failed_total", m->changes_failed, "Changes that failed.");
	counter(to, "drift_network_total", m->drift_network,
		"Times that somebody else's change of the table was repaired.");
	counter(to, "drift_sql_total", m->drift_sql,
		"Grants found otherwise than the schedule explains, and mended.");
	gauge(to, "refused_packets", (int64_t)m->refused_packets,
		"Packets refused since the table was made.");
	gauge(to, "clock_behind_seconds", m->clock_behind,
		"By how much this machine's clock is behind the highest instant seen.");
	servers_print(m, to);
	fputs("# EOF\n", to);
	return ferror(to) ? -EIO : 0;
}

int metrics_write(const struct metrics *m, const char *file)
{
	_cleanup_free_ char *next = NULL;

	/* Beside it, or the rename would not be atomic; collectors read *.prom only. */
	if (asprintf(&next, "%s.new", file) < 0) {
		next = NULL;
		return -ENOMEM;
	}
	FILE *to = fopen(next, "we");
	if (!to)
		return -errno;
	int r = metrics_print(m, to);
	if (fchmod(fileno(to), 0644) < 0 && r == 0)
		r = -errno;
	if (fclose(to) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(next, file) < 0)
		r = -errno;
	if (r < 0)
		unlink(next);
	return r;
}
