/* Parses the command line, and prints help and errors about it. */
#include <getopt.h>
#include <string.h>

#include "commands/usage.h"
#include "program/suggest.h"

/* Each option: its flag, name, argument, description, and member of struct cli: a string if it has an argument, else
 * a bool. getopt's key is OPTION_KEY plus the row. */
static const struct {
	uint64_t flag;
	const char *name, *argument, *words;
	size_t offset;
} known[] = {
#define INTO(field) offsetof(struct cli, field)
	{OPT_AT, "at", "TIME",
		"as of this time: 2026-11-23T09:00 (in the client's time zone), 2026-11-23T15:00:00Z, @SECONDS, or now",
		INTO(at)},
	{OPT_JSON, "json", NULL, "machine-readable output", INTO(json)},
	{OPT_REASON, "reason", "TEXT", "reason; recorded in the journal", INTO(reason)},
	{OPT_FORCE, "no-terminal", NULL,
		"print the password although standard output is not a terminal", INTO(no_terminal)},
	{OPT_USER, "user", "USER", "only this user: login, email address, or first.last",
		INTO(user)},
	{OPT_FROM, "from", "TIME", "from this time on; written as for --at in curfew(8)",
		INTO(from)},
	{OPT_SINCE, "since", "TIME",
		"only findings that no audit saw before this time: 2026-11-23, or now",
		INTO(since)},
	{OPT_TO, "to", "TIME", "up to, not including, this time; written as for --at in curfew(8)",
		INTO(to)},
	{OPT_HTML, "html", "FILE", "write one self-contained HTML file", INTO(html)},
	{OPT_SVG, "svg", "FILE", "write the picture as SVG", INTO(svg)},
	{OPT_ICS, "ics", "FILE", "write a calendar with one event for each coming change",
		INTO(ics)},
	{OPT_RESET, "reset", "TIME", "set the latest time seen: now, or 2026-11-23T15:00:00Z",
		INTO(reset)},
	{OPT_BOOT, "boot", NULL,
		"only the packet filter, from the configuration and the last verified access",
		INTO(boot)},
	{OPT_NAMES, "names", "WHAT",
		"print only names, one per line: clients, servers, or logins (client, tab, login)",
		INTO(names)},
	{OPT_PERSON, "person", "EMAIL",
		"in the place of a client: this person, in every client file", INTO(person)},
	{OPT_ADDRESS, "address", "ADDRESS", "the address that the user connects from",
		INTO(address)},
	{OPT_SERVER, "server", "SERVER", "only this server", INTO(server)},
	{OPT_DATABASE, "database", "NAME", "only this database", INTO(database)},
	{OPT_LIMIT, "limit", "NUMBER", "only the last NUMBER records", INTO(limit)},
	{OPT_SUMMARY, "summary", NULL, "one line for each change", INTO(summary)},
	{OPT_CSV, "csv", NULL, "the table as CSV, for spreadsheets", INTO(csv)},
	{OPT_JOURNAL, "journal", "FILE", "read this archive instead of the journal", INTO(journal)},
	{OPT_LIFE, "life", "DATABASE", "also make, use and remove a login in this scratch database",
		INTO(life)},
	{OPT_ANONYMOUS, "anonymous", NULL, "a report without names, to be sent to somebody",
		INTO(anonymous)},
	{OPT_FILES, "files", NULL, "what the edited files would change", INTO(files)},
	{OPT_DRY_RUN, "dry-run", NULL, "only show what would change", INTO(dry_run)},
	{OPT_YES, "yes", NULL, "do not ask", INTO(yes)},
	{OPT_TICKET, "ticket", "ID", "the ticket that asks for it; recorded in the journal",
		INTO(ticket)},
	{OPT_PRINT, "print", NULL, "print a unified patch of the file, change nothing",
		INTO(print)},
	{OPT_STAGING, "staging", "DATE", "the last day of staging, or its end: 2026-12-20T18:00",
		INTO(staging)},
	{OPT_UNTIL, "until", "DATE", "through this day, or until this time: 2026-12-05T18:00",
		INTO(until)},
	{OPT_UNTIL_TIME, "until", "TIME",
		"until this time: 2027-01-11 (00:00, in the program's time zone), 2027-01-11T18:00, or now",
		INTO(until)},
	{OPT_ABORT, "abort", NULL, "take go-live back", INTO(abort)},
	{OPT_APPROVED_ON, "approved-on", "DATE", "the day of the approval", INTO(approved_on)},
	{OPT_APPROVED_BY, "approved-by", "EMAIL", "who approved", INTO(approved_by)},
	{OPT_FIRST, "first", "NAME", "first name", INTO(first)},
	{OPT_LAST, "last", "NAME", "last name", INTO(last)},
	{OPT_EMAIL, "email", "EMAIL", "email address", INTO(email)},
	{OPT_TIMEZONE, "timezone", "ZONE", "of the client's dates, for example America/Chicago",
		INTO(timezone)},
	{OPT_STARTS, "starts", "DATE", "when access starts", INTO(starts)},
	{OPT_GOLIVE, "golive", "DATE", "go-live, for example 2027-01-11T09:00", INTO(golive)},
	{OPT_DATABASES, "db", "LIST", "ROLE:SERVER:NAME[:LEVEL],...; ROLE is staging or production",
		INTO(databases)},
	{OPT_FORM, "from", "FILE", "the users, from FILE.csv, FILE.json, or any text", INTO(form)},
	{OPT_VERBOSE, "verbose", NULL, "also the statements that set up roles", INTO(verbose)},
	{OPT_ALL_CHECKS, "verbose", NULL, "also the checks that are ok", INTO(verbose)},
	{OPT_WATCH, "watch", NULL, "again every 5 seconds, until it is interrupted", INTO(watch)},
	{OPT_UTC, "utc", NULL, "all times in UTC, not in the time zones of the clients", INTO(utc)},
	{OPT_VENDOR, "vendor", NULL, "write what a clean installation has: the product's own",
		INTO(vendor)},
	{OPT_DECISIONS, "decisions", "FILE", "with what people wrote into FILE, which --csv made",
		INTO(decisions)},
	{OPT_DROP_SCRIPT, "drop", NULL,
		"the T-SQL that drops the red objects, for the client's own people", INTO(drop)},
	{OPT_AGE, "age", "RECIPIENT", "encrypt by age: its recipient, or an SSH key", INTO(age)},
	{OPT_GPG, "gpg", "KEY", "encrypt by gpg: the fingerprint of a key of this user", INTO(gpg)},
	{OPT_MAIL, "mail", NULL, "send the encrypted sheet to the user's email address",
		INTO(mail)},
	{OPT_DROP, "drop", NULL, "the T-SQL that removes the agent login again", INTO(drop)},
};
#define OPTION_KEY 256

int usage_version(void)
{
	puts("curfew " CURFEW_VERSION);
	return EXIT_FINE;
}

static void group_print(FILE *to, const struct command *c)
{
	for (const struct command_group *g = command_groups; g->title; g++)
		if (g->first == c)
			fprintf(to, "\n%s\n", g->title);
}

#define SUMMARY_COLUMN 34
int usage_all(FILE *to, int code)
{
	fputs("Curfew gives people SQL Server access that ends on time.\n\n"
	      "usage: curfew COMMAND [--config FILE] [OPTIONS] ...\n",
		to);
	for (const struct command *const *c = commands; *c; c++) {
		char left[64];
		int n = snprintf(left, sizeof(left), "  %s %s", (*c)->name, (*c)->operands);

		group_print(to, *c);
		/* A command that is too long for the column gets its own line. */
		if (n >= SUMMARY_COLUMN)
			fprintf(to, "%s\n%*s%s\n", left, SUMMARY_COLUMN, "", (*c)->summary);
		else
			fprintf(to, "%-*s%s\n", SUMMARY_COLUMN, left, (*c)->summary);
	}
	fputs("\n`curfew COMMAND --help` says more; so do curfew(8) and curfew.conf(5).\n"
	      "Exit status: 0 success, 1 failure, 2 differences found, 64 usage error, 78 configuration error.\n",
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
		fprintf(stderr, "curfew: unknown command '%s'; did you mean '%s'?\n", name, near);
	else if (name[0] == '-')
		fprintf(stderr,
			"curfew: option '%s' must follow the command; use: curfew COMMAND %s ...\n",
			name, name);
	else
		fprintf(stderr, "curfew: unknown command '%s'; `curfew --help` lists them\n", name);
	return EXIT_USAGE;
}

/* "revoke CLIENT [USER] --reason TEXT" */
#define COMMAND_LINE_MAX 128
static const char *command_line(char buf[COMMAND_LINE_MAX], const struct command *c)
{
	snprintf(buf, COMMAND_LINE_MAX, "%s%s%s%s%s", c->name, *c->operands ? " " : "", c->operands,
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
		if (c->options & known[i].flag)
			out[n++] = (struct usage_option){
				known[i].name, known[i].argument, known[i].words};
	out[n++] = (struct usage_option){"help", NULL, "this text"};
	return n;
}

static void command_help(const struct command *c)
{
	struct usage_option options[USAGE_MAX_OPTIONS];
	size_t n = usage_options(options, c);
	char line[COMMAND_LINE_MAX];

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
		if (streq((*c)->name, name)) {
			command_help(*c);
			return EXIT_FINE;
		}
	return usage_unknown(name);
}

static void option_lacks(const struct command *c, int key)
{
	if (key == 'c')
		fprintf(stderr, "curfew %s: option --config requires an argument: FILE\n", c->name);
	else
		fprintf(stderr, "curfew %s: option --%s requires an argument: %s (%s)\n", c->name,
			known[key - OPTION_KEY].name, known[key - OPTION_KEY].argument,
			known[key - OPTION_KEY].words);
}

/* Explains getopt's error: `word` is the word as written, `key` the option that getopt found, if any. */
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
			fprintf(stderr, "option --%s takes no argument\n", o->name);
			return;
		}
	}
	near = nearest_word(written + strspn(written, "-"), names, n);
	fprintf(stderr, "unknown option '%s'; ", written);
	if (near)
		fprintf(stderr, "did you mean --%s", near);
	else
		fputs("valid options:", stderr);
	for (size_t i = 0; i < n && !near; i++)
		fprintf(stderr, "%s --%s", i ? "," : "", names[i]);
	fputs(near ? "?\n" : "\n", stderr);
}

/* Names the missing operand, for example of "CLIENT [USER]". */
static void operand_refuse(const struct command *c, int n, char *const *operands)
{
	const char *missing = c->operands;
	char line[COMMAND_LINE_MAX];

	for (int i = 0; i < n && *missing; i++)
		missing += strcspn(missing, " ") + 1;
	if (n < c->min_operands)
		fprintf(stderr, "curfew %s: missing argument %.*s", c->name,
			(int)strcspn(missing, " "), missing);
	else
		fprintf(stderr, "curfew %s: unexpected argument '%s'", c->name,
			operands[c->max_operands]);
	fprintf(stderr, "; usage: curfew %s\n", command_line(line, c));
}

static void option_take(struct cli *cli, int key, const char *value)
{
	char *field = (char *)cli + (key == 'c' ? 0 : known[key - OPTION_KEY].offset);

	if (key == 'c')
		cli->config = value;
	else if (known[key - OPTION_KEY].argument)
		*(const char **)field = value;
	else
		*(bool *)field = true;
}

/* Which of several outputs was meant, nobody can tell. */
static bool outputs_agree(const struct cli *cli)
{
	const struct {
		bool given;
		const char *option;
	} outputs[] = {{cli->json, "--json"}, {cli->csv, "--csv"}, {cli->html != NULL, "--html"},
		{cli->drop && (cli->command->options & OPT_DROP_SCRIPT), "--drop"}};
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		if (outputs[i].given && first) {
			cli_fail(cli, EXIT_USAGE, "cannot combine %s with %s", first,
				outputs[i].option);
			return false;
		}
		if (outputs[i].given)
			first = outputs[i].option;
	}
	return true;
}

bool usage_parse(struct cli *out, int *code, const struct command *c, int argc, char **argv)
{
	struct option options[ARRAY_SIZE(known) + 3] = {
		{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}};
	struct cli cli = {.command = c, .config = DEFAULT_CONFIG};
	size_t n = 2;
	int key;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (c->options & known[i].flag)
			options[n++] = (struct option){known[i].name,
				known[i].argument ? required_argument : no_argument, NULL,
				OPTION_KEY + (int)i};
	*code = EXIT_USAGE;
	/* The colon makes getopt silent: errors are printed here. */
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
		/* `--html --config FILE`: getopt takes the next option for the value. `--html=--config` means that file. */
		if (optarg && optarg == argv[optind - 1] && begins_with(optarg, "--")) {
			option_lacks(c, key);
			return false;
		}
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
	return outputs_agree(out);
}
