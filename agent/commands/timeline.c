/* curfew timeline: each client's course as a picture, or as a calendar of what comes. */
#include <errno.h>
#include <string.h>

#include "commands/audit_collect.h"

static int file_write(const struct cli *cli, const char *path, const struct timeline *all, size_t n,
	instant_t now, bool svg)
{
	FILE *to = cli_output(cli, path);

	if (!to)
		return EXIT_FAILED;
	int rc = svg ? timelines_svg(all, n, to) : timelines_ics(all, n, to, now);
	if (to != stdout && fclose(to))
		rc = -EIO;
	return rc ? cli_fail(cli, EXIT_FAILED, "writing %s: %s", path, strerror(-rc)) : EXIT_FINE;
}

static int show(const struct cli *cli, const struct timeline *all, size_t n, instant_t now)
{
	int code = EXIT_FINE;

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

static int run(struct cli *cli)
{
	struct program *p;
	const struct client *client;
	struct journal *journal = NULL;
	struct overrides overrides = {0};
	struct timeline *all = NULL;
	size_t n = 0;
	instant_t now;
	int code;

	if (cli->svg && cli->ics && !strcmp(cli->svg, cli->ics))
		return cli_fail(cli, EXIT_USAGE,
			"--svg and --ics both write to %s; name two files, or ask twice", cli->svg);
	code = cli_load(&p, cli);
	if (code)
		return code;
	code = cli_client(&client, cli, p);
	if (!code)
		code = cli_now(&now, cli, p, client ? client->timezone : NULL);
	if (!code)
		code = cli_journal(&journal, cli, p, false);
	if (!code)
		code = cli_overrides(&overrides, cli, journal);
	all = calloc(p->n_clients + 1, sizeof(*all));
	for (size_t i = 0; !code && i < p->n_clients; i++)
		if (!client || client == &p->clients[i])
			code = !all || timeline_make(&all[n], p, &p->clients[i], &overrides, now)
				       ? EXIT_FAILED
				       : (n++, 0);
	if (!code)
		code = show(cli, all, n, now);
	for (size_t i = 0; i < n; i++)
		timeline_free(&all[i]);
	free(all);
	overrides_free(&overrides);
	journal_close(journal);
	program_free(p);
	return code;
}

const struct command command_timeline = {
	.name = "timeline",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_AT | OPT_SVG | OPT_ICS,
	.summary = "Draw each client's course, or write it as a calendar",
	.help = "Works from the configuration and what was revoked; contacts nothing. FILE may be -.\n",
	.run = run,
};
