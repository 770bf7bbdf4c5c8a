/* Maintenance windows: times in which a server or a database is expected to be offline. */
#include "program/loading.h"
#include "program/names.h"
#include "curfew/calendar.h"

#include <string.h>

/* A window that nobody ends would hide a real outage for ever. */
#define LONGEST_DAYS 31

static void window_read(struct maintenance *m, struct reading *r, const config_setting_t *group,
	const struct program *p)
{
	static const char *const names[] = {"server", "database", "from", "until"};
	const char *zone = p->settings.timezone;
	bool from, until;

	m->line = (int)config_setting_source_line(group);
	reading_known(r, group, "a maintenance window", names, ARRAY_SIZE(names));
	m->server = server_find(r, group, p);
	m->database = reading_copy(r, reading_text(r, group, "database", NULL));
	from = instant_read(&m->from, r, group, "from", "\"2026-11-22T20:00\"", zone, false);
	until = instant_read(&m->until, r, group, "until", "\"2026-11-23T06:00\"", zone, true);
	if (!from || !until)
		return;
	if (m->until <= m->from)
		reading_error(r, config_setting_get_member(group, "until"),
			"\"until\" must be after \"from\"");
	else if (m->until - m->from > LONGEST_DAYS * DAY)
		reading_error(r, config_setting_get_member(group, "until"),
			"a maintenance window must be at most %d days long; use several windows",
			LONGEST_DAYS);
}

void maintenance_read(struct program *p, struct reading *r, const config_setting_t *root)
{
	const config_setting_t *list = reading_groups(r, root, "maintenance", NULL);
	int n = list ? config_setting_length(list) : 0;

	p->maintenance = reading_array(r, (size_t)n, sizeof(*p->maintenance));
	for (int i = 0; p->maintenance && i < n; i++) {
		const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_is_group(group))
			window_read(&p->maintenance[p->n_maintenance++], r, group, p);
	}
}

static bool database_is_known(const struct program *p, const struct maintenance *m)
{
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases; k++) {
			const struct database *d = &p->clients[i].databases[k];

			if (d->server == m->server && names_equal(d->name, m->database))
				return true;
		}
	return false;
}

void maintenance_check(const struct program *p, struct reading *r, bool complete)
{
	for (size_t i = 0; i < p->n_maintenance; i++) {
		const struct maintenance *m = &p->maintenance[i];
		char until[INSTANT_TEXT_MAX];

		if (m->server >= p->n_servers || m->until <= m->from)
			continue;
		const struct server *s = &p->servers[m->server];
		instant_format(until, m->until);
		if (m->until <= r->now)
			reading_say_line(r, SEVERITY_ADVICE, m->line,
				"this maintenance window is over since %s; remove it, or write the dates of the next one",
				until);
		/* A replica has the databases that the clients have on another server. */
		else if (complete && m->database && !server_is_replicated(p, s) &&
			 !database_is_known(p, m))
			reading_say_line(r, SEVERITY_WARNING, m->line,
				"no client has the database \"%s\" on \"%s\", so this maintenance window quiets nothing there; "
				"correct the name, or leave \"database\" out for the whole server",
				m->database, s->name);
	}
}

void maintenance_free(struct program *p)
{
	for (size_t i = 0; i < p->n_maintenance; i++)
		free(p->maintenance[i].database);
	free(p->maintenance);
}

bool maintenance_covers(
	const struct program *p, const char *server, const char *database, instant_t now)
{
	for (size_t i = 0; i < p->n_maintenance; i++) {
		const struct maintenance *m = &p->maintenance[i];

		if (now < m->from || now >= m->until || m->server >= p->n_servers ||
			!streq(p->servers[m->server].name, server))
			continue;
		if (!m->database || (database && names_equal(m->database, database)))
			return true;
	}
	return false;
}
