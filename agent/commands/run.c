/* curfew run, curfew firewall, curfew notify: the three processes that the service manager starts. */
#include "commands/command.h"
#include "curfew/sender.h"
#include "curfew/service.h"

static int run_run(struct cli *cli)
{
	const struct service_options o = {.config = cli->config};

	return service_run(&o);
}

const struct command command_run = {
	.name = "run",
	.operands = "",
	.summary = "Run the service that enforces the schedule",
	.help = "Makes a pass at start, at each scheduled time, after a reload, at an interval (`interval`), and to retry a\n"
		"server that failed. Blocks network access on time, whatever the servers do. SIGHUP reloads the configuration.\n"
		"SIGTERM stops the service; the kernel still enforces all end times. Messages go to the system log (fields\n"
		"CURFEW_CLIENT, CURFEW_LOGIN, CURFEW_SERVER), metrics to `metrics_file`. Commands use the socket in\n"
		"`runtime_directory`.\n",
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
	.summary = "Run the firewall process (for the service manager)",
	.help = "For curfew-firewall.service only. Keeps CAP_NET_ADMIN, checks every entry against the configuration that it\n"
		"reads itself, and stops with its service. Without that unit, `curfew run` starts the firewall process.\n",
	.run = run_firewall,
};

static int run_notify(struct cli *cli)
{
	return sender_main(
		cli->n_operands ? cli->operands[0] : "/run/curfew/" SENDER_SOCKET, false);
}

const struct command command_notify = {
	.name = "notify",
	.operands = "[SOCKET]",
	.max_operands = 1,
	.summary = "Run the process that sends notices (for the service manager)",
	.help = "Takes one mail at a time from the service at SOCKET (/run/curfew/notify) and sends it. Has the mail password and\n"
		"the network, and reads neither the configuration nor the journal. Ends with the service's connection: the\n"
		"service manager starts it again.\n",
	.run = run_notify,
};
