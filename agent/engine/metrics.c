/* OpenMetrics: families with HELP, TYPE and UNIT, counters named _total, an EOF line. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <curfew/metrics.h>

static void family(FILE *to, const char *name, const char *type, const char *unit, const char *help)
{
	fprintf(to, "# TYPE curfew_%s %s\n", name, type);
	if (unit)
		fprintf(to, "# UNIT curfew_%s %s\n", name, unit);
	fprintf(to, "# HELP curfew_%s %s\n", name, help);
}

static void gauge(FILE *to, const char *name, int64_t value, const char *unit, const char *help)
{
	family(to, name, "gauge", unit, help);
	fprintf(to, "curfew_%s %" PRId64 "\n", name, value);
}

static void counter(FILE *to, const char *name, uint64_t value, const char *help)
{
	family(to, name, "counter", NULL, help);
	fprintf(to, "curfew_%s_total %" PRIu64 "\n", name, value);
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
	family(to, "server_reachable", "gauge", NULL,
		"Whether the last pass could read this SQL server.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_reachable", m->servers[i].name, m->servers[i].reachable);
	family(to, "server_last_good_pass_timestamp_seconds", "gauge", "seconds",
		"When a pass over this SQL server was last complete.");
	for (size_t i = 0; i < m->n_servers; i++)
		if (m->servers[i].has_good_pass)
			server_line(to, "server_last_good_pass_timestamp_seconds",
				m->servers[i].name, m->servers[i].good_pass);
	family(to, "server_failures", "gauge", NULL,
		"Passes over this SQL server that failed in a row.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_failures", m->servers[i].name, m->servers[i].failures);
	family(to, "server_round_trips", "gauge", NULL,
		"Round trips of the last pass over this SQL server.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_round_trips", m->servers[i].name,
			(int64_t)m->servers[i].round_trips);
}

int metrics_print(const struct metrics *m, FILE *to)
{
	gauge(to, "clients", (int64_t)m->clients, NULL, "Clients of the configuration in force.");
	gauge(to, "clients_kept", (int64_t)m->kept_clients, NULL,
		"Clients whose file is broken and whose last good version is in force.");
	family(to, "grants", "gauge", NULL,
		"Grants (user and database) by the level that the schedule wants now.");
	for (int l = LEVEL_NONE; l <= LEVEL_FULL; l++)
		fprintf(to, "curfew_grants{level=\"%s\"} %zu\n", level_name((enum level)l),
			m->grants[l]);
	gauge(to, "allowlist_elements", (int64_t)m->allowlist, NULL,
		"Elements that the packet filter should hold.");
	if (m->has_next)
		gauge(to, "next_transition_timestamp_seconds", m->next_transition, "seconds",
			"When some grant changes next.");
	gauge(to, "overdue_grants", (int64_t)m->overdue, NULL,
		"Grants past their end or narrowing and not proved closed.");
	gauge(to, "overdue_age_seconds", m->overdue_age, "seconds",
		"For how long the oldest of them has been.");
	if (m->has_pass) {
		gauge(to, "last_pass_timestamp_seconds", m->last_pass, "seconds",
			"When the last pass ended.");
		family(to, "last_pass_duration_seconds", "gauge", "seconds", "How long it took.");
		fprintf(to, "curfew_last_pass_duration_seconds %.3f\n", m->pass_duration);
	}
	counter(to, "passes", m->passes, "Passes since the service was started.");
	counter(to, "passes_failed", m->passes_failed, "Passes that left something undone.");
	counter(to, "changes", m->changes, "Changes made on SQL servers and in the packet filter.");
	counter(to, "changes_failed", m->changes_failed, "Changes that failed.");
	counter(to, "drift_network", m->drift_network,
		"Times that somebody else's change of the table was repaired.");
	counter(to, "drift_sql", m->drift_sql,
		"Grants found otherwise than the schedule explains, and mended.");
	gauge(to, "refused_packets", (int64_t)m->refused_packets, NULL,
		"Packets refused since the table was made.");
	gauge(to, "clock_behind_seconds", m->clock_behind, "seconds",
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
