/* curfew check: the configuration, with advice. */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "commands/preview_files.h"

static bool address_is_among(void *interfaces, int family, const uint8_t *addr)
{
	for (const struct ifaddrs *i = interfaces; i; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != family)
			continue;
		if (family == AF_INET
				? !memcmp(&((const struct sockaddr_in *)i->ifa_addr)->sin_addr,
					  addr, 4)
				: !memcmp(&((const struct sockaddr_in6 *)i->ifa_addr)->sin6_addr,
					  addr, 16))
			return true;
	}
	return false;
}

static int hosts_check(struct problems *problems, const struct program *p)
{
	struct ifaddrs *interfaces = NULL;

	/* Without the list of interfaces, only this advice is missing. */
	if (getifaddrs(&interfaces) < 0)
		return 0;
	int rc = program_hosts_check(problems, p, address_is_among, interfaces);
	freeifaddrs(interfaces);
	return rc;
}

static void problems_json(const struct problems *problems)
{
	static const char *const severities[] = {[SEVERITY_ERROR] = "error",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_ADVICE] = "advice"};
	json_t *list = json_array();

	for (size_t i = 0; i < problems->n; i++) {
		const struct problem *p = &problems->items[i];
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:s, s:s}", "file", p->file, "line", p->line,
				      "severity", severities[p->severity], "text", p->text));
	}
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

static void name_print(const char *client, const char *name)
{
	/* One per line for scripts, even if a name contains special characters. */
	if (client)
		printf("%s\t", client);
	puts(name);
}

static int names_print(const struct cli *cli, const struct program *p)
{
	bool clients = streq(cli->names, "clients"), logins = streq(cli->names, "logins");

	for (size_t i = 0; i < p->n_clients && (clients || logins); i++) {
		const struct client *c = &p->clients[i];

		if (clients)
			name_print(NULL, c->name);
		for (size_t k = 0; k < c->n_users && logins; k++)
			name_print(c->name, c->users[k].login);
	}
	for (size_t i = 0; i < p->n_servers && !clients && !logins; i++)
		name_print(NULL, p->servers[i].name);
	return EXIT_FINE;
}

static int run(struct cli *cli)
{
	if (cli->names && !streq(cli->names, "clients") && !streq(cli->names, "logins") &&
		!streq(cli->names, "servers"))
		return cli_fail(cli, EXIT_USAGE,
			"invalid value '%s' for --names; use clients, logins, or servers",
			cli->names);
	if (cli->names && cli->json)
		return cli_fail(cli, EXIT_USAGE, "cannot combine --names with --json");
	struct problems problems = {0};
	struct program *p = NULL;
	int rc = program_load(&p, &problems, cli->config, (instant_t)time(NULL));

	if (!rc && p)
		rc = hosts_check(&problems, p);
	if (rc) {
		problems_free(&problems);
		program_free(p);
		return cli_fail(cli, EXIT_FAILED, "cannot read %s: %s", cli->config, strerror(-rc));
	}
	if (cli->names && p)
		names_print(cli, p);
	else if (!cli->json)
		problems_print(&problems, cli->names ? stderr : stdout);
	/* A file with errors may define the name. */
	if (p && !problems.n_errors && !cli->names) {
		const struct check_out out = {
			.to = cli->json ? NULL : stdout, .problems = &problems};

		vanished_print(cli, p, &out);
		check_state_print(cli, p, &out);
		custom_print(cli, p, &out);
	}
	if (cli->json)
		problems_json(&problems);
	if (p && !problems.n_errors && !cli->json && !cli->names) {
		printf("configuration OK: %zu client%s, %zu server%s\n", p->n_clients,
			p->n_clients == 1 ? "" : "s", p->n_servers, p->n_servers == 1 ? "" : "s");
	}
	rc = problems.n_errors ? EXIT_CONFIG : EXIT_FINE;
	problems_free(&problems);
	program_free(p);
	return rc;
}

const struct command command_check = {
	.name = "check",
	.operands = "",
	.options = OPT_JSON | OPT_NAMES,
	.summary = "Check the configuration, with advice",
	.help = "Prints every problem of every file as FILE:LINE: error|warning|advice: PROBLEM; FIX.\n"
		"Does not contact any server. Exit status: 0 no errors, 78 errors.\n",
	.run = run,
};
