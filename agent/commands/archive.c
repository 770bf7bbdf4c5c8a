/* curfew archive FILE --to TIME: the journal's older records in a file of their own, the chain unbroken. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/report.h"

static int asked_record(
	struct journal *j, const struct cli *cli, const struct program *p, instant_t now)
{
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = now,
		.actor = cli_actor(),
		.action = "archive",
		.reason = cli->reason,
		.statement = cli->operands[0],
		.configuration = p->digest};

	return journal_write(NULL, j, &e);
}

static int result_print(const struct cli *cli, struct journal *j)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	char hex[2 * JOURNAL_HASH_SIZE + 1];
	int64_t id = 0;
	int rc = journal_anchor(hash, &id, j);

	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	if (cli->json)
		return json_print(json_pack("{s:s, s:I, s:s}", "file", cli->operands[0], "up_to",
					  (json_int_t)id, "hash", hex),
			       stdout)
			       ? EXIT_FAILED
			       : EXIT_FINE;
	printf("records up to %lld are in %s now, whose head the journal goes on from:\n%s\n"
	       "keep that file as long as questions about its time may be asked; it is a journal like this one\n",
		(long long)id, cli->operands[0], hex);
	return EXIT_FINE;
}

static int archive(const struct cli *cli, const struct program *p, struct journal *j, instant_t to)
{
	instant_t now;
	int code = cli_now(&now, cli, p, p->settings.timezone);

	if (code)
		return code;
	if (to > now)
		return cli_fail(cli, EXIT_USAGE,
			"--to '%s' is still to come; take an instant that is past", cli->to);
	/* Refused before it is said on record that it was asked for. */
	if (access(cli->operands[0], F_OK) == 0)
		return cli_fail(cli, EXIT_FAILED,
			"%s is there already; an archive is never written over: name another",
			cli->operands[0]);
	int rc = asked_record(j, cli, p, now);
	if (rc == 0)
		rc = journal_archive(j, to, cli->operands[0]);
	if (rc == JOURNAL_NOTHING) {
		puts("nothing to archive: no record is that old, or the oldest announces a change that is still under way");
		return EXIT_FINE;
	}
	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "%s: %s", cli->operands[0], journal_problem(rc));
	return result_print(cli, j);
}

static int run(struct cli *cli)
{
	struct program *p;
	struct journal *j = NULL;
	instant_t to = 0;
	int code = cli_load(&p, cli);

	if (code)
		return code;
	if (!cli->to)
		code = cli_fail(cli, EXIT_USAGE,
			"--to is missing; write which records: --to 2026-01-01 for all before that day");
	else
		code = cli_instant(&to, cli, "to", cli->to, p->settings.timezone);
	if (!code)
		code = cli_journal(&j, cli, p, false);
	if (!code && !j)
		code = cli_fail(cli, EXIT_FAILED,
			"there is no journal in %s yet: nothing to archive",
			p->settings.state_directory);
	journal_close(j);
	j = NULL;
	if (!code)
		code = cli_journal(&j, cli, p, true);
	if (!code)
		code = archive(cli, p, j, to);
	journal_close(j);
	program_free(p);
	return code;
}

const struct command command_archive = {
	.name = "archive",
	.operands = "FILE",
	.required = "--to TIME",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_JSON | OPT_TO | OPT_REASON,
	.summary = "Move the journal's older records into a file of their own",
	.help = "The chain stays whole over both files: the journal goes on from the archive's head. FILE must not be\n"
		"there yet. What is still in force is carried over, so that the journal answers for every instant\n"
		"from TIME on; for earlier ones the archive does, which sqlite3 opens like the journal itself.\n",
	.run = run,
};
