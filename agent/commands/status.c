/* curfew status: observed access, and the next change. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "commands/status_failures.h"
#include "commands/status_heading.h"
#include "commands/status_network.h"
#include "commands/status_notices.h"
#include "commands/board_read.h"
#include "commands/status_password.h"
#include "commands/status_service.h"
#include "commands/status_view.h"
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "program/visible_text.h"

#define WATCH_SECONDS 5

/* The actor and reason of a revocation: the person who is asked to reinstate the user must know them. */
static void revocation_print(const struct context *c, const struct grant *g)
{
	const struct override *o = status_revocation(c, g);

	if (!o)
		return;
	_cleanup_free_ char *actor = override_actor(c->journal, o->client, o->login);
	text_printf(stdout, "  by %s: %s\n", actor ? actor : "an operator",
		o->reason && *o->reason ? o->reason : "no reason recorded");
}

static struct table *status_table(void)
{
	/* Names are never truncated: two rows would look alike. */
	static const struct table_column columns[] = {{"  USER", 0}, {"SERVER", 0}, {"DATABASE", 0},
		{"STATE", 0}, {"LEVEL", 0}, {"UNTIL", 0}, {"NETWORK", 0}, {"DETAIL", TABLE_WRAP}};
	struct table *t;

	return table_new(&t, columns, ARRAY_SIZE(columns), stdout, 0) ? NULL : t;
}

/* The day of the next change; the table's heading has the time. */
static void until_cell(struct table *t, const struct grant *g)
{
	struct local_time l;

	if (g->next_level == g->level || instant_to_local(&l, g->until, g->client->timezone))
		table_cell(t, NULL);
	else
		table_cellf(t, "%04d-%02d-%02d", l.year, l.month, l.day);
}

/* Said once, below, of the whole server, or of all. */
static bool is_noted(const struct records *k, const struct record *r)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct record *note = &k->items[i];
		if (note->kind == RECORD_NOTE && !*note->login && !*note->database &&
			(!*note->server || streq(note->server, r->server)) &&
			streq(note->detail, r->detail))
			return true;
	}
	return false;
}

static void status_row(struct table *t, const struct grant *g, const struct status_view *seen)
{
	const struct record *r = status_record(&seen->records, g);
	enum state state = r ? r->state : STATE_UNREACHABLE;
	bool known = r && r->state != STATE_UNREACHABLE;

	table_row(t, state_tone(state));
	table_cellf(t, "  %s", g->user->login);
	table_cell(t, g->server->name);
	table_cell(t, g->database->name);
	table_cell(t, state_name(state));
	/* Observed access, and the scheduled one if it differs. */
	if (known && status_is_seen(r) && r->grant.level != g->level)
		table_cellf(
			t, "%s (scheduled: %s)", level_name(r->grant.level), level_name(g->level));
	else
		table_cell(t, status_is_seen(r) ? level_name(g->level) : "?");
	until_cell(t, g);
	status_network_cell(t, g, seen->network);
	table_cell(t, known && !is_noted(&seen->records, r) ? r->detail : "");
}

/* Whether the word is about the login itself, not about its password. */
static bool password_is_login(const char *word)
{
	return streq(word, "disabled") || streq(word, "locked");
}

/* Only problems, once for each server: a column would be too wide for a terminal. */
static void passwords_print(const struct grant *items, size_t n, const struct status_view *seen)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		const struct grant *g = &items[i];
		const char *word =
			status_password(&seen->records, &seen->handovers, seen->archived, g);
		bool told = !word || streq(word, "set");

		for (size_t k = 0; k < i && !told; k++)
			told = items[k].user == g->user && items[k].server == g->server;
		if (!told)
			text_printf(stdout, "  %s%s on %s: %s\n",
				password_is_login(word) ? "login " : "password of ", g->user->login,
				g->server->name, word);
		any |= !told;
	}
	if (any)
		putchar('\n');
}

/* Most grants of a client have the same next change, so it is printed once, above them. */
static int client_print(
	const struct grant *items, size_t n, const struct status_view *seen, instant_t now)
{
	const struct grant *heading = status_heading_grant(items, n);
	char words[WORDS_MAX];

	for (size_t i = 0; i < n; i++) {
		if (!grant_begins_group(items, i))
			continue;
		if (items[i].phase == PHASE_REVOKED)
			revocation_print(seen->context, &items[i]);
		struct table *t = status_table();
		if (!t)
			return -ENOMEM;
		/* Unless the heading says the same. */
		if (!status_is_over(items, n, now) || !grant_is_alike(heading, &items[i]))
			printf("  %s\n", grant_words(words, &items[i], now));
		for (size_t k = i; k < n; k++)
			if (grant_is_alike(&items[i], &items[k]))
				status_row(t, &items[k], seen);
		table_print(t);
		table_free(t);
		putchar('\n');
	}
	status_failures_print(items, n, seen);
	passwords_print(items, n, seen);
	return 0;
}

/* Access that was granted and is no longer configured. */
static int residual_print(const struct status_view *seen)
{
	const struct records *k = &seen->records;
	static const struct table_column columns[] = {{"  USER", 0}, {"SERVER", 0}, {"DATABASE", 0},
		{"STATE", 0}, {"LAST KNOWN", 0}, {"DETAIL", TABLE_WRAP}};
	struct table *t = NULL;

	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		if (!status_is_residual(r))
			continue;
		if (!t && table_new(&t, columns, ARRAY_SIZE(columns), stdout, 0))
			return -ENOMEM;
		table_row(t, state_tone(r->state));
		table_cellf(t, "  %s", r->login);
		table_cell(t, r->server);
		table_cell(t, r->database);
		table_cell(t, state_name(r->state));
		table_cell(t, *r->database ? level_name(r->grant.level) : "login");
		table_cell(t, r->detail);
	}
	if (!t)
		return 0;
	puts("not in the configuration, and not verified gone");
	table_print(t);
	table_free(t);
	putchar('\n');
	status_residual_failures_print(seen);
	return 0;
}

/* For clients whose file has milestones. */
static void milestone_print(const struct context *c, const struct client *client)
{
	struct context of = *c;
	struct board b = {0};
	char text[160];

	of.client = client;
	if (!client->has_milestones || board_read(&b, &of))
		return;
	if (b.n && milestone_sentence(text, &b.cards[0], c->now)) {
		text_printf(stdout, "  next milestone: %s", text);
		if (b.cards[0].late > 1)
			printf("; %zu are late", b.cards[0].late);
		putchar('\n');
	}
	board_free(&b);
}

static int status_print(
	const struct grants *g, const struct status_view *seen, const char *only, instant_t now)
{
	bool color = style_wanted(stdout);

	const struct settings *settings = &seen->context->program->settings;
	status_service_print(seen->context->cli, settings->firewall.enabled,
		status_network_blocks(seen), now, settings->timezone, stdout);
	for (size_t i = 0; i < g->n;) {
		const struct client *c = g->items[i].client;
		size_t from = i;
		while (i < g->n && g->items[i].client == c)
			i++;
		if (only && !streq(only, c->name))
			continue;
		status_heading_print(c, &g->items[from], i - from, now, color);
		milestone_print(seen->context, c);
		if (client_print(&g->items[from], i - from, seen, now))
			return EXIT_FAILED;
	}
	if (residual_print(seen))
		return EXIT_FAILED;
	status_network_print(seen);
	for (size_t i = 0; i < seen->records.n; i++) {
		const struct record *r = &seen->records.items[i];
		if (r->kind == RECORD_NOTE ||
			(r->kind == RECORD_SERVER && r->state == STATE_UNREACHABLE))
			/* Without a server: of the whole pass, or of a client that the text names. */
			text_printf(stdout, "%s%s%s: %s\n", r->server, *r->server ? ": " : "",
				state_name(r->state), r->detail);
		if (r->kind == RECORD_SESSION)
			text_printf(stdout, "session %llu of %s on %s from %s (%s)%s%s\n",
				(unsigned long long)r->session.number, r->login, r->server,
				*r->session.address ? r->session.address : "?",
				*r->session.program ? r->session.program : "?",
				*r->detail ? ": " : "", r->detail);
	}
	return EXIT_FINE;
}

static int show(const struct context *c, const struct status_view *seen)
{
	static const char *const members[] = {"client", "user", "login", "email", "server",
		"database", "role", "phase", "state", "level", "observed", "until", "next_level",
		"network", "packets", "password", "sources", "temporary_sources", "detail", NULL};
	const char *only = c->client ? c->client->name : NULL;

	if (c->cli->csv)
		return json_member_csv(status_json(&c->grants, seen, only, c->now), "grants",
			       members, stdout)
			       ? EXIT_FAILED
			       : EXIT_FINE;
	if (!c->cli->json) {
		int code = status_print(&c->grants, seen, only, c->now);

		notices_print(c);
		return code;
	}
	return json_print(status_json(&c->grants, seen, only, c->now), stdout) ? EXIT_FAILED
									       : EXIT_FINE;
}

static int observe(struct context *c, struct status_view *seen)
{
	struct pass_result result;
	struct pass_options o = {
		.mode = PASS_STATUS,
		.program = c->program,
		.overrides = &c->overrides,
		.journal = c->journal,
		.now = c->now,
		.client = c->client ? c->client->name : NULL,
		.sink = records_keep,
		.context = &seen->records,
	};
	int code = EXIT_FAILED;

	if (!cli_pass(&result, c->cli, &o)) {
		seen->held = result.held;
		code = show(c, seen);
	}
	size_t from = 0;
	if (!code && (result.overdue || result.unreachable || result.held || seen->network_unread ||
			     status_unguarded(seen, c->program, c->client, &from)))
		code = EXIT_FAILED;
	else if (!code && (result.drift || result.excess || result.unread || result.unverified))
		code = EXIT_DIFFERENT;
	return cli_lost_file_tell(c->cli, code);
}

static int run_once(struct cli *cli)
{
	struct firewall_state state = {0};
	const bool root = geteuid() == 0; /* before it becomes the owner of the state */
	struct context c;
	struct status_view seen = {.context = &c};
	int code = context_open(&c, cli, CONTEXT_LOADED | CONTEXT_CLIENT);

	if (!code)
		code = context_state(&c, false);
	if (!code)
		status_network_read(&seen, &state, cli, &c, root);
	if (!code && status_handovers(&seen.handovers, &seen.archived, c.journal))
		code = EXIT_FAILED;
	if (!code)
		code = observe(&c, &seen);
	journal_entries_free(&seen.handovers);
	firewall_state_free(&state);
	records_free(&seen.records);
	context_close(&c);
	return code;
}

/* Each refresh is a child process: it gives up privileges that the next one needs. */
static int look_again(struct cli *cli)
{
	pid_t child;
	int status = 0;

	for (;;) {
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		fflush(stdout);
		child = fork();
		if (child == 0) {
			status = run_once(cli);
			exit(fflush(stdout) ? EXIT_FAILED : status);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0)
			return cli_fail(cli, EXIT_FAILED, "%s", strerror(errno));
		if (!WIFEXITED(status))
			return EXIT_FAILED;
		if (WEXITSTATUS(status) >= EXIT_USAGE)
			return WEXITSTATUS(status);
		sleep(WATCH_SECONDS);
	}
}

static int run(struct cli *cli)
{
	return cli->watch ? look_again(cli) : run_once(cli);
}

const struct command command_status = {
	.name = "status",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_CSV | OPT_WATCH | OPT_UTC,
	.summary = "Show current access and the next change",
	.help = "Reads the SQL servers and the packet filter. Changes nothing.\n"
		"States, the worst last: ok, waiting, drift, unverified, unread, unreachable, excess, overdue. See curfew(8).\n"
		"Exit status: 0 ok or waiting, 1 overdue, unreachable, not guarded by the packet filter, for root also a packet\n"
		"filter that cannot be read, or no access is granted because records are missing or cannot be read,\n"
		"2 any other state, or a client file that is not loaded.\n",
	.run = run,
};
