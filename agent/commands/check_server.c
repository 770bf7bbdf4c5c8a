/* curfew check-server SERVER: everything that Curfew will ask of a server, tried once and told line by line. */
#include "curfew/server_check.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/check_server_report.h"
#include "commands/command.h"

/* Seconds for all questions together; each answer is bounded by the server's deadline. */
#define CHECK_DEADLINE 600

static int check_run(struct check_report *report, const struct server_check *check)
{
	const struct server *s = check->visit.server;
	const char *const read[] = {s->ca_file, NULL};
	const uint16_t connect[] = {s->port, 0};
	const struct sandbox_paths paths = {.read = read, .connect = connect};
	struct server_check own = *check;
	const struct worker_job job = {.name = check->shown,
		.prepare = server_check_prepare,
		.run = server_check_run,
		.context = &own,
		.paths = &paths};

	return workers_run(&job, 1, 1, CHECK_DEADLINE, check_report_take, report);
}

static int check_all(struct cli *cli, const struct program *p, const struct server *s)
{
	size_t room = 1;
	for (size_t i = 0; i < p->n_clients; i++)
		room += p->clients[i].n_databases;
	_cleanup_free_ char **databases = calloc(room, sizeof(*databases));
	if (!databases)
		return EXIT_FAILED;
	const struct server_check check = {.shown = cli->anonymous ? "SERVER" : s->name,
		.anonymous = cli->anonymous,
		.databases = databases,
		.n_databases = cli_databases(databases, p, s),
		.visit = {.program = p, .server = s}};
	struct check_report report = {.json = cli->json, .server = check.shown};
	int rc = check_report_begin(&report);
	if (!rc)
		rc = check_run(&report, &check);
	if (rc)
		cli_fail(cli, EXIT_FAILED, "%s", strerror(-rc));
	return check_report_end(&report, rc);
}

static int run(struct cli *cli)
{
	const struct server *s;
	struct program *p;
	int code = cli_load(&p, cli);

	if (code)
		return code;
	code = cli_server(&s, cli, p);
	if (!code && cli->unprivileged)
		code = cli_fail(cli, EXIT_FAILED,
			"root is required to read the agent's credentials; run `sudo curfew check-server %s`",
			s->name);
	if (!code)
		code = check_all(cli, p, s);
	program_free(p);
	return code;
}

const struct command command_check_server = {
	.name = "check-server",
	.operands = "SERVER",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_JSON | OPT_ANONYMOUS,
	.summary = "Try everything that Curfew asks of a server",
	.help = "For a new server, before it is trusted: connects as the agent and prints one line for each thing tried:\n"
		"ok, FAIL or skip, its name, what was seen; what to do. Changes nothing.\n"
		"Exit status: 0 all is ok, 2 something failed, 1 the server could not be reached.\n",
	.run = run,
};
