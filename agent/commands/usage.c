#include <getopt.h>
#include <string.h>

#include "commands/usage.h"

enum {
	KEY_JSON = 256,
	KEY_AT,
	KEY_REASON,
	KEY_FORCE,
	KEY_HTML,
	KEY_SVG,
	KEY_ICS,
	KEY_FROM,
	KEY_TO,
	KEY_USER,
	KEY_RESET,
	KEY_BOOT
};

/* One place for each option: its name, its flag, its words. */
static const struct {
	enum option_flag flag;
	int key;
	const char *name, *argument, *words;
} known[] = {
	{OPT_AT, KEY_AT, "at", "TIME",
		"as of this instant: 2026-11-23, 2026-11-23T09:00 (local), RFC 3339, or @SECONDS"},
	{OPT_JSON, KEY_JSON, "json", NULL, "machine-readable output"},
	{OPT_REASON, KEY_REASON, "reason", "TEXT", "why; it stands in the journal"},
	{OPT_FORCE, KEY_FORCE, "no-terminal", NULL,
		"print the secret although standard output is not a terminal"},
	{OPT_USER, KEY_USER, "user", "USER", "only this user: login, email or first.last"},
	{OPT_FROM, KEY_FROM, "from", "TIME", "from this instant on"},
	{OPT_TO, KEY_TO, "to", "TIME", "up to, not including, this instant"},
	{OPT_HTML, KEY_HTML, "html", "FILE", "write one self-contained HTML file"},
	{OPT_SVG, KEY_SVG, "svg", "FILE", "write the picture as SVG"},
	{OPT_ICS, KEY_ICS, "ics", "FILE", "write a calendar with one event for each coming change"},
	{OPT_RESET, KEY_RESET, "reset", "TIME", "set the highest instant seen"},
	{OPT_BOOT, KEY_BOOT, "boot", NULL,
		"the packet filter alone, from configuration and last proved access"},
};

int usage_version(void)
{
	puts("curfew " CURFEW_VERSION);
	return EXIT_FINE;
}

int usage_all(FILE *to, int code)
{
	fputs("Curfew gives people SQL Server access that ends on time.\n\n"
	      "usage: curfew COMMAND [--config FILE] [OPTIONS] ...\n\n",
		to);
	for (const struct command *const *c = commands; *c; c++) {
		char left[64];
		snprintf(left, sizeof(left), "%s %s", (*c)->name, (*c)->operands);
		fprintf(to, "  %-26s %s\n", left, (*c)->summary);
	}
	fputs("\n`curfew COMMAND --help` says more; so do curfew(8) and curfew.conf(5).\n"
	      "Exit status: 0 fine, 1 failed, 2 differences found, 64 usage, 78 configuration.\n",
		to);
	return code;
}

int usage_unknown(const char *name)
{
	fprintf(stderr, "curfew: unknown command '%s'; `curfew --help` lists them\n", name);
	return EXIT_USAGE;
}

static void command_help(const struct command *c)
{
	printf("usage: curfew %s%s%s [OPTIONS]\n\n%s.\n", c->name, *c->operands ? " " : "",
		c->operands, c->summary);
	if (c->help)
		printf("\n%s", c->help);
	printf("\n  --config FILE        configuration (default " DEFAULT_CONFIG ")\n");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char left[32];
		if (!(c->options & (unsigned)known[i].flag))
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", known[i].name,
			known[i].argument ? " " : "", known[i].argument ? known[i].argument : "");
		printf("  %-20s %s\n", left, known[i].words);
	}
	printf("  --help               this text\n");
}

static void option_take(struct cli *cli, int key, const char *value)
{
	switch (key) {
	case 'c':
		cli->config = value;
		break;
	case KEY_JSON:
		cli->json = true;
		break;
	case KEY_FORCE:
		cli->no_terminal = true;
		break;
	case KEY_BOOT:
		cli->boot = true;
		break;
	case KEY_AT:
		cli->at = value;
		break;
	case KEY_REASON:
		cli->reason = value;
		break;
	case KEY_HTML:
		cli->html = value;
		break;
	case KEY_SVG:
		cli->svg = value;
		break;
	case KEY_ICS:
		cli->ics = value;
		break;
	case KEY_FROM:
		cli->from = value;
		break;
	case KEY_TO:
		cli->to = value;
		break;
	case KEY_USER:
		cli->user = value;
		break;
	case KEY_RESET:
		cli->reset = value;
		break;
	}
}

bool usage_parse(struct cli *out, int *code, const struct command *c, int argc, char **argv)
{
	struct option options[ARRAY_SIZE(known) + 3] = {
		{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}};
	struct cli cli = {.command = c, .config = DEFAULT_CONFIG};
	size_t n = 2;
	int key;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (c->options & (unsigned)known[i].flag)
			options[n++] = (struct option){known[i].name,
				known[i].argument ? required_argument : no_argument, NULL,
				known[i].key};
	*code = EXIT_USAGE;
	while ((key = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (key == 'h') {
			command_help(c);
			*code = EXIT_FINE;
			return false;
		}
		if (key == '?') {
			fprintf(stderr, "`curfew %s --help` lists the options\n", c->name);
			return false;
		}
		option_take(&cli, key, optarg);
	}
	cli.n_operands = argc - optind;
	if (cli.n_operands < c->min_operands || cli.n_operands > c->max_operands) {
		fprintf(stderr, "curfew %s: %s; usage: curfew %s %s\n", c->name,
			cli.n_operands < c->min_operands ? "something is missing"
							 : "too many words",
			c->name, c->operands);
		return false;
	}
	for (int i = 0; i < cli.n_operands; i++)
		cli.operands[i] = argv[optind + i];
	*out = cli;
	return true;
}
