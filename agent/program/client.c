/* One client file: an organization and its databases. users.c reads its users, client_dates.c its dates. */
#include "program/loading.h"

#include "curfew/calendar.h"
#include "curfew/milestones.h"
#include "program/names.h"
#include "program/suggest.h"

#include <string.h>

#define DATABASE_EXAMPLE "( { role = \"staging\"; server = \"sql01\"; name = \"AcmeTest\"; } )"

void client_free(struct client *c)
{
	for (size_t i = 0; i < c->n_databases; i++) {
		free(c->databases[i].name);
		free(c->databases[i].full_waiver.approved_by);
		free(c->databases[i].full_waiver.ticket);
	}
	for (size_t i = 0; i < c->n_users; i++) {
		free(c->users[i].first);
		free(c->users[i].last);
		free(c->users[i].email);
		free(c->users[i].login);
		free(c->users[i].sources);
		free(c->users[i].source_ends);
	}
	free(c->databases);
	free(c->users);
	free(c->name);
	free(c->ticket);
	free(c->approved_by);
	free(c->timezone);
	free(c->language);
	for (size_t m = 0; m < MILESTONES; m++)
		free(c->milestones[m]);
	free(c->file);
}

/* `passed`: go-live is in the past. */
static void role_read(
	struct database *d, struct reading *r, const config_setting_t *group, bool passed)
{
	const char *role = reading_text(r, group, "role", "\"staging\"");
	const char *before = reading_text(r, group, "before_go_live", NULL);
	const config_setting_t *at = config_setting_get_member(group, "before_go_live");

	if (role && streq(role, "production"))
		d->role = ROLE_PRODUCTION;
	else if (role && !streq(role, "staging"))
		reading_error(r, config_setting_get_member(group, "role"),
			"unknown role \"%s\"; use \"staging\" or \"production\"", role);
	d->before_go_live = role && d->role == ROLE_STAGING ? LEVEL_FULL : LEVEL_NONE;
	if (!before)
		return;
	if (streq(before, "full"))
		d->before_go_live = LEVEL_FULL;
	else if (streq(before, "write"))
		d->before_go_live = LEVEL_WRITE;
	else if (streq(before, "read-only"))
		d->before_go_live = LEVEL_READ_ONLY;
	else if (!streq(before, "none"))
		reading_error(r, at,
			"unknown level \"%s\"; use \"none\", \"read-only\", \"write\", or \"full\"",
			before);
	else if (role && d->role == ROLE_STAGING)
		reading_error(r, at,
			"a staging database without access before go-live is of no use; use "
			"\"read-only\", \"write\", or \"full\"");
	/* Users who can alter modules write code that others execute with their own permissions. */
	if (role && d->role == ROLE_PRODUCTION && d->before_go_live == LEVEL_FULL && !passed)
		reading_warning(r, at,
			"full access to a production database lets users change code that others run; "
			"use before_go_live = \"write\" unless users must change definitions there");
}

size_t server_find(struct reading *r, const config_setting_t *group, const struct program *p)
{
	const char *name = reading_text(r, group, "server", "\"sql01\""), *near;
	const config_setting_t *at = config_setting_get_member(group, "server");
	_cleanup_free_ const char **names = NULL;

	for (size_t i = 0; name && i < p->n_servers; i++)
		if (streq(p->servers[i].name, name))
			return i;
	/* Without any server curfew.conf itself has an error, which is reported there. */
	if (!name || p->n_servers == 0)
		return SIZE_MAX;
	names = reading_array(r, p->n_servers, sizeof(*names));
	for (size_t i = 0; names && i < p->n_servers; i++)
		names[i] = p->servers[i].name;
	near = names ? nearest_word(name, names, p->n_servers) : NULL;
	if (near)
		reading_error(r, at, "unknown server \"%s\"; did you mean \"%s\"?", name, near);
	else
		reading_error(r, at,
			"unknown server \"%s\"; use the name of a server in curfew.conf", name);
	return SIZE_MAX;
}

static void database_name_read(struct database *d, struct reading *r, const config_setting_t *group)
{
	static const char *const system[] = {"master", "model", "msdb", "tempdb"};
	const char *name = reading_text(r, group, "name", "\"AcmeTest\"");

	for (size_t i = 0; name && i < ARRAY_SIZE(system); i++)
		if (names_equal(name, system[i]))
			reading_error(r, config_setting_get_member(group, "name"),
				"\"%s\" is a system database; use the client's database", name);
	d->name = reading_copy(r, name);
}

static void waiver_read(struct database *d, struct reading *r, const config_setting_t *database)
{
	static const char *const names[] = {"approved_by", "ticket"};
	const config_setting_t *group = reading_group(r, database, "full_waiver", NULL);

	if (!group)
		return;
	reading_known(r, group, "full_waiver", names, ARRAY_SIZE(names));
	d->full_waiver.approved_by = reading_copy(
		r, reading_text(r, group, "approved_by", "\"account-lead@host.example\""));
	d->full_waiver.ticket = reading_copy(r, reading_text(r, group, "ticket", "\"CS-48211\""));
	if (d->before_go_live != LEVEL_FULL)
		reading_warning(r, group,
			"\"full_waiver\" has no effect: this database never has full access");
}

static void databases_compare(struct reading *r, const struct database *a, const struct database *b)
{
	_cleanup_free_ char *x = a->name ? name_fold(a->name) : NULL;
	_cleanup_free_ char *y = b->name ? name_fold(b->name) : NULL;

	if (x && y && a->server == b->server && a->server != SIZE_MAX && streq(x, y))
		reading_say_line(r, SEVERITY_ERROR, b->line,
			"duplicate database \"%s\" (first at line %d; case does not matter); remove one",
			b->name, a->line);
}

/* Once for all replicas: which of them is the primary changes. */
static void replica_refuse(
	struct reading *r, const config_setting_t *database, const struct program *p, size_t server)
{
	if (server == SIZE_MAX)
		return;
	const struct server *s = &p->servers[server], *first = server_first(p, s);
	if (first != s)
		reading_error(r, config_setting_get_member(database, "server"),
			"server \"%s\" is a replica of \"%s\"; use server = \"%s\", which stands for all of them",
			s->name, first->name, first->name);
}

static void databases_read(
	struct client *c, struct reading *r, const config_setting_t *group, const struct program *p)
{
	static const char *const names[] = {
		"role", "server", "name", "before_go_live", "full_waiver"};
	const config_setting_t *list = reading_groups(r, group, "databases", DATABASE_EXAMPLE);
	int n = list ? config_setting_length(list) : 0;

	c->databases = reading_array(r, (size_t)n, sizeof(*c->databases));
	for (int i = 0; c->databases && i < n; i++) {
		const config_setting_t *element = config_setting_get_elem(list, (unsigned)i);
		struct database *d = &c->databases[c->n_databases];

		if (!config_setting_is_group(element))
			continue;
		d->line = (int)config_setting_source_line(element);
		reading_known(r, element, "a database", names, ARRAY_SIZE(names));
		role_read(d, r, element, c->has_go_live && c->go_live <= r->now);
		waiver_read(d, r, element);
		d->server = server_find(r, element, p);
		replica_refuse(r, element, p, d->server);
		database_name_read(d, r, element);
		for (size_t j = 0; j < c->n_databases; j++)
			databases_compare(r, &c->databases[j], d);
		c->n_databases++;
	}
}

static char *milestone_date(struct reading *r, const config_setting_t *group, const char *name)
{
	const char *text = reading_text(r, group, name, NULL);
	struct local_time t;

	if (text && local_parse(&t, text) < 0)
		reading_error(r, config_setting_get_member(group, name),
			"invalid date for \"%s\": \"%s\"; use the day it happened, for example \"2026-08-12\"",
			name, text);
	return reading_copy(r, text);
}

static void milestones_read(struct client *c, struct reading *r, const config_setting_t *client)
{
	const config_setting_t *group = reading_group(r, client, "milestones", NULL);
	const char *names[MILESTONES];
	size_t n = 0;

	if (!group)
		return;
	c->has_milestones = true;
	for (size_t m = 0; m < MILESTONES; m++) {
		const char *name = milestone_name((enum milestone)m);

		if (milestone_is_automatic((enum milestone)m))
			continue;
		names[n++] = name;
		c->milestones[m] = m == MILESTONE_PRODUCTION_TICKET
					   ? reading_copy(r, reading_text(r, group, name, NULL))
					   : milestone_date(r, group, name);
	}
	reading_known(r, group, "milestones", names, n);
}

/* "de", "pt-BR". Also the name of a directory. */
static void language_read(struct client *c, struct reading *r, const config_setting_t *group)
{
	const char *language = reading_text(r, group, "language", NULL);

	if (language && !name_is_plain(language)) {
		reading_error(r, config_setting_get_member(group, "language"),
			"invalid language \"%s\"; use the name of a directory of \"templates\", for example "
			"\"de\"",
			language);
		language = NULL;
	}
	c->language = reading_copy(r, language ? language : "");
}

void client_read(
	struct client *c, struct reading *r, const config_setting_t *root, const struct program *p)
{
	static const char *const outer[] = {"client"};
	static const char *const names[] = {"name", "ticket", "approved_by", "approved_on",
		"timezone", "language", "starts", "go_live", "testing_until", "staging_until",
		"milestones", "databases", "users"};
	const config_setting_t *group =
		reading_group(r, root, "client", "{ name = \"acme\"; ... }");
	const char *zone;

	reading_known(r, root, "a client file", outer, ARRAY_SIZE(outer));
	if (!group)
		return;
	c->line = (int)config_setting_source_line(group);
	reading_known(r, group, "client", names, ARRAY_SIZE(names));
	c->name = reading_copy(r, reading_text(r, group, "name", "\"acme\""));
	c->ticket = reading_copy(r, reading_text(r, group, "ticket", "\"CS-48211\""));
	c->approved_by = reading_copy(
		r, reading_text(r, group, "approved_by", "\"account-lead@host.example\""));
	milestones_read(c, r, group);
	zone = zone_read(r, group);
	c->timezone = reading_copy(r, zone ? zone : p->settings.timezone);
	language_read(c, r, group);
	if (c->timezone)
		course_read(c, r, group, &p->settings,
			zone || !config_setting_get_member(group, "timezone"));
	databases_read(c, r, group, p);
	users_read(c, r, group, p);
}
