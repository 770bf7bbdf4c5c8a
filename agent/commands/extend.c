/* curfew extend: extends staging. */
#include <errno.h>
#include <string.h>

#include "commands/amend.h"
#include "commands/amend_dates.h"
#include "curfew/calendar.h"

/* The schedule would silently shorten it. */
static int bound_check(const struct amendment *a)
{
	const struct client *c = a->changed;
	char end[64];
	instant_t until;

	if (!c->has_go_live)
		return cli_fail(a->cli, EXIT_FAILED,
			"%s has no go-live yet: until then staging lasts as long as testing; set go-live first: curfew golive %s DATE",
			c->name, c->name);
	if (amend_instant(&until, a->cli->staging, c->timezone, true) < 0 || until <= c->end)
		return 0;
	return cli_fail(a->cli, EXIT_USAGE,
		"nothing outlives the end of all access, %s, %u days after go-live; use a date before it",
		instant_format_local(end, sizeof(end), c->end, c->timezone),
		a->program->settings.read_only_days);
}

static int extend(struct amendment *a)
{
	int code = amend_set(a, "staging_until", "go_live", a->cli->staging);

	if (!code)
		code = amend_check(a);
	if (!code)
		code = bound_check(a);
	return code ? code : amend_look(a);
}

static int run(struct cli *cli)
{
	struct amendment a = {0};

	if (!cli->staging)
		return cli_fail(cli, EXIT_USAGE,
			"option --staging is required, for example --staging 2026-12-20");
	int code = amend_date_check(cli, "--staging", cli->staging);
	if (!code)
		code = amend_open(&a, cli);
	if (!code)
		code = amend_decide(&a, extend);
	if (!code)
		code = amend_finish(&a);
	amend_close(&a);
	return code;
}

const struct command command_extend = {
	.name = "extend",
	.operands = "CLIENT",
	.required = "--staging DATE --reason TEXT --ticket ID",
	.min_operands = 1,
	.max_operands = 1,
	.options = AMEND_OPTIONS | OPT_STAGING,
	.summary = "Let staging stay longer after go-live",
	.help = "Sets staging_until in the client's file, shows the effect, asks, records, writes, and reloads. Nothing outlives\n"
		"the end of all access. Where staging has ended, a ticket other than the file's gives it again, and is written\n"
		"into the file.\n",
	.run = run,
};
