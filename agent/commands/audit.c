/* curfew audit: observed against scheduled access, verified by the servers themselves, and residual access. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/audit_collect.h"
#include "commands/audit_first_seen.h"
#include "commands/audit_population.h"
#include "commands/past_records.h"

/* All lists of the report as one, since a file has one table: the first column says of which a row is. */
static int csv_print(const struct audit_report *a)
{
	static const char *const lists[] = {
		"findings", "grants", "residual", "sessions", "proofs", "servers"};
	static const char *const members[] = {"list", "client", "login", "server", "database",
		"state", "level", "observed", "until", "name", "also", "severity", "evidence",
		"remedy", "id", "accepted_until", "outcome", "detail", "session", "address",
		"program", "since", "at", "record", "practice", NULL};
	json_t *whole = audit_json(a), *rows = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		json_t *row;
		size_t n;

		json_array_foreach(json_object_get(whole, lists[i]), n, row)
		{
			json_object_set_new(row, "list", json_string(lists[i]));
			json_object_set(row, "practice", json_object_get(whole, "practice"));
			json_object_set(row, "accepted_until",
				json_object_get(json_object_get(row, "accepted"), "until"));
			json_array_append(rows, row);
		}
	}
	json_decref(whole);
	return json_print_csv(rows, members, stdout) ? EXIT_FAILED : EXIT_FINE;
}

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
	if (cli->csv)
		return csv_print(&c->report);
	if (!cli->html || !streq(cli->html, "-"))
		return audit_print(&c->report, stdout) ? EXIT_FAILED : EXIT_FINE;
	return EXIT_FINE;
}

/* The page alone has the history. */
static int lost_find(struct cli *cli, struct collected *c)
{
	const struct client *client = c->context.client;

	return cli->html && c->context.journal
		       ? past_lost_here(&c->report.lost, cli, c->context.journal,
				 client ? client->starts : INT64_MIN, c->report.at)
		       : 0;
}

/* Whether all access is as scheduled and verified. */
static bool is_clean(const struct collected *c)
{
	if (audit_state(&c->report) != STATE_OK)
		return false;
	for (size_t i = 0; i < c->report.n_proofs; i++)
		if (!is_verified(c->report.proofs[i].outcome))
			return false;
	return true;
}

static int run(struct cli *cli)
{
	struct collected c;

	if (cli->since && (cli->from || cli->to))
		return cli_fail(cli, EXIT_USAGE, "cannot combine --since with --from and --to");
	if (cli->from || cli->to)
		return audit_population(cli);
	int code = collect(&c, cli);

	if (!code)
		code = lost_find(cli, &c);
	if (!code) {
		audit_first_seen_record(&c);
		code = show(cli, &c);
	}
	if (!code && !is_clean(&c))
		code = EXIT_DIFFERENT;
	collected_free(&c);
	return code;
}

const struct command command_audit = {
	.name = "audit",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_HTML | OPT_FROM | OPT_SINCE | OPT_TO | OPT_CSV,
	.summary = "Verify current access and search for residual access",
	.help = "Checks the effective permissions of every user on each server, compares them with the schedule, and\n"
		"searches for residual access. Changes no access.\n"
		"With --since: only findings that no audit saw before that time, as they are now; the journal records the first\n"
		"sight of each. Exit status 2 then means that something is new.\n"
		"With --from: everybody who had access between two times, from the journal and its archives alone, with approver,\n"
		"due and actual end, and evidence. Exit status 2 if access ended late or its end is not confirmed.\n"
		"Exit status: 0 all access is ok and verified, 2 it is not, 1 the audit failed.\n",
	.run = run,
};
