/* curfew audit: observed against scheduled access, verified by the servers themselves, and residual access. */
#include <errno.h>
#include <string.h>

#include "commands/audit_collect.h"
#include "commands/audit_population.h"

static int show(const struct cli *cli, const struct collected *c)
{
	if (cli->html) {
		FILE *to = cli_output(cli, cli->html);
		if (!to)
			return EXIT_FAILED;
		int rc = audit_html(&c->report, to);
		if (to != stdout && fclose(to))
			rc = -EIO;
		if (rc)
			return cli_fail(
				cli, EXIT_FAILED, "cannot write %s: %s", cli->html, strerror(-rc));
	}
	if (cli->json)
		return json_print(audit_json(&c->report), stdout) ? EXIT_FAILED : EXIT_FINE;
	if (!cli->html || !streq(cli->html, "-"))
		return audit_print(&c->report, stdout) ? EXIT_FAILED : EXIT_FINE;
	return EXIT_FINE;
}

/* Success only when all access is as scheduled and verified. */
static bool is_clean(const struct collected *c)
{
	if (audit_state(&c->report) != STATE_OK)
		return false;
	for (size_t i = 0; i < c->report.n_proofs; i++)
		if (!is_verified(c->report.proofs[i].outcome))
			return false;
	for (size_t i = 0; i < c->report.n_findings; i++)
		if (streq(c->report.findings[i].name, AUDIT_NOT_SHOWN))
			return false;
	return true;
}

static int run(struct cli *cli)
{
	struct collected c;

	if (cli->from || cli->to)
		return audit_population(cli);
	if (cli->csv)
		return cli_fail(cli, EXIT_USAGE, "--csv needs --from: access between two times");
	int code = collect(&c, cli);

	if (!code)
		code = show(cli, &c);
	if (!code && !is_clean(&c))
		code = EXIT_DIFFERENT;
	collected_free(&c);
	return code;
}

const struct command command_audit = {
	.name = "audit",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_HTML | OPT_FROM | OPT_TO | OPT_CSV,
	.summary = "Verify current access and search for residual access",
	.help = "Checks the effective permissions of every user on each server, compares them with the schedule, and\n"
		"searches for residual access. Changes nothing.\n"
		"With --from: everybody who had access between two times, from the journal and its archives alone, with approver,\n"
		"due and actual end, and evidence. Exit status 2 if access ended late or its end is not confirmed.\n"
		"Exit status: 0 all access is ok and verified, 2 it is not, 1 the audit failed.\n",
	.run = run,
};
