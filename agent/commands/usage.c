#include <getopt.h>
#include <string.h>

#include "commands/usage.h"
#include "program/suggest.h"

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
	KEY_BOOT,
	KEY_NAMES
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
	{OPT_NAMES, KEY_NAMES, "names", "WHAT",
		"print the names alone, one a line: clients, servers or logins (client, tab, login)"},
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
	const char *names[64] = {"--help", "--version"}, *near;
	size_t n = 2;

	for (const struct command *const *c = commands; *c && n < ARRAY_SIZE(names); c++)
		names[n++] = (*c)->name;
	near = nearest_word(name, names, n);
	if (near)
		fprintf(stderr, "curfew: unknown command '%s'; is `curfew %s` meant?\n", name,
			near);
	else if (name[0] == '-')
		fprintf(stderr,
			"curfew: '%s' stands before any command; the command comes first: curfew COMMAND %s ...\n",
			name, name);
	else
		fprintf(stderr, "curfew: unknown command '%s'; `curfew --help` lists them\n", name);
	return EXIT_USAGE;
}

/* "revoke CLIENT [USER] --reason TEXT" */
static const char *command_line(char buf[96], const struct command *c)
{
	snprintf(buf, 96, "%s%s%s%s%s", c->name, *c->operands ? " " : "", c->operands,
		c->required ? " " : "", c->required ? c->required : "");
	return buf;
}

size_t usage_options(struct usage_option out[USAGE_MAX_OPTIONS], const struct command *c)
{
	size_t n = 0;

	_Static_assert(ARRAY_SIZE(known) + 2 <= USAGE_MAX_OPTIONS, "room for every option");
	out[n++] = (struct usage_option){
		"config", "FILE", "configuration (default " DEFAULT_CONFIG ")"};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (c->options & (unsigned)known[i].flag)
			out[n++] = (struct usage_option){
				known[i].name, known[i].argument, known[i].words};
	out[n++] = (struct usage_option){"help", NULL, "this text"};
	return n;
}

static void command_help(const struct command *c)
{
	struct usage_option options[USAGE_MAX_OPTIONS];
	size_t n = usage_options(options, c);
	char line[96];

	printf("usage: curfew %s [OPTIONS]\n\n%s.\n", command_line(line, c), c->summary);
	if (c->help)
		printf("\n%s", c->help);
	putchar('\n');
	for (size_t i = 0; i < n; i++) {
		char left[32];
		snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
			options[i].argument ? " " : "",
			options[i].argument ? options[i].argument : "");
		printf("  %-20s %s\n", left, options[i].words);
	}
}

int usage_help(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name)) {
			command_help(*c);
			return EXIT_FINE;
		}
	return usage_unknown(name);
}

static void option_lacks(const struct command *c, int key)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].key == key)
			fprintf(stderr, "curfew %s: --%s lacks its %s: %s\n", c->name,
				known[i].name, known[i].argument, known[i].words);
	if (key == 'c')
		fprintf(stderr, "curfew %s: --config lacks its FILE\n", c->name);
}

/* What getopt did not like: `word` as it was written, `key` of the option that it found all the same, if any. */
static void option_refuse(
	const struct command *c, const struct option *options, const char *word, int key)
{
	const char *names[ARRAY_SIZE(known) + 2] = {NULL}, *near;
	char written[64];
	size_t n = 0;

	snprintf(written, sizeof(written), "%.*s", (int)strcspn(word, "="), word);
	fprintf(stderr, "curfew %s: ", c->name);
	for (const struct option *o = options; o->name; o++) {
		names[n++] = o->name;
		if (o->val == key) {
			fprintf(stderr, "--%s takes no value; write it alone\n", o->name);
			return;
		}
	}
	near = nearest_word(written + strspn(written, "-"), names, n);
	fprintf(stderr, "'%s' is no option of this command; ", written);
	if (near)
		fprintf(stderr, "is --%s meant", near);
	else
		fputs("it takes", stderr);
	for (size_t i = 0; i < n && !near; i++)
		fprintf(stderr, "%s --%s", i ? "," : "", names[i]);
	fputs(near ? "?\n" : "\n", stderr);
}

/* The name of the operand that is missing, out of "CLIENT [USER]". */
static void operand_refuse(const struct command *c, int n, char *const *operands)
{
	const char *missing = c->operands;
	char line[96];

	for (int i = 0; i < n && *missing; i++)
		missing += strcspn(missing, " ") + 1;
	if (n < c->min_operands)
		fprintf(stderr, "curfew %s: %.*s is missing", c->name, (int)strcspn(missing, " "),
			missing);
	else
		fprintf(stderr, "curfew %s: '%s' is one word too many", c->name,
			operands[c->max_operands]);
	fprintf(stderr, "; write: curfew %s\n", command_line(line, c));
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
	case KEY_NAMES:
		cli->names = value;
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
	/* A colon first: what is wrong is said here, in the words of all other messages. */
	while ((key = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
		if (key == 'h') {
			command_help(c);
			*code = EXIT_FINE;
			return false;
		}
		if (key == ':')
			option_lacks(c, optopt);
		if (key == '?')
			option_refuse(c, options, argv[optind - 1], optopt);
		if (key == ':' || key == '?')
			return false;
		option_take(&cli, key, optarg);
	}
	cli.n_operands = argc - optind;
	if (cli.n_operands < c->min_operands || cli.n_operands > c->max_operands) {
		operand_refuse(c, cli.n_operands, argv + optind);
		return false;
	}
	for (int i = 0; i < cli.n_operands; i++)
		cli.operands[i] = argv[optind + i];
	*out = cli;
	return true;
}
