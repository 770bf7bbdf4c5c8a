/* curfew timeline: each client's timeline as a picture, or its coming changes as a calendar. */
#include <errno.h>
#include <string.h>

#include "commands/command.h"
#include "curfew/report.h"

static int file_write(const struct cli *cli, const char *path, const struct timeline *all, size_t n,
	instant_t now, bool svg)
{
	FILE *to = cli_output(cli, path);

	if (!to)
		return EXIT_FAILED;
	int rc = svg ? timelines_svg(all, n, to) : timelines_ics(all, n, to, now);
	if (to != stdout && fclose(to))
		rc = -EIO;
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot write %s: %s", path, strerror(-rc))
		  : EXIT_FINE;
}

static int show(const struct cli *cli, const struct timeline *all, size_t n, instant_t now)
{
	int code = EXIT_FINE;

	if (cli->json)
		return json_print(timelines_json(all, n), stdout) ? EXIT_FAILED : EXIT_FINE;
	if (cli->svg)
		code = file_write(cli, cli->svg, all, n, now, true);
	if (!code && cli->ics)
		code = file_write(cli, cli->ics, all, n, now, false);
	for (size_t i = 0; i < n && !code && !cli->svg && !cli->ics; i++) {
		if (timeline_print(&all[i], stdout, 0))
			code = EXIT_FAILED;
		putchar('\n');
	}
	return code;
}

static int draw(const struct context *c)
{
	const struct program *p = c->program;
	struct timeline *all = calloc(p->n_clients + 1, sizeof(*all));
	size_t n = 0;
	int code = all ? 0 : EXIT_FAILED;

	for (size_t i = 0; !code && i < p->n_clients; i++) {
		if (c->client && c->client != &p->clients[i])
			continue;
		if (timeline_make(&all[n], p, &p->clients[i], &c->overrides, c->now))
			code = EXIT_FAILED;
		else
			n++;
	}
	if (!code)
		code = show(c->cli, all, n, c->now);
	for (size_t i = 0; i < n; i++)
		timeline_free(&all[i]);
	free(all);
	return code;
}

static int run(struct cli *cli)
{
	struct context c;
	int code;

	if (cli->json && (cli->svg || cli->ics))
		return cli_fail(cli, EXIT_USAGE, "cannot combine --json with --svg or --ics");
	if (cli->svg && cli->ics && streq(cli->svg, cli->ics))
		return cli_fail(cli, EXIT_USAGE,
			"--svg and --ics must name different files, not both %s", cli->svg);
	code = context_open(&c, cli, CONTEXT_CLIENT);
	if (!code)
		code = context_state(&c, false);
	if (!code)
		code = draw(&c);
	context_close(&c);
	return code;
}

const struct command command_timeline = {
	.name = "timeline",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_AT | OPT_JSON | OPT_SVG | OPT_ICS,
	.summary = "Show each client's timeline, or export it as a calendar",
	.help = "Uses the configuration and the revocations. Does not contact any server. FILE can be -.\n",
	.run = run,
};
