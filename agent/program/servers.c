/* The SQL servers: where the agent connects, which endpoints are guarded, how the server's certificate is verified. */
#include "program/levels.h"
#include "program/loading.h"
#include "program/names.h"
#include "program/problems.h"
#include "program/replicas.h"

#include <string.h>
#include <sys/socket.h>

#define SQL_PORT 1433
/* FreeTDS truncates lines of its configuration at 255 characters. */
#define CA_PATH_BYTES 200
/* A wider trusted prefix would allow almost everybody. */
#define TRUSTED_WIDEST4 8
#define TRUSTED_WIDEST6 16

static const char *const SERVER_NAMES[] = {"name", "host", "port", "endpoints", "trusted",
	"ca_file", "login", "credential", "evidence", "must_change", "known_triggers",
	"known_linked_servers", "known_listeners", "known_proxies", "levels", "replicas"};

#define SERVER_EXAMPLE                                                                             \
	"( { name = \"sql01\"; host = \"192.0.2.10\"; ca_file = \"/etc/curfew/tls/ca.pem\"; } )"

void server_free(struct server *s)
{
	free(s->name);
	free(s->host);
	free(s->endpoints);
	free(s->trusted);
	free(s->ca_file);
	free(s->login);
	free(s->credential);
	strings_free(&s->known_triggers);
	strings_free(&s->known_linked_servers);
	strings_free(&s->known_proxies);
	strings_free(&s->known_listeners);
	strings_free(&s->replicas);
	levels_free(s->terms);
}

/* Parses one address with the rules of users' sources. An IPv4-mapped IPv6 address is invalid: packets have the IPv4
 * address, so a guard on the mapped one would block nobody. */
static bool host_address(struct endpoint *out, const char *host, uint16_t port)
{
	struct source s;

	if (strchr(host, '/') || source_parse(&s, host) != 0)
		return false;
	*out = (struct endpoint){.family = s.family, .port = port};
	memcpy(out->addr, s.addr, sizeof(out->addr));
	return true;
}

int program_hosts_check(struct problems *problems, const struct program *p,
	bool (*is_local)(void *context, int family, const uint8_t *addr), void *context)
{
	struct reading r = {.problems = problems};

	for (size_t i = 0; i < p->n_servers && p->settings.firewall.enabled; i++) {
		const struct server *s = &p->servers[i];
		struct endpoint e;
		bool guarded = false;

		if (!host_address(&e, s->host, s->port) || endpoint_is_loopback(&e) ||
			!is_local(context, e.family, e.addr))
			continue;
		for (size_t k = 0; k < s->n_endpoints; k++)
			guarded |= endpoint_compare(&e, &s->endpoints[k]) == 0;
		r.file = s->file;
		if (!guarded)
			reading_say_line(&r, SEVERITY_WARNING, s->line,
				"server \"%s\": host %s is an address of this host, and %s port %u is not "
				"guarded; add it to \"endpoints\"",
				s->name, s->host, s->host, s->port);
	}
	problems_sort(problems);
	return r.failure;
}

static void host_read(struct server *s, struct reading *r, const config_setting_t *group)
{
	const char *host = reading_text(r, group, "host", "\"192.0.2.10\"");
	struct endpoint e;

	s->port = (uint16_t)reading_number(r, group, "port", SQL_PORT, 1, UINT16_MAX, "TCP port");
	if (!host)
		return;
	/* SQL Browser answers by UDP without authentication, so anybody could redirect the agent and receive its
	 * password. */
	if (strchr(host, '\\'))
		reading_error(r, config_setting_get_member(group, "host"),
			"\"%s\" names an instance, and Curfew does not ask SQL Browser for its port; use host = \"%.*s\"; and "
			"port = its TCP port, which SQL Server Configuration Manager shows under TCP/IP, IPAll, and the server "
			"itself in local_tcp_port of sys.dm_exec_connections; give the instance a fixed one",
			host, (int)strcspn(host, "\\"), host);
	else if (!host_address(&e, host, s->port) && !name_is_host(host))
		reading_error(r, config_setting_get_member(group, "host"),
			"\"%s\" is neither an address nor a host name; use \"192.0.2.10\" or "
			"\"sql01.example\", and set the port with port = %d;",
			host, SQL_PORT);
	if (host_address(&e, host, s->port) && endpoint_fault(&e))
		reading_error(r, config_setting_get_member(group, "host"),
			"host %s %s; use the address of the server, as \"192.0.2.10\"", host,
			endpoint_fault(&e));
	else
		s->host = reading_copy(r, host);
}

static void endpoint_add(struct server *s, struct reading *r, const config_setting_t *at,
	const struct endpoint *e, bool guard_loopback)
{
	char buf[ENDPOINT_TEXT_MAX];

	if (endpoint_fault(e)) {
		reading_error(r, at,
			"endpoint %s %s, so it guards nothing; name each address that users can reach, as "
			"\"192.0.2.10:%u\"",
			endpoint_format(buf, e), endpoint_fault(e), e->port);
		return;
	}
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (endpoint_compare(&s->endpoints[i], e) == 0) {
			reading_warning(r, at, "duplicate endpoint %s; remove one",
				endpoint_format(buf, e));
			return;
		}
	if (endpoint_is_loopback(e) && !guard_loopback)
		reading_warning(r, at,
			"endpoint %s is on the loopback interface, which is not guarded; set "
			"guard_loopback = true; in \"firewall\", or use the address that users reach",
			endpoint_format(buf, e));
	s->endpoints[s->n_endpoints++] = *e;
}

static void endpoints_read(struct server *s, struct reading *r, const config_setting_t *group,
	const struct settings *settings)
{
	const config_setting_t *list = reading_list(r, group, "endpoints", NULL);
	int n = list ? config_setting_length(list) : 1;
	bool guard_loopback = settings->firewall.guard_loopback || !settings->firewall.enabled;
	struct endpoint e;

	s->endpoints = reading_array(r, (size_t)n, sizeof(*s->endpoints));
	if (!s->endpoints)
		return;
	if (!list && s->host && host_address(&e, s->host, s->port)) {
		endpoint_add(s, r, group, &e, guard_loopback);
	} else if (!list || n == 0) {
		/* Do not use DNS to decide what to guard: whoever answers would decide. */
		if (settings->firewall.enabled && (list || s->host))
			reading_error(r, list ? list : group,
				"\"endpoints\" is required if \"host\" is a name; add endpoints = ( "
				"\"192.0.2.10:%u\" );",
				s->port);
		return;
	}
	for (int i = 0; list && i < n; i++) {
		const char *text = reading_item(r, list, i);

		if (text && endpoint_parse(&e, text) == 0)
			endpoint_add(s, r, config_setting_get_elem(list, (unsigned)i), &e,
				guard_loopback);
		else if (text)
			reading_error(r, config_setting_get_elem(list, (unsigned)i),
				"invalid endpoint \"%s\"; examples: \"192.0.2.10:1433\", \"[2001:db8::5]:1433\"",
				text);
	}
}

static void identity_read(struct server *s, struct reading *r, const config_setting_t *group)
{
	const char *ca =
		reading_path(r, group, "ca_file", "\"/etc/curfew/tls/ca.pem\"", CA_PATH_BYTES);
	const char *login = reading_text(r, group, "login", NULL);
	const char *credential = reading_text(r, group, "credential", NULL);

	/* Any other login is accepted, even if it has more permissions than it needs. */
	if (login && names_equal(login, "sa"))
		reading_warning(r, config_setting_get_member(group, "login"),
			"login \"sa\" has full control of the server; use the restricted login that `curfew "
			"bootstrap SERVER` creates");
	else if (login && login_fault(login))
		reading_error(r, config_setting_get_member(group, "login"),
			"login \"%s\" %s; use the agent's SQL login, for example \"curfew_agent\"",
			login, login_fault(login));
	if (credential && !name_is_plain(credential))
		reading_error(r, config_setting_get_member(group, "credential"),
			"\"%s\" must be a plain file name; use letters, digits, dots, '_', and '-'",
			credential);
	else
		s->credential = reading_copy(r, credential ? credential : s->name);
	s->ca_file = reading_copy(r, ca);
	s->login = reading_copy(r, login ? login : "curfew_agent");
	s->must_change = reading_bool(r, group, "must_change", true);
}

/* Names that the operator has reviewed on this server. */
void strings_read(
	struct strings *out, struct reading *r, const config_setting_t *group, const char *key)
{
	const config_setting_t *list = reading_list(r, group, key, NULL);
	int n = list ? config_setting_length(list) : 0;

	out->items = reading_array(r, (size_t)n, sizeof(char *));
	for (int i = 0; out->items && i < n; i++) {
		char *name = reading_copy(r, reading_item(r, list, i));

		if (name)
			out->items[out->n++] = name;
	}
}

/* How to verify permissions on a server where impersonation cannot show them. */
static void evidence_read(struct server *s, struct reading *r, const config_setting_t *group)
{
	const char *evidence = reading_text(r, group, "evidence", NULL);

	s->evidence_catalog = evidence && streq(evidence, "catalog");
	if (evidence && !s->evidence_catalog && !streq(evidence, "server"))
		reading_error(r, config_setting_get_member(group, "evidence"),
			"unknown evidence \"%s\"; use \"server\" or \"catalog\"", evidence);
}

static void server_read(struct server *s, struct reading *r, const config_setting_t *group,
	const struct program *p, const struct level_terms *levels)
{
	const char *name = reading_text(r, group, "name", "\"sql01\"");
	const config_setting_t *trusted;

	s->line = (int)config_setting_source_line(group);
	reading_known(r, group, "a server", SERVER_NAMES, ARRAY_SIZE(SERVER_NAMES));
	if (name && !name_is_plain(name))
		reading_error(r, config_setting_get_member(group, "name"),
			"invalid server name \"%s\"; use letters, digits, dots, '_', and '-'",
			name);
	else
		s->name = reading_copy(r, name);
	host_read(s, r, group);
	endpoints_read(s, r, group, &p->settings);
	trusted = reading_list(r, group, "trusted", NULL);
	s->trusted = sources_read(&s->n_trusted, r, trusted, TRUSTED_WIDEST4, TRUSTED_WIDEST6,
		"because trusted sources reach the server without an end time");
	identity_read(s, r, group);
	evidence_read(s, r, group);
	strings_read(&s->known_triggers, r, group, "known_triggers");
	strings_read(&s->known_linked_servers, r, group, "known_linked_servers");
	strings_read(&s->known_proxies, r, group, "known_proxies");
	strings_read(&s->known_listeners, r, group, "known_listeners");
	strings_read(&s->replicas, r, group, "replicas");
	levels_read(s->terms, r, reading_group(r, group, "levels", NULL), levels);
}

/* Two entries for one server would undo each other's changes. */
static void server_compare(struct reading *r, const struct server *a, const struct server *b)
{
	if (names_equal(a->name, b->name))
		reading_say_line(r, SEVERITY_ERROR, b->line,
			"duplicate server \"%s\" (first at line %d); use a different name for each server",
			b->name, a->line);
	if (a->host && b->host && a->port == b->port && names_equal(a->host, b->host))
		reading_say_line(r, SEVERITY_ERROR, b->line,
			"servers \"%s\" and \"%s\" (line %d) both connect to %s port %u; remove one",
			b->name, a->name, a->line, b->host, b->port);
}

static int server_order(const void *a, const void *b)
{
	const struct server *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void servers_read(
	struct program *p, struct reading *r, const config_setting_t *root, const char *file)
{
	const config_setting_t *list = reading_groups(r, root, "servers", SERVER_EXAMPLE);
	int n = list ? config_setting_length(list) : 0;
	struct level_terms levels[LEVELS];

	levels_read(levels, r, reading_group(r, root, "levels", NULL), NULL);
	p->servers = reading_array(r, (size_t)n, sizeof(*p->servers));
	for (int i = 0; p->servers && i < n; i++) {
		const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
		struct server *s = &p->servers[p->n_servers];

		if (!config_setting_is_group(group))
			continue;
		s->file = file;
		server_read(s, r, group, p, levels);
		if (!s->name) {
			server_free(s);
			memset(s, 0, sizeof(*s));
			continue;
		}
		for (size_t j = 0; j < p->n_servers; j++)
			server_compare(r, &p->servers[j], s);
		p->n_servers++;
	}
	levels_free(levels);
	if (p->servers)
		replicas_check(r, p);
	if (p->servers && p->n_servers > 1)
		qsort(p->servers, p->n_servers, sizeof(*p->servers), server_order);
}
