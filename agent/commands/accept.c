/* curfew accept FINDING: a reviewed finding no longer makes audits fail, until it changes or until a time. Changes
 * only what is reported, never access. */
#include <string.h>

#include "commands/audit_collect.h"
#include "curfew/calendar.h"

static const struct audit_finding *finding_find(const struct audit_report *r, const char *id)
{
	for (size_t i = 0; i < r->n_findings; i++)
		if (streq(r->findings[i].id, id))
			return &r->findings[i];
	return NULL;
}

static int accept_record(const struct cli *cli, const struct collected *c,
	const struct audit_finding *f, instant_t until)
{
	char end[INSTANT_TEXT_MAX];
	_cleanup_free_ char *detail = NULL;
	struct journal *j = NULL;
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = c->report.at,
		.actor = cli_actor(),
		.reason = cli->reason,
		.client = f->client,
		.login = f->login,
		.server = f->server,
		.database = f->database,
		.action = AUDIT_ACCEPT,
		.statement = f->id,
		.after = instant_format(end, until),
		.outcome = "done",
		.configuration = c->report.program->digest};
	int code = cli_journal(&j, cli, c->report.program, true);

	if (!code && asprintf(&detail, "%s: %s", f->name, f->evidence) < 0) {
		detail = NULL;
		code = EXIT_FAILED;
	}
	e.detail = detail;
	int rc = code ? 0 : journal_write(NULL, j, &e);
	cli_journal_end(j);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "nothing accepted: %s", journal_problem(rc));
	return code ? code
		    : cli_done(cli,
			      "finding %s (%s) is accepted until %s, unless it changes; audits list it and are not failed by it",
			      f->id, f->name, end);
}

static int accept(struct cli *cli, const char *id)
{
	const struct audit_finding *f = NULL;
	struct collected c;
	instant_t until = 0;
	int code = collect(&c, cli);

	if (!code)
		code = cli_instant(
			&until, cli, "until", cli->until, c.report.program->settings.timezone);
	if (!code && until < c.report.at)
		code = cli_fail(cli, EXIT_USAGE,
			"--until '%s' is in the past; to end an acceptance, use --until now",
			cli->until);
	if (!code && !(f = finding_find(&c.report, id)))
		code = cli_fail(cli, EXIT_USAGE,
			"no finding '%s'; `curfew audit` shows the number of each; a finding that changed has another",
			id);
	if (!code && f)
		code = accept_record(cli, &c, f, until);
	collected_free(&c);
	return code;
}

static int run(struct cli *cli)
{
	const char *id = cli->operands[0];

	if (!cli->reason || !*cli->reason)
		return cli_fail(cli, EXIT_USAGE,
			"option --reason is required, for example --reason \"CS-1234: agreed with the client\"");
	if (!cli->until)
		return cli_fail(cli, EXIT_USAGE,
			"option --until is required, because every acceptance ends");
	/* The finding's number identifies its client. */
	cli->n_operands = 0;
	return accept(cli, id);
}

const struct command command_accept = {
	.name = "accept",
	.operands = "FINDING",
	.required = "--reason TEXT --until TIME",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_REASON | OPT_UNTIL_TIME | OPT_JSON,
	.summary = "Acknowledge a finding of the audit until a time",
	.help = "FINDING is the number that `curfew audit` shows. The finding stays listed and no longer causes exit status 2,\n"
		"until it changes, which gives it another number, or until that time. Recorded in the journal. Changes only what\n"
		"is reported, never who has access. --reason and --until are required.\n",
	.run = run,
};
