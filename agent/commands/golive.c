/* curfew golive: sets go-live, or takes back one that failed on the day. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "commands/amend.h"
#include "commands/amend_dates.h"
#include "curfew/calendar.h"

/* After this, taking a go-live back needs a new approval with its date. */
#define ABORT_WITHIN ((instant_t)24 * 3600)

/* An extension of staging that ends before the new go-live belongs to the old one. */
static bool extension_is_stale(const struct amendment *a)
{
	const struct client *c = a->client;
	instant_t go_live;

	return c->has_go_live &&
	       amend_instant(&go_live, a->cli->operands[1], c->timezone, false) == 0 &&
	       go_live > c->staging_end;
}

static int set(struct amendment *a)
{
	int code = amend_set(a, "go_live", "starts", a->cli->operands[1]);

	if (!code && extension_is_stale(a))
		code = amend_set(a, "staging_until", NULL, NULL);
	if (!code)
		code = amend_check(a);
	return code ? code : amend_look(a);
}

static int take_back(struct amendment *a)
{
	int code = amend_set(a, "go_live", NULL, NULL);

	if (!code)
		code = amend_set(a, "staging_until", NULL, NULL);
	if (!code)
		code = amend_check(a);
	if (!code && a->changed->end <= (instant_t)time(NULL))
		code = cli_fail(a->cli, EXIT_FAILED,
			"testing of %s has ended: without a go-live all access would end at once; set a new one: curfew golive %s DATE",
			a->client->name, a->client->name);
	return code ? code : amend_look(a);
}

static int abort_begin(struct amendment *a, char today[INSTANT_TEXT_MAX])
{
	const struct client *c = a->client;
	instant_t now = (instant_t)time(NULL);
	struct local_time local;
	char at[64];

	if (!c->has_go_live)
		return cli_fail(
			a->cli, EXIT_FAILED, "%s has no go-live; nothing to take back", c->name);
	if (a->cli->approved_on)
		return 0;
	if (c->go_live + ABORT_WITHIN < now)
		return cli_fail(a->cli, EXIT_FAILED,
			"go-live of %s was %s, more than a day ago; --abort then takes --approved-on and --approved-by too",
			c->name, instant_format_local(at, sizeof(at), c->go_live, c->timezone));
	/* On the day of go-live, that day counts as the day of approval. */
	int rc = instant_to_local(&local, now, c->timezone);
	if (rc < 0)
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(-rc));
	snprintf(today, INSTANT_TEXT_MAX, "%04d-%02d-%02d", local.year, local.month, local.day);
	a->cli->approved_on = today;
	return 0;
}

static int run(struct cli *cli)
{
	char today[INSTANT_TEXT_MAX];
	struct amendment a = {0};

	if (cli->abort == (cli->n_operands > 1))
		return cli_fail(
			cli, EXIT_USAGE, "use either a date or --abort: curfew golive CLIENT DATE");
	int code = cli->abort ? 0 : amend_date_check(cli, "DATE", cli->operands[1]);
	if (!code)
		code = amend_open(&a, cli);
	if (!code && cli->abort)
		code = abort_begin(&a, today);
	if (!code)
		code = amend_decide(&a, cli->abort ? take_back : set);
	if (!code)
		code = amend_finish(&a);
	amend_close(&a);
	return code;
}

const struct command command_golive = {
	.name = "golive",
	.operands = "CLIENT [DATE]",
	.required = "--reason TEXT --ticket ID",
	.min_operands = 1,
	.max_operands = 2,
	.options = AMEND_OPTIONS | OPT_ABORT | OPT_APPROVED_ON | OPT_APPROVED_BY,
	.summary = "Set or move go-live, or take back one that failed",
	.help = "Sets go_live in the client's file, shows the effect, asks, records, writes, and reloads. A go-live that has\n"
		"passed is moved only with a ticket other than the file's and an approval of that day or later, which are\n"
		"written into the file. --abort takes go-live and staging_until out: on the day itself with a new ticket alone,\n"
		"and that day counts as the day of the approval.\n",
	.run = run,
};
