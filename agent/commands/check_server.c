/* curfew check-server SERVER: tries everything that Curfew needs from a server, and prints a line for each check. */
#include "curfew/server_check.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/check_server_job.h"
#include "commands/check_server_life.h"
#include "commands/command.h"

static int check_run(struct check_report *report, const struct server_check *check)
{
	struct server_check own = *check;
	struct check_job job;

	check_job_set(&job, check->visit.server, check->shown, server_check_prepare,
		server_check_run, &own);
	return check_job_run(&job, check_report_take, report);
}

/* Never use a client's database for tests. */
static int scratch_refuse(const struct cli *cli, const struct server_check *check)
{
	for (size_t i = 0; i < check->n_databases && cli->life; i++)
		if (names_equal(check->databases[i], cli->life))
			return cli_fail(cli, EXIT_USAGE,
				"database %s is a client's; make an empty scratch database, and name that with --life",
				cli->life);
	return 0;
}

static int check_all(struct cli *cli, const struct program *p, const struct server *s)
{
	size_t room = 2;
	for (size_t i = 0; i < p->n_clients; i++)
		room += p->clients[i].n_databases;
	_cleanup_free_ char **databases = calloc(room, sizeof(*databases));
	if (!databases)
		return EXIT_FAILED;
	struct server_check check = {.anonymous = cli->anonymous,
		.databases = databases,
		.n_databases = cli_databases(databases, p, s),
		.visit = {.program = p, .server = s}};
	check.shown = server_check_shown(&check, "SERVER", s->name);
	int code = scratch_refuse(cli, &check);
	if (code)
		return code;
	if (cli->life)
		databases[check.n_databases++] = (char *)(uintptr_t)cli->life;
	struct check_report report = {.json = cli->json, .server = check.shown};
	int rc = check_report_begin(&report);
	if (!rc)
		rc = check_run(&report, &check);
	if (!rc && cli->life)
		rc = check_life(&report, &check, cli->life);
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
	.options = OPT_JSON | OPT_LIFE | OPT_ANONYMOUS,
	.summary = "Try everything that Curfew asks of a server",
	.help = "For a new server, before it is trusted: connects as the agent and prints one line for each thing tried:\n"
		"ok, FAIL or skip, its name, what was seen; what to do. Changes nothing. With --life DATABASE also makes a\n"
		"throw-away login, gives it full and then read-only access to that scratch database, and removes it.\n"
		"Exit status: 0 all is ok, 2 something failed, 1 the server could not be reached.\n",
	.run = run,
};
