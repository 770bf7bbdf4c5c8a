/* An operator's word about what the records cannot tell: whose a login is, what may be forgotten, which endpoint is no
 * longer guarded, and that the journal goes on although records are missing. Each is an event in the journal. */
#include <errno.h>
#include <string.h>

#include "commands/command.h"
#include "curfew/memory.h"
#include "curfew/state.h"
#include "program/visible_text.h"

struct decision {
	const struct cli *cli;
	const struct program *program;
	struct journal *journal;
	instant_t now;
};

static int event_write(const struct decision *d, const char *action)
{
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = d->now,
		.actor = cli_actor(),
		.reason = d->cli->reason,
		.server = d->cli->operands[0],
		.login = strcmp(action, "adopt") ? NULL : d->cli->operands[1],
		.action = action,
		.outcome = "done",
		.configuration = d->program->digest};

	return journal_write(NULL, d->journal, &e);
}

static int adopt(const struct decision *d)
{
	const struct cli *cli = d->cli;
	const struct identity i = {.server = cli->operands[0], .login = cli->operands[1]};

	if (!program_server(d->program, cli->operands[0]))
		return cli_fail(cli, EXIT_USAGE,
			"no server \"%s\" in the configuration; see `curfew check`",
			cli->operands[0]);
	int rc = journal_begin(d->journal);
	if (!rc)
		rc = ledger_put(d->journal, &i);
	if (!rc)
		rc = event_write(d, "adopt");
	if (rc)
		journal_rollback(d->journal);
	else
		rc = journal_commit(d->journal);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	text_printf(stdout,
		"login %s on %s is now this agent's; `curfew plan` shows what becomes of it\n",
		cli->operands[1], cli->operands[0]);
	return EXIT_FINE;
}

static int forget(const struct decision *d)
{
	const struct cli *cli = d->cli;
	const char *server = cli->operands[0], *database = cli->operands[1];
	int rc = memory_forget(d->journal, server, database, d->now, cli_actor(), cli->reason);

	if (rc == -ENOENT)
		return cli_fail(cli, EXIT_FAILED,
			"nothing is remembered of %s%s%s; check the name, letter case included",
			server, database ? " / " : "", database ? database : "");
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	text_printf(stdout,
		"%s%s%s is forgotten: access that is still there is not looked for any more; certificates say so\n",
		server, database ? " / " : "", database ? database : "");
	return EXIT_FINE;
}

static int guards_forget(size_t *n, const struct decision *d)
{
	struct kept_guards guards;
	int rc = guards_load(&guards, d->journal);

	*n = 0;
	for (size_t i = 0; i < guards.n && !rc; i++) {
		if (!streq(guards.items[i].server, d->cli->operands[0]))
			continue;
		rc = guards_drop(d->journal, guards.items[i].server, &guards.items[i].endpoint);
		++*n;
	}
	kept_guards_free(&guards);
	return rc;
}

static int unguard(const struct decision *d)
{
	const struct cli *cli = d->cli;
	size_t n = 0;
	int rc = journal_begin(d->journal);

	if (!rc)
		rc = guards_forget(&n, d);
	if (!rc && n)
		rc = event_write(d, "unguard");
	if (rc)
		journal_rollback(d->journal);
	else
		rc = journal_commit(d->journal);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	if (!n)
		return cli_fail(cli, EXIT_FAILED, "no guard of server %s is kept; check the name",
			cli->operands[0]);
	text_printf(stdout,
		"what the configuration does not name of %s is unguarded by the next `curfew apply`: everybody will reach it\n",
		cli->operands[0]);
	return EXIT_FINE;
}

static int accept_loss(const struct decision *d)
{
	int rc = loss_accept(d->journal, d->now, cli_actor(), d->cli->reason);

	/* Said before a pass has noticed, on a second gateway's first day. */
	if (rc == -ENOENT)
		rc = event_write(d, "accept-loss");
	if (!rc)
		rc = head_copy_save(d->journal);
	if (rc)
		return cli_fail(d->cli, EXIT_FAILED, "%s", journal_problem(rc));
	puts("loss accepted: access that is scheduled is granted again; to keep a user blocked, run `curfew revoke` first, then `curfew apply`");
	return EXIT_FINE;
}

static int decide(struct cli *cli, int (*what)(const struct decision *d))
{
	struct program *p;
	struct decision d = {.cli = cli};
	int code;

	if (!cli->reason || !*cli->reason)
		return cli_fail(cli, EXIT_USAGE,
			"option --reason is required, for example --reason \"CS-1234: server scrapped\"");
	code = cli_load_in_force(&p, cli);
	if (code)
		return code;
	d.program = p;
	code = cli_now(&d.now, cli, p, NULL);
	if (!code)
		code = cli_journal(&d.journal, cli, p, true);
	if (!code)
		code = what(&d);
	journal_close(d.journal);
	program_free(p);
	return code;
}

static int run_adopt(struct cli *cli)
{
	return decide(cli, adopt);
}

static int run_forget(struct cli *cli)
{
	return decide(cli, forget);
}

static int run_unguard(struct cli *cli)
{
	return decide(cli, unguard);
}

static int run_accept_loss(struct cli *cli)
{
	return decide(cli, accept_loss);
}

const struct command command_adopt = {
	.name = "adopt",
	.operands = "SERVER LOGIN",
	.required = "--reason TEXT",
	.min_operands = 2,
	.max_operands = 2,
	.options = OPT_REASON,
	.summary = "Take a marked login that nobody names as this agent's",
	.help = "For a login that bears Curfew's mark and that neither the configuration nor the journal names: what another\n"
		"configuration made, or a lost one left. Afterwards it is removed unless the configuration schedules it.\n"
		"--reason is required.\n",
	.run = run_adopt,
};

const struct command command_forget = {
	.name = "forget",
	.operands = "SERVER [DATABASE]",
	.required = "--reason TEXT",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_REASON,
	.summary = "Stop looking for access that cannot be verified gone",
	.help = "For a server or database that does not exist any more: what was given there is no longer looked for and no\n"
		"longer overdue. The certificate lists it. --reason is required.\n",
	.run = run_forget,
};

const struct command command_unguard = {
	.name = "unguard",
	.operands = "SERVER",
	.required = "--reason TEXT",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_REASON,
	.summary = "Let everybody reach a server that left the configuration",
	.help = "The guard of an endpoint that the configuration no longer names stays until the server's logins are verified\n"
		"gone. This takes it away before. --reason is required.\n",
	.run = run_unguard,
};

const struct command command_accept_loss = {
	.name = "accept-loss",
	.operands = "",
	.required = "--reason TEXT",
	.options = OPT_REASON,
	.summary = "Continue although records of the journal are missing",
	.help = "While records are missing nothing is opened: nobody knows who was revoked. Restore the journal if you can.\n"
		"Otherwise, and for a second gateway's first day, this says that it may continue. --reason is required.\n",
	.run = run_accept_loss,
};
