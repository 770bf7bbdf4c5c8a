/* OpenMetrics that parsers of Prometheus' older text format (such as node_exporter's textfile collector) accept too.
 * The formats differ in counters: one wants TYPE with the name including _total, the other without, and each rejects
 * the other's form. So counters have HELP and the suffix _total but no TYPE, which both accept. The older format
 * reads EOF as a comment. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "curfew/disk.h"
#include "curfew/metrics.h"
#include "curfew/text.h"

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

/* Writes a label's value. Only these three characters need escaping. */
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

/* Also writes the older name for one release, because dashboards and alarms use it. */
static void gauge_renamed(
	FILE *to, const char *name, const char *older, int64_t value, const char *help)
{
	char deprecated[128];

	gauge(to, name, value, help);
	snprintf(deprecated, sizeof(deprecated), "Deprecated; use curfew_%s.", name);
	gauge(to, older, value, deprecated);
}

static void complete_print(const struct metrics *m, FILE *to, const char *name, const char *help)
{
	family(to, name, help);
	for (size_t i = 0; i < m->n_servers; i++)
		if (m->servers[i].has_complete_pass)
			server_line(to, name, m->servers[i].name, m->servers[i].complete_pass);
}

static void servers_print(const struct metrics *m, FILE *to)
{
	family(to, "server_reachable", "Whether the last pass could read this SQL server.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_reachable", m->servers[i].name, m->servers[i].reachable);
	complete_print(m, to, "server_last_complete_pass_timestamp_seconds",
		"Time of the last complete pass over this SQL server.");
	complete_print(m, to, "server_last_good_pass_timestamp_seconds",
		"Deprecated; use curfew_server_last_complete_pass_timestamp_seconds.");
	family(to, "server_failures", "Failed passes over this SQL server in a row.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_failures", m->servers[i].name, m->servers[i].failures);
	family(to, "server_round_trips", "Round trips of the last pass over this SQL server.");
	for (size_t i = 0; i < m->n_servers; i++)
		server_line(to, "server_round_trips", m->servers[i].name,
			(int64_t)m->servers[i].round_trips);
}

static void access_print(const struct metrics *m, FILE *to)
{
	gauge(to, "clients", (int64_t)m->clients, "Clients of the loaded configuration.");
	gauge_renamed(to, "clients_last_known_good", "clients_kept", (int64_t)m->kept_clients,
		"Clients whose file has errors and whose last known good version is loaded.");
	family(to, "grants", "Grants (user and database) by the level scheduled now.");
	for (int l = LEVEL_NONE; l <= LEVEL_FULL; l++)
		fprintf(to, "curfew_grants{level=\"%s\"} %zu\n", level_name((enum level)l),
			m->grants[l]);
	gauge(to, "allowlist_elements", (int64_t)m->allowlist,
		"Allowlist entries scheduled for the packet filter.");
	if (m->has_next)
		gauge(to, "next_transition_timestamp_seconds", m->next_transition,
			"Time at which a grant changes next.");
	if (!m->overdue_unknown) {
		gauge(to, "overdue_grants", (int64_t)m->overdue,
			"Grants whose access should have ended or become read-only, and this is not confirmed.");
		gauge(to, "overdue_age_seconds", m->overdue_age,
			"Age of the oldest overdue grant.");
	}
	gauge(to, "excess_grants", (int64_t)m->excess,
		"Grants that gave more than scheduled in the last pass that read their server.");
	gauge(to, "unread_grants", (int64_t)m->unread,
		"Grants on databases that could not be read in the last pass that read their server, outside maintenance "
		"windows.");
	gauge(to, "held", m->held,
		"1 while no access is granted because records are missing or cannot be read.");
	gauge(to, "packet_filter_lost", m->unfiltered,
		"1 while no access is granted because this host's packet filter cannot be used.");
	gauge(to, "unrecorded", (int64_t)m->unrecorded,
		"Records that wait because the journal cannot be written.");
}

int metrics_print(const struct metrics *m, FILE *to)
{
	access_print(m, to);
	if (m->has_pass) {
		gauge(to, "last_pass_timestamp_seconds", m->last_pass, "Time of the last pass.");
		family(to, "last_pass_duration_seconds", "Duration of the last pass.");
		fprintf(to, "curfew_last_pass_duration_seconds %.3f\n", m->pass_duration);
	}
	counter(to, "passes_total", m->passes, "Passes since the service started.");
	counter(to, "passes_failed_total", m->passes_failed, "Passes that were not complete.");
	counter(to, "changes_total", m->changes,
		"Changes made on SQL servers and in the packet filter.");
	counter(to, "changes_failed_total", m->changes_failed, "Changes that failed.");
	counter(to, "drift_network_total", m->drift_network,
		"Changes to the nftables table by another program that were corrected.");
	counter(to, "drift_sql_total", m->drift_sql,
		"Corrections on SQL servers that no scheduled change explains.");
	gauge_renamed(to, "denied_packets", "refused_packets", (int64_t)m->refused_packets,
		"Packets denied since the nftables table was created.");
	gauge(to, "clock_behind_seconds", m->clock_behind,
		"Seconds by which the system clock is behind the latest time seen.");
	servers_print(m, to);
	fputs("# EOF\n", to);
	return ferror(to) ? -EIO : 0;
}

struct metrics_work {
	struct disk_work work;
	char *text, *file, *next;
};

static void metrics_work_free(struct disk_work *work)
{
	struct metrics_work *w = (struct metrics_work *)work;

	free(w->text);
	free(w->file);
	free(w->next);
	free(w);
}

static int file_write(const char *path, const char *text)
{
	FILE *to = fopen(path, "we");
	int rc = 0;

	if (!to)
		return -errno;
	if (fputs(text, to) < 0)
		rc = -EIO;
	if (fchmod(fileno(to), 0644) < 0 && rc == 0)
		rc = -errno;
	if (fclose(to) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

static int metrics_work_run(struct disk_work *work)
{
	const struct metrics_work *w = (struct metrics_work *)work;
	int rc = file_write(w->next, w->text);

	if (rc == 0 && rename(w->next, w->file) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(w->next);
	return rc;
}

static int metrics_text(char **out, const struct metrics *m)
{
	struct text t;

	if (!text_begin(&t))
		return -ENOMEM;
	metrics_print(m, t.to);
	*out = text_end(&t);
	return *out ? 0 : -ENOMEM;
}

int metrics_write(const struct metrics *m, const char *file)
{
	struct metrics_work *w = calloc(1, sizeof(*w));
	int rc = w ? metrics_text(&w->text, m) : -ENOMEM;

	if (!w)
		return rc;
	w->work = (struct disk_work){.run = metrics_work_run, .release = metrics_work_free};
	/* In the same directory, or rename() would not be atomic. Collectors read *.prom only. */
	if (rc == 0 && asprintf(&w->next, "%s.new", file) < 0) {
		w->next = NULL;
		rc = -ENOMEM;
	}
	if (rc == 0 && !(w->file = strdup(file)))
		rc = -ENOMEM;
	if (rc == 0)
		return disk_run(&w->work);
	metrics_work_free(&w->work);
	return rc;
}
