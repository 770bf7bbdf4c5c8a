/* curfew clock: the latest time seen, and its correction after the system clock was far ahead by mistake. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/clock.h"
#include "curfew/clock_resets.h"
#include "curfew/control.h"
#include "curfew/report.h"

static int event_write(struct journal *j, const struct cli *cli, const struct program *p,
	instant_t from, instant_t to, const char *outcome)
{
	char before[INSTANT_TEXT_MAX], after[INSTANT_TEXT_MAX];
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = to,
		.actor = cli_actor(),
		.action = CLOCK_RESET,
		.reason = cli->reason,
		.before = instant_format(before, from),
		.after = instant_format(after, to),
		.outcome = outcome,
		.configuration = p->digest};

	return journal_write(NULL, j, &e);
}

static int reset_read(
	instant_t *to, const struct cli *cli, const struct program *p, const struct clock *c)
{
	char machine[INSTANT_TEXT_MAX], highest[INSTANT_TEXT_MAX];
	instant_t now = (instant_t)time(NULL);

	if (!cli->reason || !*cli->reason)
		return cli_fail(cli, EXIT_USAGE,
			"option --reason is required, for example --reason \"the battery was dead\"; recorded in the journal");
	int code = cli_instant(to, cli, "reset", cli->reset, p->settings.timezone);
	if (code)
		return code;
	/* An earlier time would make time run backward. */
	if (*to < now)
		return cli_fail(cli, EXIT_USAGE,
			"--reset '%s' is before the system clock, %s; set the system clock first, then use --reset now",
			cli->reset, instant_format(machine, now));
	/* A later time than any seen would end access early. */
	if (*to > now && *to > c->highest)
		return cli_fail(cli, EXIT_USAGE,
			"--reset '%s' is later than the system clock and the latest time seen (%s), and would end access early; "
			"use --reset now",
			cli->reset, c->highest ? instant_format(highest, c->highest) : "none yet");
	return 0;
}

static int reset(struct cli *cli, const struct program *p, struct clock *c, instant_t to)
{
	struct journal *j = NULL;
	bool behind = c->highest > to;
	int code = cli_journal(&j, cli, p, true);

	if (code)
		return code;
	/* Record the reset first: there must be no reset without a record. */
	int rc = event_write(j, cli, p, c->highest, to, NULL);
	if (rc) {
		code = cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	} else if ((rc = clock_reset(c, to))) {
		event_write(j, cli, p, c->highest, to, "failed");
		code = cli_fail(cli, EXIT_FAILED, "%s: %s", c->path, strerror(-rc));
	} else {
		code = cli_done(cli,
			behind ? "the latest time seen is set; run `curfew plan`: access may be granted again"
			       : "recorded; the latest time seen was not later than that");
	}
	cli_journal_end(j);
	return code;
}

/* A running service holds the latest time seen in memory, so it must make the change. 0 or exit code; -ENOENT: no
 * service is running. */
static int reset_by_service(struct cli *cli, const struct program *p, instant_t to)
{
	json_t *end = NULL;

	int rc = control_call(&end, p->settings.runtime_directory,
		json_pack("{s:s, s:I, s:s}", "command", "clock", "reset", (json_int_t)to, "reason",
			cli->reason),
		NULL, NULL);
	if (rc)
		return rc == -ECONNREFUSED ? -ENOENT : rc;
	const char *error = json_string_value(json_object_get(end, "error"));
	rc = (int)json_integer_value(json_object_get(end, "end"));
	if (error)
		cli_fail(cli, 0, "the service: %s", error);
	else if (!rc)
		rc = cli_done(cli, "the latest time seen is set; the service continues from there");
	json_decref(end);
	return rc;
}

static void clock_print(const struct cli *cli, instant_t highest, instant_t now)
{
	char seen[INSTANT_TEXT_MAX], machine[INSTANT_TEXT_MAX], words[WORDS_MAX];
	instant_t behind = highest > now + 1 ? highest - now : 0;

	if (cli->json) {
		json_print(json_pack("{s:o, s:o, s:I}", "latest_seen",
				   highest ? instant_json(highest) : json_null(), "system_clock",
				   instant_json(now), "behind_seconds", (json_int_t)behind),
			stdout);
		return;
	}
	printf("latest time seen  %s\nsystem clock      %s\n",
		highest ? instant_format(seen, highest) : "none yet", instant_format(machine, now));
	if (behind)
		printf("the system clock is %s behind the latest time seen; Curfew uses the latest time seen, so ended access stays ended\n"
		       "if the system clock was ahead by mistake, run `curfew clock --reset now --reason TEXT`\n",
			duration_words(words, behind));
}

static int run(struct cli *cli)
{
	struct program *p;
	struct clock c;
	instant_t to = 0, now = (instant_t)time(NULL);
	int code;

	if (cli->reason && !cli->reset)
		return cli_fail(cli, EXIT_USAGE, "--reason requires --reset");
	code = cli_load_in_force(&p, cli);
	if (code)
		return code;
	code = cli_enter(cli, p->settings.state_directory, p);
	int rc = code ? 0 : clock_open(&c, p->settings.state_directory);
	if (code) {
		/* reported already */
	} else if (rc) {
		code = cli_fail(cli, EXIT_FAILED, "cannot read the latest time seen in %s: %s",
			p->settings.state_directory, strerror(-rc));
	} else if (cli->reset) {
		code = reset_read(&to, cli, p, &c);
		if (!code)
			code = reset_by_service(cli, p, to);
		if (code == -ENOENT && !cli->by_service)
			code = reset(cli, p, &c, to);
		else if (code < 0)
			code = cli_contact_fail(cli, code);
	} else {
		clock_print(cli, c.highest, now);
		code = c.highest > now + 1 ? EXIT_DIFFERENT : EXIT_FINE;
	}
	program_free(p);
	return code;
}

const struct command command_clock = {
	.name = "clock",
	.operands = "",
	.options = OPT_RESET | OPT_REASON | OPT_JSON,
	.summary = "Show or correct the latest time seen",
	.help = "For Curfew, time never runs backward. If the system clock was far ahead by mistake, ended access stays ended\n"
		"until an operator resets the latest time seen. --reset requires --reason. The time must be between the system\n"
		"clock and the latest time seen; use `--reset now` in almost every case.\n"
		"Exit status: 2 the system clock is behind.\n",
	.run = run,
};
