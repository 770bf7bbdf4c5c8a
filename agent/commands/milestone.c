/* curfew milestone: records a milestone that was reached. Does not change access. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "commands/amend.h"
#include "commands/amend_dates.h"
#include "curfew/calendar.h"
#include "curfew/milestones.h"
#include "program/suggest.h"

static int name_check(enum milestone *out, const struct cli *cli)
{
	const char *names[MILESTONES] = {0}, *near;
	size_t n = 0;

	*out = milestone_find(cli->operands[1]);
	if (*out < MILESTONES && !milestone_is_automatic(*out))
		return 0;
	if (*out < MILESTONES)
		return cli_fail(cli, EXIT_USAGE, "%s is recorded automatically; you cannot set it",
			cli->operands[1]);
	for (size_t m = 0; m < MILESTONES; m++)
		if (!milestone_is_automatic((enum milestone)m))
			names[n++] = milestone_name((enum milestone)m);
	near = nearest_word(cli->operands[1], names, n);
	fprintf(stderr, "curfew milestone: unknown milestone '%s'; ", cli->operands[1]);
	if (near)
		fprintf(stderr, "did you mean '%s'?\n", near);
	for (size_t i = 0; i < n && !near; i++)
		fprintf(stderr, "%s%s%s", i ? ", " : "known: ", names[i], i + 1 < n ? "" : "\n");
	return EXIT_USAGE;
}

/* The value: the date (default: today), or for the production ticket its id. 0 or exit code. */
static int value_make(char value[64], const struct amendment *a, enum milestone m)
{
	const char *given = a->cli->n_operands > 2 ? a->cli->operands[2] : NULL;
	instant_t now = (instant_t)time(NULL), at;
	struct local_time l;

	if (m == MILESTONE_PRODUCTION_TICKET && !given)
		return cli_fail(a->cli, EXIT_USAGE,
			"the production ticket is missing: curfew milestone %s production_ticket ID",
			a->client->name);
	if (given && strlen(given) >= 64)
		return cli_fail(a->cli, EXIT_USAGE, "'%s' is too long", given);
	if (given && m != MILESTONE_PRODUCTION_TICKET) {
		int code = amend_date_check(a->cli, "DATE", given);
		if (code)
			return code;
		if (!amend_instant(&at, given, a->client->timezone, false) && at > now)
			return cli_fail(a->cli, EXIT_USAGE,
				"'%s' is still to come; use the day it happened", given);
	}
	if (given) {
		snprintf(value, 64, "%s", given);
		return 0;
	}
	int rc = instant_to_local(&l, now, a->client->timezone);
	snprintf(value, 64, "%04d-%02d-%02d", l.year, l.month, l.day);
	return rc < 0 ? cli_fail(a->cli, EXIT_FAILED, "%s", strerror(-rc)) : 0;
}

static int milestone_set(struct amendment *a, enum milestone m, const char *value)
{
	_cleanup_free_ char *quoted = edit_quote(value), *group = NULL;
	struct edit e = {.kind = EDIT_SET,
		.path = "client.milestones",
		.name = milestone_name(m),
		.value = quoted};

	if (!quoted || asprintf(&group, "{ %s = %s; }", e.name, quoted) < 0) {
		group = NULL;
		return EXIT_FAILED;
	}
	if (!a->client->has_milestones)
		e = (struct edit){.kind = EDIT_SET,
			.path = "client",
			.name = "milestones",
			.after = "go_live",
			.value = group};
	return amend_edit(a, &e);
}

static int run(struct cli *cli)
{
	struct amendment a = {.optional_reason = true};
	enum milestone m;
	char value[64];
	int code = name_check(&m, cli);

	if (!code)
		code = amend_open(&a, cli);
	if (!code)
		code = value_make(value, &a, m);
	if (!code)
		code = milestone_set(&a, m, value);
	if (!code)
		code = amend_check(&a);
	return amend_end(&a, code);
}

const struct command command_milestone = {
	.name = "milestone",
	.operands = "CLIENT MILESTONE [DATE]",
	.min_operands = 2,
	.max_operands = 3,
	.options = AMEND_OPTIONS,
	.summary = "Record a step of the program that was reached",
	.help = "Writes the day, today unless DATE says another, into the milestones of the client's file; of production_ticket\n"
		"the ticket in the place of DATE. Milestones open nothing: `curfew board` and `curfew status` show what is due.\n"
		"NAME: files_received, service_pack_checked, database_upgraded, gateway_onboarded, test_plan_done,\n"
		"checklist_signed, production_ticket, staging_removed, post_upgrade_done.\n",
	.run = run,
};
