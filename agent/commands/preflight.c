/* curfew preflight: finds what would keep access from ending on time, while there is time to fix it. */
#include <string.h>
#include <sys/timex.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/notice.h"
#include "curfew/preflight.h"
#include "curfew/report.h"

struct report {
	const struct cli *cli;
	json_t *checks; /* NULL: as text */
	size_t n, failed, skipped;
};

static void line_add(struct report *r, const struct preflight_line *l)
{
	r->n++;
	r->failed += l->result == CHECK_FAIL;
	r->skipped += l->result == CHECK_SKIP;
	if (r->checks) {
		json_array_append_new(r->checks, preflight_line_json(l));
		return;
	}
	if (l->result == CHECK_OK && !r->cli->verbose)
		return;
	bool color = style_wanted(stdout);
	enum tone tone = l->result == CHECK_FAIL   ? TONE_BAD
			 : l->result == CHECK_SKIP ? TONE_DIM
						   : TONE_GOOD;
	printf("%s%-4s%s ", style_begin(color, tone), check_result_name(l->result),
		style_end(color, tone));
	preflight_line_write(stdout, l);
}

static int record_take(void *report, const struct record *r)
{
	struct preflight_line l;

	if (preflight_line(&l, r))
		line_add(report, &l);
	return 0;
}

/* The service may not ask the kernel for this, so only a command can. */
static void clock_check(struct report *r)
{
	struct timex t = {.modes = 0};
	int state = adjtimex(&t);
	bool right = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
	const struct preflight_line l = {.result = right ? CHECK_OK : CHECK_FAIL,
		.name = "clock-synchronized",
		.server = PASS_HOST,
		.database = "",
		.login = "",
		.detail = right ? "the kernel says that its clock is synchronized"
				: "the kernel says that its clock is not synchronized",
		.fix = right ? "" : "see `timedatectl`, and start systemd-timesyncd or chrony"};

	line_add(r, &l);
}

/* Shows the dates that the preflight is about, the next one first. */
static int dates_show(const struct context *c, const struct client *client, json_t *array)
{
	struct notice_reduction reductions[NOTICE_REDUCTIONS];
	struct notice_dates dates;
	char when[64];

	if (notice_dates_find(&dates, c->program, client, &c->overrides, c->now))
		return EXIT_FAILED;
	size_t n = notice_reductions(reductions, &dates, client->timezone, c->now);
	for (size_t i = 0; i < n; i++)
		if (array)
			json_array_append_new(
				array, json_pack("{s:o, s:s, s:o}", "client",
					       text_json(client->name), "what", reductions[i].words,
					       "at", instant_json(reductions[i].at)));
		else
			printf("%s: %s on %s\n", client->name, reductions[i].words,
				instant_format_local(
					when, sizeof(when), reductions[i].at, client->timezone));
	return EXIT_FINE;
}

static int checks_run(struct report *r, const struct context *c, const struct pass_result *result)
{
	clock_check(r);
	bool lost = result->unreachable > 0;
	const char *name = c->client ? c->client->name : "all clients";

	if (!r->checks)
		printf("%s: %zu checks, %zu failed, %zu skipped\n", name, r->n, r->failed,
			r->skipped);
	return lost ? EXIT_FAILED : r->failed ? EXIT_DIFFERENT : EXIT_FINE;
}

static int dates_each(const struct context *c, json_t *array)
{
	int code = EXIT_FINE;

	for (size_t i = 0; i < c->program->n_clients && !code; i++)
		if (!c->client || c->client == &c->program->clients[i])
			code = dates_show(c, &c->program->clients[i], array);
	return code;
}

static int run(struct cli *cli)
{
	struct context c;
	struct pass_result result;
	struct report report = {.cli = cli, .checks = cli->json ? json_array() : NULL};
	json_t *dates = cli->json ? json_array() : NULL;
	int code = context_open(&c, cli, CONTEXT_LOADED | CONTEXT_CLIENT);

	if (!code)
		code = context_state(&c, false);
	if (!code)
		code = dates_each(&c, dates);
	const struct pass_options o = {
		.mode = PASS_PREFLIGHT,
		.program = c.program,
		.overrides = &c.overrides,
		.journal = c.journal,
		.now = c.now,
		.client = c.client ? c.client->name : NULL,
		.sink = record_take,
		.context = &report,
	};
	if (!code)
		code = cli_pass(&result, cli, &o);
	if (!code) {
		code = checks_run(&report, &c, &result);
		if (cli->json &&
			json_print(
				json_pack("{s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:O}", "client",
					text_json(c.client ? c.client->name : NULL), "at",
					instant_json(c.now), "dates", json_incref(dates), "result",
					code == EXIT_FAILED	 ? "unreachable"
					: code == EXIT_DIFFERENT ? "failed"
								 : "ok",
					"tried", (json_int_t)report.n, "failed",
					(json_int_t)report.failed, "skipped",
					(json_int_t)report.skipped, "checks", report.checks),
				stdout))
			code = EXIT_FAILED;
	}
	json_decref(report.checks);
	json_decref(dates);
	context_close(&c);
	return code;
}

const struct command command_preflight = {
	.name = "preflight",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_ALL_CHECKS,
	.summary = "Find what would keep access from ending on time",
	.help = "Tries what every reduction and end needs: the server and its certificate, the agent's password and rights,\n"
		"every database, foreign triggers, ownership, jobs, long transactions; on this host disk, clock, metrics, and mail.\n"
		"Changes nothing. Prints what failed and what to do; with --verbose also what is ok. The service makes a preflight\n"
		"14 days, 3 days, and 1 day before each date, and sends what failed to the team.\n"
		"Exit status: 0 all is ok, 2 something failed, 1 a server could not be reached.\n",
	.run = run,
};
