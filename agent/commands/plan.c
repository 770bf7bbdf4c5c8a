/* curfew plan and curfew apply: one pass, shown or made. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "commands/command.h"
#include "commands/pass_json.h"
#include "commands/plan_shut.h"
#include "commands/plan_text.h"
#include "commands/preview_files.h"
#include "commands/remembered.h"
#include "curfew/calendar.h"
#include "curfew/clock.h"
#include "curfew/control.h"
#include "curfew/preview.h"
#include "curfew/report.h"
#include "curfew/state.h"
#include "curfew/service.h"

struct view {
	struct records records;
	const struct preview *preview; /* of edited files, or NULL */
	bool progress;		       /* print a progress line, on a terminal */
	size_t changes;
};

static int view_record(void *context, const struct record *r)
{
	struct view *v = context;

	const char *what = r->kind == RECORD_END       ? "done"
			   : r->kind == RECORD_OUTCOME ? change_name(r->change.kind)
			   : r->kind == RECORD_NETWORK_OUTCOME
				   ? firewall_change_name(r->network.kind)
				   : NULL;

	if (v->progress && what) {
		v->changes += r->kind != RECORD_END;
		fprintf(stderr, "\r\033[K%s: %s (%zu changes)", r->server, what, v->changes);
	}
	return records_keep(&v->records, r);
}

static void result_json(const struct pass_result *r, const struct view *v, instant_t now)
{
	json_t *whole = pass_json(r, &v->records, now);

	json_object_set_new(whole, "files", v->preview ? preview_json(v->preview) : json_null());
	json_print(whole, stdout);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static size_t outcomes_count(const struct records *k, bool (*is)(const struct record *r))
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += is(&k->items[i]);
	return n;
}

/* The plan is for a future time. */
static bool is_coming(const struct cli *cli, instant_t now)
{
	return cli->at && now > (instant_t)time(NULL);
}

/* `coming`: the plan is for a future time. */
static void result_print(
	const struct pass_result *r, const struct records *k, bool applied, bool coming)
{
	/* As they are shown: what a later round made good was planned twice, and done once. */
	size_t skipped = outcomes_count(k, outcome_is_skipped);
	size_t failed = outcomes_count(k, outcome_is_failed);

	if (r->planned && !applied)
		puts("\n+ gives access, - takes access, ~ changes it");
	size_t differ = r->drift + r->excess + r->overdue, unknown = r->unverified + r->unread;
	if (!r->planned && !r->failed && !r->unreachable && !r->network_failed && differ)
		printf("No changes. %zu grant%s not as scheduled; see `curfew status`.\n", differ,
			differ == 1 ? " is" : "s are");
	else if (!r->planned && !r->failed && !r->unreachable && !r->network_failed && unknown)
		printf("No changes, but access of %zu grant%s is not verified; see above.\n",
			unknown, plural(unknown));
	else if (!r->planned && !r->failed && !r->unreachable && !r->network_failed && r->held)
		printf("No changes.\n");
	else if (!r->planned && !r->failed && !r->unreachable && !r->network_failed)
		printf("No changes. Access on %zu server%s matches the schedule.\n", r->servers,
			plural(r->servers));
	else if (!r->planned && r->unreachable && r->unreachable == r->servers)
		printf("\nNo server could be read, so changes are unknown");
	else if (!r->planned)
		printf("\nNo changes on the servers that could be read");
	else if (applied)
		printf("\n%zu of %zu change%s made", r->done, r->planned, plural(r->planned));
	else
		printf("Plan%s: %zu change%s%s", coming ? " for a later time" : "", r->planned,
			plural(r->planned), coming ? " will be due" : "");
	if (r->planned || r->failed || r->unreachable || r->network_failed) {
		if (failed)
			printf(", %zu FAILED", failed);
		if (skipped)
			printf(", %zu skipped", skipped);
		if (r->unreachable)
			printf(", %zu server%s UNREACHABLE", r->unreachable,
				plural(r->unreachable));
		const char *them = r->planned == 1 ? "it" : "them";
		if (r->planned && !applied && coming)
			printf(". At that time the service makes %s, or `curfew apply`.", them);
		else if (r->planned && !applied)
			printf(". To make %s, run `curfew apply`.", them);
		putchar('\n');
	}
	if (r->overdue)
		printf("OVERDUE: access of %zu grant%s should have ended or become read-only, and this is not confirmed\n",
			r->overdue, plural(r->overdue));
	if (r->network_failed)
		printf("error: the packet filter does not match the schedule\n");
	if (r->journal_failed)
		printf("error: cannot write the journal; no access was granted, and removals did not wait for it\n");
	else if (r->time_failed)
		printf("error: cannot save the latest time seen, so no access was granted; removals did not wait for it\n");
	else if (r->unfiltered)
		printf("error: no access is granted, because the packet filter cannot be used; see above\n");
	else if (r->held)
		printf("error: no access is granted, because records are missing or cannot be read; see above\n");
}

static int exit_of(const struct pass_result *r, bool applied)
{
	bool differs = r->excess || r->unverified || r->unread || r->drift;

	if (pass_is_incomplete(r) || r->unreachable || r->overdue || r->held)
		return EXIT_FAILED;
	return differs || (r->planned && !applied) ? EXIT_DIFFERENT : EXIT_FINE;
}

static int clock_put(const struct cli *cli, const struct program *p, instant_t now)
{
	struct clock c;
	int rc;

	if (cli->at)
		return 0; /* test times are never saved */
	rc = clock_open(&c, p->settings.state_directory);
	if (!rc)
		rc = clock_advance(&c, now);
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot save the latest time seen in %s: %s",
			    p->settings.state_directory, strerror(-rc))
		  : 0;
}

static int result_show(const struct cli *cli, const struct pass_result *result,
	const struct view *view, instant_t now, bool applied)
{
	if (view->progress)
		fputs("\r\033[K", stderr);
	if (cli->json) {
		result_json(result, view, now);
	} else {
		plan_shut_print(view->records.items, view->records.n, applied, stdout);
		plan_print(view->records.items, view->records.n, cli->verbose, stdout);
		result_print(result, &view->records, applied, is_coming(cli, now));
	}
	return exit_of(result, applied);
}

/* By the service if it runs, because only one pass may run at a time. -ENOENT: it does not run. */
static int by_service(const struct cli *cli, const char *runtime, enum pass_mode mode)
{
	bool applied = mode == PASS_APPLY;
	struct view view = {.progress = applied && isatty(STDERR_FILENO) && !cli->json};
	struct pass_options o = {.mode = mode,
		.client = cli->operands[0],
		.reason = cli->command->name,
		.sink = view_record,
		.context = &view};
	struct pass_result result;
	char error[RECORD_TEXT_MAX] = "";
	int code = control_pass(&result, error, runtime, &o);

	if (code == -ECONNREFUSED)
		code = -ENOENT;
	else if (code == -EREMOTEIO)
		code = cli_fail(cli, EXIT_FAILED, "the service: %s", error);
	else if (code && code != -ENOENT)
		code = cli_contact_fail(cli, code);
	else if (!code)
		code = cli_lost_file_tell(
			cli, result_show(cli, &result, &view, (instant_t)time(NULL), applied));
	records_free(&view.records);
	return code;
}

static int alone(struct context *c, enum pass_mode mode, const struct preview *preview)
{
	struct cli *cli = c->cli;
	bool applied = mode == PASS_APPLY;
	struct view view = {
		.progress = applied && isatty(STDERR_FILENO) && !cli->json, .preview = preview};
	struct network network = {0};
	struct pass_result result = {0};
	int code = preview ? 0 : context_state(c, applied);
	struct grants today = {0};
	const struct grants *in_force = preview ? &preview->before : NULL;
	const char *hold = NULL;

	/* Access is removed all the same. */
	if (!code && applied && remembered_take(&c->overrides, cli, c->program, c->journal, c->now))
		hold = REMEMBERED_HOLD;
	if (!code && applied)
		code = clock_put(cli, c->program, c->now);
	/* Nobody is late to remove what a later time ends. */
	if (!code && mode == PASS_PLAN && is_coming(cli, c->now)) {
		in_force = &today;
		if (schedule_at(&today, c->program, &c->overrides, (instant_t)time(NULL)))
			code = cli_fail(cli, EXIT_FAILED, "%s", strerror(ENOMEM));
	}
	if (!code)
		code = cli_network(&network, cli, c->program, applied);
	if (!code) {
		struct pass_options o = {
			.mode = mode,
			.program = c->program,
			.overrides = &c->overrides,
			.in_force = in_force,
			.journal = c->journal,
			.network = network.present ? &network.port : NULL,
			.now = c->now,
			.clock = applied ? context_clock(c) : NULL,
			.client = c->client ? c->client->name : NULL,
			.actor = cli_actor(),
			.reason = cli->at ? "apply --at, practice" : "apply",
			.hold = hold,
			.sink = view_record,
			.context = &view,
		};
		int rc = applied ? pass_run(&result, &o) : cli_pass_here(&result, &o);
		code = rc ? cli_fail(cli, EXIT_FAILED, "%s", strerror(-rc))
			  : cli_lost_file_tell(
				    cli, result_show(cli, &result, &view, c->now, applied));
	}
	network_close(&network);
	records_free(&view.records);
	grants_free(&today);
	return code;
}

/* A member of the service's group may ask the service without reading the configuration: c->program stays NULL. */
static int configuration_read(struct context *c)
{
	struct cli *cli = c->cli;
	bool reads = !access(cli->config, R_OK) || errno != EACCES;
	int code = !reads    ? 0
		   : cli->at ? cli_load(&c->program, cli)
			     : cli_load_in_force(&c->program, cli);

	if (!code && cli->at && cli->unprivileged)
		code = cli_fail(cli, EXIT_FAILED,
			"--at requires root, because the service uses only the current time; without root, use `curfew schedule --at TIME`");
	return code;
}

static int apply_check(const struct context *c)
{
	const char *lost = cli_lost_file(c->program, c->cli->config);

	if (lost)
		return cli_fail(c->cli, EXIT_CONFIG,
			"cannot apply: client file %s has errors and no last known good version; fix the file, or delete it "
			"to end the client's access",
			lost);
	if (c->cli->at && !c->program->settings.practice)
		return cli_fail(c->cli, EXIT_USAGE,
			"--at is not allowed with apply; to test with another time, set `practice = true;`");
	if (c->cli->at)
		fprintf(stderr, "PRACTICE: applying the schedule as of %s, not the current time\n",
			c->cli->at);
	return 0;
}

static int by_itself(struct context *c, enum pass_mode mode)
{
	struct cli *cli = c->cli;

	if (cli->by_service)
		return cli_fail(cli, EXIT_FAILED,
			"lost the connection to the service; check `systemctl status curfew`");
	if (!c->program)
		return cli_fail(cli, EXIT_CONFIG, "cannot read %s: %s; the service is not running",
			cli->config, strerror(EACCES));
	int code = cli_client(&c->client, cli, c->program);
	if (!code && mode == PASS_APPLY)
		code = apply_check(c);
	return code ? code : alone(c, mode, NULL);
}

static int run(struct cli *cli, enum pass_mode mode)
{
	struct context c = {.cli = cli};
	int code = configuration_read(&c);

	const char *runtime = c.program ? c.program->settings.runtime_directory : "/run/curfew";

	/* Only the service knows which files it could not load. */
	if (!code && !c.program)
		cli_service_ask(cli, runtime);
	if (!code && cli->at)
		code = -ENOENT;
	else if (!code)
		code = by_service(cli, runtime, mode);
	if (code == -ENOENT)
		code = by_itself(&c, mode);
	context_close(&c);
	return code;
}

/* Compares the edited files with the loaded configuration: first as text, then as statements and allowlist entries. */
static int plan_files(struct cli *cli)
{
	struct context c = {.cli = cli};
	struct preview preview = {0};
	struct program *saved = NULL;
	int code = cli->at ? cli_fail(cli, EXIT_USAGE, "cannot combine --files with --at")
			   : context_open(&c, cli, CONTEXT_CLIENT);

	if (!code)
		code = preview_files(&preview, &saved, &c);
	if (!code && !cli->json && preview_print(&preview, stdout))
		code = EXIT_FAILED;
	if (!code && cli->unprivileged)
		code = cli_fail(cli, EXIT_FAILED,
			"statements and allowlist entries are not shown: root is required to read the credentials");
	else if (!code && !cli->json)
		putchar('\n');
	if (!code)
		code = alone(&c, PASS_PLAN, &preview);
	if (!code && preview.n)
		code = EXIT_DIFFERENT;
	preview_free(&preview);
	program_free(saved);
	context_close(&c);
	return code;
}

static int run_plan(struct cli *cli)
{
	if (cli->files)
		return plan_files(cli);
	return run(cli, PASS_PLAN);
}

static int run_apply(struct cli *cli)
{
	const struct service_options boot = {.config = cli->config};

	if (cli->boot && (cli->n_operands || cli->at || cli->json))
		return cli_fail(
			cli, EXIT_USAGE, "cannot combine --boot with CLIENT, --at, or --json");
	return cli->boot ? service_boot(&boot) : run(cli, PASS_APPLY);
}

const struct command command_plan = {
	.name = "plan",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_AT | OPT_FILES | OPT_VERBOSE,
	.summary = "Show the changes that apply would make, and why",
	.help = "Reads the SQL servers and the packet filter. Changes nothing. Prints the exact T-SQL (secrets masked) and the\n"
		"allowlist entries, by client: + gives access, - takes access, ~ changes it.\n"
		"First: who loses access before its end, because it is not verified, and what to do.\n"
		"With --files: by the files as they are now, not by what the service has loaded; first in words who loses or\n"
		"gains access or time.\n"
		"Exit status: 0 no changes, 2 changes to make, access that is not as scheduled (drift, excess, unverified,\n"
		"unread), or a client file that is not loaded, 1 a server, the packet filter, or records could not be read,\n"
		"records are missing, or access is overdue.\n",
	.run = run_plan,
};

const struct command command_apply = {
	.name = "apply",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_AT | OPT_BOOT | OPT_VERBOSE,
	.summary = "Apply the schedule: remove access, grant access, verify",
	.help = "Removes access of all clients before it grants any. Reports every change that failed. An unreachable server\n"
		"does not delay the others. Safe to run again: a second pass changes nothing.\n"
		"Exit status: 0 all access matches the schedule, 2 some does not (drift, excess, unverified, unread) or the\n"
		"service has not loaded a client file, 1 something is overdue, failed, or could not be reached, or no access is\n"
		"granted because records are missing or cannot be read, 78 without the service: a client file has errors and no\n"
		"last known good version. --at requires `practice = true;`.\n",
	.run = run_apply,
};
