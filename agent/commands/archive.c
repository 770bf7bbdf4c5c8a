/* curfew archive FILE --to TIME: the journal's older records in a file of their own, the chain unbroken. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "curfew/state_tables.h"

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
	printf("records up to %lld are now in %s; the journal continues from its head:\n%s\n"
	       "Keep this file for as long as you must answer questions about that period. It is a complete journal.\n",
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
		return cli_fail(
			cli, EXIT_USAGE, "--to '%s' is in the future; use a past time", cli->to);
	/* Check before the request is recorded. */
	if (access(cli->operands[0], F_OK) == 0)
		return cli_fail(cli, EXIT_FAILED, "%s already exists; choose another file name",
			cli->operands[0]);
	int rc = asked_record(j, cli, p, now);
	/* What tells that the journal is this host's own must not be older than the cut. */
	if (!rc)
		rc = head_copy_save(j);
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"nothing was archived: cannot write the journal: %s", journal_problem(rc));
	rc = journal_archive(j, to, cli->operands[0]);
	if (rc == JOURNAL_NOTHING) {
		cli_fail(cli, 0,
			"nothing to archive: no record is that old, or the oldest one belongs to a change that has not finished");
		return cli->json && json_print(json_null(), stdout) ? EXIT_FAILED : EXIT_FINE;
	}
	if (rc < 0)
		return cli_fail(cli, EXIT_FAILED, "%s: %s", cli->operands[0], journal_problem(rc));
	return result_print(cli, j);
}

/* The journal names the file for years, and is asked from anywhere. NULL: no memory, or no current directory. */
static char *path_whole(const char *path)
{
	_cleanup_free_ char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	char *whole = NULL;

	if (*path == '/')
		return strdup(path);
	return here && asprintf(&whole, "%s/%s", here, path) >= 0 ? whole : NULL;
}

static int run(struct cli *cli)
{
	_cleanup_free_ char *path = path_whole(cli->operands[0]);
	struct program *p;
	struct journal *j = NULL;
	instant_t to = 0;

	if (!path)
		return cli_fail(cli, EXIT_FAILED, "%s: %s", cli->operands[0], strerror(errno));
	cli->operands[0] = path;
	int code = cli_load(&p, cli);

	if (code)
		return code;
	if (!cli->to)
		code = cli_fail(cli, EXIT_USAGE,
			"option --to is required, for example --to 2026-01-01 for all records before that day");
	else
		code = cli_instant(&to, cli, "to", cli->to, p->settings.timezone);
	if (!code)
		code = cli_journal_required(&j, cli, p);
	journal_close(j);
	j = NULL;
	if (!code)
		code = cli_journal(&j, cli, p, true);
	if (!code)
		code = archive(cli, p, j, to);
	cli_journal_end(j);
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
	.summary = "Move older journal records to another file",
	.help = "The hash chain continues from the head of the archive. FILE must not exist. Current access, and access\n"
		"past its end that was not confirmed as ended, is copied, so the journal can answer for every time from TIME on. For\n"
		"earlier times, `curfew history --at TIME`, certificates, and population reports read the archive at its path; keep it\n"
		"there. The owner of `state_directory` writes FILE. The journal's file does not shrink; later records use the room.\n",
	.run = run,
};
