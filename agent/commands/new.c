/* curfew new: a client file from options, answers, the intake form, or a pasted text. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/new_ask.h"
#include "curfew/calendar.h"
#include "program/names.h"
#include "program/suggest.h"

static int path_make(struct amendment *a)
{
	const char *name = a->cli->operands[0];

	if (!name_is_plain(name))
		return cli_fail(a->cli, EXIT_USAGE,
			"'%s' is not fit for a file name; use letters, digits, dots, underscores, and hyphens",
			name);
	if (program_client(a->program, name))
		return cli_fail(a->cli, EXIT_USAGE, "client %s exists already: %s", name,
			program_client(a->program, name)->file);
	if (asprintf(&a->path, "%s/%s.conf", a->program->clients_folder, name) < 0) {
		a->path = NULL;
		return EXIT_FAILED;
	}
	if (access(a->path, F_OK) == 0)
		return cli_fail(a->cli, EXIT_USAGE,
			"%s exists already; use `curfew edit %s --reason TEXT --ticket ID`",
			a->path, name);
	return 0;
}

/* The level after the last colon, which is cut off; NULL: the colon, if any, belongs to the name. */
static const char *level_cut(char *name)
{
	char *colon = strrchr(name, ':');

	for (enum level l = LEVEL_NONE; colon && l <= LEVEL_FULL; l++)
		if (streq(colon + 1, level_name(l))) {
			*colon = '\0';
			return colon + 1;
		}
	return NULL;
}

/* What follows the last colon is like a level, but none. */
static const char *level_misspelled(const char *name)
{
	const char *levels[LEVEL_FULL + 1], *colon = strrchr(name, ':');

	for (enum level l = LEVEL_NONE; l <= LEVEL_FULL; l++)
		levels[l] = level_name(l);
	return colon ? nearest_word(colon + 1, levels, ARRAY_SIZE(levels)) : NULL;
}

/* "staging:sql01:AcmeTest,production:sql01:AcmeProd:write" */
static int databases_take(struct intake *i, const struct cli *cli)
{
	_cleanup_free_ char *copy = strdup(cli->databases);
	char *rest = copy, *one;

	while (copy && (one = strsep(&rest, ","))) {
		struct intake_database *d = intake_database_add(i);
		char *role = strsep(&one, ":"), *server = strsep(&one, ":");

		if (!server || !one || !*one)
			return cli_fail(cli, EXIT_USAGE,
				"invalid value '%s' for --db; use ROLE:SERVER:NAME[:LEVEL],..., for example staging:sql01:AcmeTest",
				cli->databases);
		if (!d)
			return EXIT_FAILED;
		const char *level = level_cut(one), *meant = level ? NULL : level_misspelled(one);

		if (meant)
			return cli_fail(cli, EXIT_USAGE,
				"invalid value '%s' for --db; did you mean the level '%s'? If the database's name has that colon, write "
				"the level too: %s:read-only",
				cli->databases, meant, one);
		d->role = strdup(role);
		d->server = strdup(server);
		d->name = strdup(one);
		d->before_go_live = level ? strdup(level) : NULL;
		if (!d->role || !d->server || !d->name || (level && !d->before_go_live))
			return EXIT_FAILED;
	}
	return copy ? 0 : EXIT_FAILED;
}

static int form_take(struct intake *i, const struct cli *cli)
{
	const char *suffix = strrchr(cli->form, '.');
	char why[256] = "";
	size_t size = 0;
	_cleanup_free_ char *bytes = amend_text_read(cli->form, &size), *text = NULL;

	if (!bytes)
		return cli_fail(cli, EXIT_FAILED, "cannot read %s: %s", cli->form, strerror(errno));
	int rc = intake_decode(&text, bytes, size, why);
	if (!rc && suffix && strcasecmp(suffix, ".json") == 0)
		rc = intake_read_json(i, text, why);
	/* Excel names a table that is separated by tabs .txt. */
	else if (!rc && ((suffix && strcasecmp(suffix, ".csv") == 0) || intake_is_table(text)))
		rc = intake_read_csv(i, text, why);
	else if (!rc)
		rc = intake_read_text(i, text);
	if (rc == -EINVAL)
		return cli_fail(cli, EXIT_USAGE, "%s: %s", cli->form, why);
	if (rc == -ENOENT)
		return cli_fail(cli, EXIT_USAGE,
			"%s has no user of client %s; write that name in \"client\", or leave it out",
			cli->form, i->name);
	if (!rc && !i->n_people)
		return cli_fail(cli, EXIT_USAGE,
			"%s has no email address; see --from in curfew(8) for what a form looks like",
			cli->form);
	return rc ? EXIT_FAILED : 0;
}

static int option_take(char **out, const char *value)
{
	*out = value ? strdup(value) : NULL;
	return value && !*out ? EXIT_FAILED : 0;
}

static int options_take(struct intake *i, const struct cli *cli)
{
	int code = option_take(&i->name, cli->operands[0]);

	if (!code)
		code = option_take(&i->ticket, cli->ticket);
	if (!code)
		code = option_take(&i->approved_by, cli->approved_by);
	if (!code)
		code = option_take(&i->approved_on, cli->approved_on);
	if (!code)
		code = option_take(&i->timezone, cli->timezone);
	if (!code)
		code = option_take(&i->starts, cli->starts);
	if (!code)
		code = option_take(&i->go_live, cli->golive);
	if (!code && cli->databases)
		code = databases_take(i, cli);
	return code || !cli->form ? code : form_take(i, cli);
}

/* There is no terminal to ask on. */
static int missing_refuse(const struct cli *cli, const struct intake *i)
{
	const char *missing = !i->ticket	? "--ticket"
			      : !i->approved_by ? "--approved-by"
			      : !i->approved_on ? "--approved-on"
			      : !i->starts	? "--starts"
			      : !i->n_databases ? "--db"
			      : !i->n_people	? "--from"
						: NULL;

	return missing ? cli_fail(cli, EXIT_USAGE,
				 "option %s is required where no terminal can be asked", missing)
		       : 0;
}

static int intake_make(struct amendment *a, struct intake *i)
{
	char today[INSTANT_TEXT_MAX];
	bool asks = isatty(STDIN_FILENO);
	int code = options_take(i, a->cli);

	instant_format(today, (instant_t)time(NULL));
	today[strlen("2026-11-28")] = '\0';
	if (!code && !asks)
		code = missing_refuse(a->cli, i);
	/* Check the options before asking anything. */
	if (!code && asks && !intake_is_sound(a, i, today, true))
		code = cli_fail(a->cli, EXIT_CONFIG, "nothing done: %s",
			a->cli->form ? "the options or the form have errors"
				     : "the options have errors");
	if (!code && asks)
		code = intake_ask(a, i, today);
	if (!code) {
		a->intake = i;
		a->after = intake_write(i, NULL, NULL);
		code = a->after ? amend_check(a) : EXIT_FAILED;
	}
	return code ? code : amend_look(a);
}

static int run(struct cli *cli)
{
	struct amendment a = {.optional_reason = true};
	struct intake i = {0};
	int code = amend_load(&a, cli);

	if (!code && !a.program->n_servers)
		code = cli_fail(cli, EXIT_CONFIG, "%s has no server", cli->config);
	if (!code)
		code = path_make(&a);
	if (!code)
		code = intake_make(&a, &i);
	if (!code)
		code = amend_finish(&a);
	if (!code && !cli->dry_run && !cli->print)
		printf("what comes next: curfew plan %s, then curfew handover %s USER\n",
			a.changed->name, a.changed->name);
	intake_free(&i);
	amend_close(&a);
	return code == AMEND_REOPENS ? EXIT_FAILED : code;
}

const struct command command_new = {
	.name = "new",
	.operands = "NAME",
	.min_operands = 1,
	.max_operands = 1,
	.options = AMEND_OPTIONS | OPT_APPROVED_BY | OPT_APPROVED_ON | OPT_TIMEZONE | OPT_STARTS |
		   OPT_GOLIVE | OPT_DATABASES | OPT_FORM,
	.summary = "Make a client file",
	.help = "Asks on a terminal for what the options do not say, judges each answer at once, shows the schedule, writes the\n"
		"file, and reloads. Never overwrites. --from reads the users: FILE.csv with the columns client, first, last,\n"
		"email, and addresses; FILE.json, a list of objects with these members, or a whole client: see curfew(8); or\n"
		"any text with mail and network addresses. Without a terminal, what is required must be in options or file.\n",
	.run = run,
};
