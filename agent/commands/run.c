/* curfew run: the service. */
#include "commands/command.h"
#include "curfew/service.h"

static int run_run(struct cli *cli)
{
	const struct service_options o = {.config = cli->config};

	return service_run(&o);
}

const struct command command_run = {
	.name = "run",
	.operands = "",
	.summary = "Run the service: enforce the schedule by itself",
	.help = "Makes a pass at each instant at which the schedule says so, at start, after a reload, at an interval\n"
		"(`interval`), and when a server that failed is due; closes the network at once, whatever servers do.\n"
		"SIGHUP reads the configuration again; SIGTERM ends it, and the kernel goes on enforcing.\n"
		"Messages go to the system log (fields CURFEW_CLIENT, CURFEW_LOGIN, CURFEW_SERVER), figures to\n"
		"`metrics_file`, commands through the socket in `runtime_directory`.\n",
	.run = run_run,
};

static int run_firewall(struct cli *cli)
{
	const struct service_options o = {.config = cli->config};

	return service_firewall(&o);
}

const struct command command_firewall = {
	.name = "firewall",
	.operands = "",
	.summary = "The firewall process, where the service manager starts it",
	.help = "For curfew-firewall.service alone. Keeps CAP_NET_ADMIN, checks every entry against the configuration\n"
		"that it reads itself, and ends with the service that called it. Without that unit `curfew run` forks it.\n",
	.run = run_firewall,
};
