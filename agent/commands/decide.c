/* curfew adopt, forget, unguard, and accept-loss: an operator decides what the records do not show: which agent manages a
 * login, what to forget, which endpoint is no longer guarded, and to continue with missing records. Each is an event in the
 * journal. */
#include <errno.h>
#include <string.h>

#include "commands/adoptable.h"
#include "commands/remembered.h"
#include "curfew/state_tables.h"
#include "curfew/state.h"

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
		.login = streq(action, "adopt") ? d->cli->operands[1] : NULL,
		.action = action,
		.outcome = "done",
		.configuration = d->program->digest};

	return journal_write(NULL, d->journal, &e);
}

static int adopt(const struct decision *d)
{
	const struct cli *cli = d->cli;
	const struct identity i = {.server = cli->operands[0], .login = cli->operands[1]};

	int code = adoptable_check(cli, d->program, d->journal, d->now);

	if (code)
		return code;
	int rc = journal_begin(d->journal);
	if (!rc)
		rc = ledger_put(d->journal, &i);
	if (!rc)
		rc = event_write(d, "adopt");
	rc = journal_end(d->journal, rc);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	return cli_done(cli,
		"this agent now manages login %s on %s; to see its changes, run `curfew plan`",
		cli->operands[1], cli->operands[0]);
}

/* Whether the configuration still names it: Curfew goes on looking there, and giving, so that nothing could be forgotten
 * for long, and what it knows of ends would be missing meanwhile. 0 or exit code. */
static int forget_refuse(const struct decision *d, const char *server, const char *database)
{
	if (!database && program_server(d->program, server))
		return cli_fail(d->cli, EXIT_FAILED,
			"server %s is in the configuration, so Curfew goes on looking there: take it out of curfew.conf and the "
			"client files first; one database: curfew forget %s DATABASE",
			server, server);
	for (size_t i = 0; database && i < d->program->n_clients; i++)
		if (client_names_database(d->program, &d->program->clients[i], server, database))
			return cli_fail(d->cli, EXIT_FAILED,
				"client %s names %s / %s: take it out of the client's file first",
				d->program->clients[i].name, server, database);
	return 0;
}

/* Nothing was given there: it only keeps others' ends on the server from being verified, because nobody can read it. */
static int unread_decide(const struct decision *d, const char *server, const char *database)
{
	const struct cli *cli = d->cli;
	bool told = false;

	int rc = journal_unread_was_told(&told, d->journal, server, database);
	if (!rc && !told)
		return cli_fail(cli, EXIT_FAILED,
			"the journal has nothing about %s / %s; check the name and its case",
			server, database);
	if (!rc)
		rc = unread_forget(d->journal, server, database, d->now, cli_actor(), cli->reason);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	return cli_done(cli,
		"%s / %s: ends on %s are verified without it while it cannot be read, and certificates say so",
		server, database, server);
}

static int forget(const struct decision *d)
{
	const struct cli *cli = d->cli;
	const char *server = cli->operands[0], *database = cli->operands[1];
	int code = forget_refuse(d, server, database);

	if (code)
		return code;
	int rc = memory_forget(d->journal, server, database, d->now, cli_actor(), cli->reason);

	if (rc == -ENOENT && database)
		return unread_decide(d, server, database);
	if (rc == -ENOENT)
		return cli_fail(cli, EXIT_FAILED,
			"the journal has nothing about %s; check the name and its case", server);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	return cli_done(cli,
		"%s%s%s is forgotten: Curfew no longer looks for access there, and certificates say so%s",
		server, database ? " / " : "", database ? database : "",
		database ? "" : "; the next `curfew apply` removes its guards");
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
	_cleanup_free_ char *why = NULL;
	instant_t at;
	size_t n = 0;
	int rc = loss_read(&at, &why, d->journal);

	/* No pass opens anything, and the next start would take the guard back from the firewall process. */
	if (!rc)
		return cli_fail(cli, EXIT_FAILED,
			"the guard stays while records are missing; first restore the journal, or run `curfew accept-loss --reason "
			"TEXT`; records: %s",
			why);
	rc = rc == -ENOENT ? journal_begin(d->journal) : rc;
	if (!rc)
		rc = guards_forget(&n, d);
	if (!rc && n)
		rc = event_write(d, "unguard");
	rc = journal_end(d->journal, rc);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	if (!n)
		return cli_fail(cli, EXIT_FAILED,
			"server %s has no guard but those that curfew.conf names; check the name, or take the endpoint out of its \"endpoints\" first",
			cli->operands[0]);
	return cli_done(cli,
		"the next `curfew apply` removes the guards of %s that the configuration does not name; then everybody can "
		"reach these endpoints",
		cli->operands[0]);
}

static int accept_loss(const struct decision *d)
{
	int rc = loss_accept(d->journal, d->now, cli_actor(), d->cli->reason);
	bool may_be = false;

	/* No pass has noticed the loss yet, as when a second gateway starts: it has records of what was revoked there,
	 * and of the service, before any server answers. */
	if (rc == -ENOENT) {
		rc = loss_may_be_unnoticed(&may_be, d->journal);
		if (!rc && !may_be)
			return cli_fail(d->cli, EXIT_FAILED,
				"no records are missing, so there is no loss to accept; if a snapshot of this host was put back, see "
				"\"Restore the journal\" in docs/troubleshooting.md");
		rc = rc ? rc : event_write(d, "accept-loss");
	}
	if (rc)
		return cli_fail(d->cli, EXIT_FAILED, "%s", journal_problem(rc));
	return cli_done(d->cli,
		"loss accepted: users who are not revoked get their scheduled access at the next pass");
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
		code = remembered_take(NULL, cli, p, d.journal, d.now);
	if (!code)
		code = what(&d);
	cli_journal_end(d.journal);
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
	.options = OPT_REASON | OPT_JSON,
	.summary = "Manage an unknown login of server role curfew_logins",
	.help = "For a member of curfew_logins that neither the configuration nor the journal names, because another\nagent "
		"created it or records were lost. The server is asked whether it has that member. Afterwards Curfew removes "
		"the\nlogin unless it is scheduled. --reason is required.\n",
	.run = run_adopt,
};

const struct command command_forget = {
	.name = "forget",
	.operands = "SERVER [DATABASE]",
	.required = "--reason TEXT",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_REASON | OPT_JSON,
	.summary = "Stop looking for access that cannot be verified as removed",
	.help = "For a server or database that no longer exists: Curfew stops looking for former access there, and it is "
		"no\nlonger overdue. Take it out of the configuration first. With a server its guards go: after the next pass "
		"everybody can\nreach its endpoints. Also for a database that can never be read, and to which Curfew gave nobody access: ends "
		"on its\nserver are verified without it. The certificate lists it as not looked for any more, with the "
		"reason.\n--reason is required.\n",
	.run = run_forget,
};

const struct command command_unguard = {
	.name = "unguard",
	.operands = "SERVER",
	.required = "--reason TEXT",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_REASON | OPT_JSON,
	.summary = "Remove the guard of a server that left the configuration",
	.help = "The guard of an endpoint that left the configuration stays until the removal of the server's logins "
		"is\nverified. After this command the next pass removes it without waiting for that, and then everybody can reach "
		"the\nendpoint. While records of the journal are missing it is refused: first restore the journal, or "
		"accept\nthe loss (curfew accept-loss). --reason is required.\n",
	.run = run_unguard,
};

const struct command command_accept_loss = {
	.name = "accept-loss",
	.operands = "",
	.required = "--reason TEXT",
	.options = OPT_REASON | OPT_JSON,
	.summary = "Continue although records of the journal are missing",
	.help = "While records are missing no access is granted, because the revocations are unknown. Restore the journal "
		"if\nyou can; see \"Restore the journal\" in docs/troubleshooting.md. Otherwise, and when a second gateway "
		"starts, this\ncommand continues without them. First run `curfew revoke CLIENT USER --reason TEXT` for each "
		"user who must stay\nblocked: users who are not revoked get their scheduled access at the next pass. --reason "
		"is required.\n",
	.run = run_accept_loss,
};
