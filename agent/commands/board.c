/* curfew board: all clients by phase. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/board_read.h"
#include "curfew/report.h"

static int html_write(const struct cli *cli, const struct board *b, bool practice)
{
	FILE *to = cli_output(cli, cli->html);

	if (!to)
		return EXIT_FAILED;
	int rc = board_html(b, practice, to);
	if (to != stdout && fclose(to))
		rc = -EIO;
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot write %s: %s", cli->html, strerror(-rc))
		  : EXIT_FINE;
}

static int show(const struct cli *cli, const struct board *b, bool practice)
{
	static const char *const members[] = {"client", "phase", "next", "next_level",
		"next_milestone", "next_due", "late", NULL};

	if (cli->html)
		return html_write(cli, b, practice);
	if (cli->json)
		return json_print(board_json(b), stdout) ? EXIT_FAILED : EXIT_FINE;
	if (cli->csv)
		return json_print_csv(board_json(b), members, stdout) ? EXIT_FAILED : EXIT_FINE;
	return board_print(b, stdout) ? EXIT_FAILED : EXIT_FINE;
}

static int run(struct cli *cli)
{
	struct board b = {0};
	struct context c;
	int code = context_open(&c, cli, 0);

	if (!code)
		code = context_state(&c, false);
	if (!code)
		code = board_read(&b, &c);
	if (!code)
		code = show(cli, &b, c.program->settings.practice);
	board_free(&b);
	context_close(&c);
	return code;
}

const struct command command_board = {
	.name = "board",
	.operands = "",
	.options = OPT_JSON | OPT_CSV | OPT_HTML | OPT_AT,
	.summary = "Show all clients by phase, the next date first",
	.help = "For each client the next change of access, the milestone that is due next, and how many are late. Uses the\n"
		"files and the journal. Does not contact any server.\n",
	.run = run,
};
