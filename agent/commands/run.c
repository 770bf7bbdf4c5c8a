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
