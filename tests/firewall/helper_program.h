/* A program of one server and one client, and entries for it: what the firewall process is asked about. */
#ifndef CURFEW_TESTS_HELPER_PROGRAM_H
#define CURFEW_TESTS_HELPER_PROGRAM_H

#include "lab.h"

#include <sys/socket.h>
#include "curfew/firewall_process.h"
#include "firewall/helper_client.h"

#define NOW INT64_C(1795392408)

/* A program of one server and one client, small enough to be written out. */
static struct endpoint endpoints[1];
static struct guard guards[1];
static struct source sources[2], trusted_sources[1];
static struct user users[1];
static struct database databases[1];
static struct client clients[1];
static struct server servers[1];
static struct program program;

static UNUSED void program_make(void)
{
	assert_int_equal(endpoint_parse(&endpoints[0], "192.0.2.10:1433"), 0);
	guards[0] = (struct guard){endpoints[0], "sql01"};
	sources[0] = source_of("203.0.113.7");
	sources[1] = source_of("198.51.100.0/29");
	trusted_sources[0] = source_of("10.0.0.0/24");
	users[0] =
		(struct user){.login = (char *)"acme.jane.doe", .sources = sources, .n_sources = 2};
	databases[0] = (struct database){.name = (char *)"AcmeTest"};
	clients[0] = (struct client){.name = (char *)"acme",
		.end = NOW + 1000,
		.databases = databases,
		.n_databases = 1,
		.users = users,
		.n_users = 1};
	servers[0] = (struct server){.name = (char *)"sql01",
		.endpoints = endpoints,
		.n_endpoints = 1,
		.trusted = trusted_sources,
		.n_trusted = 1};
	program = (struct program){
		.servers = servers, .n_servers = 1, .clients = clients, .n_clients = 1};
	program.settings.widest_prefix4 = 24;
	program.settings.widest_prefix6 = 48;
	program.settings.firewall =
		(struct firewall_settings){.enabled = true, .hooks = HOOK_INPUT, .priority = -10};
	snprintf(program.digest, sizeof(program.digest), "%064d", 1);
}

static UNUSED struct allow allow_of(const char *source, const char *endpoint, instant_t until)
{
	struct allow a = {
		.source = source_of(source), .until = until, .comment = "acme/acme.jane.doe"};

	assert_int_equal(endpoint_parse(&a.endpoint, endpoint), 0);
	return a;
}

/* The client's end in seconds from now, since the process goes by the machine's clock. */
static UNUSED struct allowlist list_of(struct allow *a, size_t n)
{
	static struct trusted t[1];

	t[0] = (struct trusted){.source = trusted_sources[0], .endpoint = endpoints[0]};
	return (struct allowlist){.allows = a,
		.n_allows = n,
		.guards = guards,
		.n_guards = 1,
		.trusted = t,
		.n_trusted = 1};
}

#endif
