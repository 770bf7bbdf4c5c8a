/* How a user connects, with the field names of SQL Server Management Studio. Other programs use similar names. */
#include "report/connection.h"

#include <string.h>
#include <sys/socket.h>

#include <jansson.h>

#include "curfew/report.h"

/* The default database of every login that Curfew creates. */
#define DEFAULT_DATABASE "master"
/* "address,port", without the brackets that other programs need around an IPv6 address. */
#define SERVER_NAME_MAX (ENDPOINT_TEXT_MAX + 8)

static const char *server_name(char buf[SERVER_NAME_MAX], const struct endpoint *e)
{
	struct source s = {.family = e->family, .prefix = e->family == AF_INET ? 32 : 128};
	char address[SOURCE_TEXT_MAX];

	memcpy(s.addr, e->addr, sizeof(s.addr));
	snprintf(buf, SERVER_NAME_MAX, "%s,%u", source_format(address, &s), e->port);
	return buf;
}

/* The certificate has the name that the agent connects to. Clients compare it with the name that the user typed. */
static bool is_certified(const struct server *s, const char *name)
{
	size_t len = strlen(s->host);

	return strncmp(name, s->host, len) == 0 && name[len] == ',';
}

static bool is_open(const struct grant *k, const struct server *s, const struct user *u)
{
	return k->server == s && k->user == u && k->level != LEVEL_NONE;
}

static void names_print(const struct server *s, unsigned hooks, FILE *to)
{
	char name[SERVER_NAME_MAX];
	bool other = false;

	/* Endpoints are optional if the firewall is disabled. */
	if (!s->n_endpoints) {
		fprintf(to, "  Server name               %s,%u\n", s->host, s->port);
		return;
	}
	for (size_t i = 0; i < s->n_endpoints; i++) {
		server_name(name, &s->endpoints[i]);
		other = other || !is_certified(s, name);
		fprintf(to, "  %-24s  %s\n", i ? "or" : "Server name", name);
	}
	if (hooks & HOOK_FORWARD)
		fputs("                            (where a gateway translates addresses: its address and port)\n",
			to);
	if (other)
		fprintf(to, "  Host name in certificate  %s\n", s->host);
}

void connection_print(const struct server *s, const struct user *u, const struct grants *g,
	unsigned hooks, FILE *to)
{
	const char *before = "";

	fprintf(to, "\n%s, in SSMS\n", s->name);
	names_print(s, hooks, to);
	fprintf(to,
		"  Authentication            SQL Server Authentication\n"
		"  Login                     %s\n"
		"  Encryption                Mandatory, or Strict where the server has it\n"
		"  Trust server certificate  no (install the CA certificate on the computer)\n"
		"  Connect to database       " DEFAULT_DATABASE
		", the login's default, or one of:\n"
		"                            ",
		u->login);
	for (size_t i = 0; i < g->n; i++) {
		const struct grant *k = &g->items[i];

		if (!is_open(k, s, u))
			continue;
		fprintf(to, "%s%s (%s)", before, k->database->name, level_name(k->level));
		before = ", ";
	}
	fprintf(to, "\n  First connection          %s\n",
		s->must_change
			? "must change the password: SSMS asks for a new one\n"
			  "                            (error 18488 in tools that cannot ask)"
			: "password change not enforced (must_change = false);\n"
			  "                            the user must run ALTER LOGIN now");
}

json_t *connection_json(const struct server *s, const struct user *u, const struct grants *g)
{
	json_t *names = json_array(), *databases = json_array();
	char name[SERVER_NAME_MAX];

	for (size_t i = 0; i < s->n_endpoints; i++)
		json_array_append_new(names, json_string(server_name(name, &s->endpoints[i])));
	if (!s->n_endpoints)
		json_array_append_new(names, json_sprintf("%s,%u", s->host, s->port));
	for (size_t i = 0; i < g->n; i++)
		if (is_open(&g->items[i], s, u))
			json_array_append_new(databases,
				json_pack("{s:s, s:s}", "name", g->items[i].database->name, "level",
					level_name(g->items[i].level)));
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:b}", "server", s->name,
		"server_names", names, "host_name_in_certificate", s->host, "login", u->login,
		"encryption", "mandatory", "default_database", DEFAULT_DATABASE, "databases",
		databases, "must_change", s->must_change);
}
