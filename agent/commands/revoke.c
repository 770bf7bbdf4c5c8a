/* curfew revoke and curfew reinstate: access removed now, until it is reinstated. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/command.h"
#include "commands/plan_text.h"
#include "curfew/control.h"
#include "curfew/report.h"

static int put(struct journal *j, const struct cli *cli, const char *client, const char *login,
	instant_t now, bool revoke)
{
	return revoke ? override_add(j, client, login, now, cli_actor(), cli->reason)
		      : override_remove(j, client, login, now, cli_actor(), cli->reason);
}

static bool is_network_change(const struct record *r, enum firewall_change_kind kind)
{
	return r->kind == RECORD_NETWORK_OUTCOME && r->state == STATE_OK && r->network.kind == kind;
}

/* What became of the way in, which is shut whatever the SQL servers do. */
static void network_say(const struct program *p, const struct records *k)
{
	size_t closed = 0, shared = 0;
	char text[NETWORK_TEXT_MAX];

	if (!p->settings.firewall.enabled) {
		puts("network: firewall disabled on this host; only SQL access was removed");
		return;
	}
	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		shared += is_network_change(r, FIREWALL_ALLOW_COMMENT);
		if (is_network_change(r, FIREWALL_ALLOW_REMOVE))
			printf("%s %s", closed++ ? "," : "network: removed",
				network_text(text, r->network.kind, &r->network.source,
					&r->network.endpoint));
	}
	if (!closed)
		fputs(shared ? "network: removed no entry" : "network: no allowlist entry existed", stdout);
	if (shared)
		printf("; %zu stay%s for other users of the same address", shared,
			shared == 1 ? "s" : "");
	putchar('\n');
}

static bool is_done(const struct pass_result *r)
{
	return !r->failed && !r->unreachable && !r->overdue && !r->network_failed &&
	       !r->journal_failed;
}

/* What was said stands, whatever could be reached. */
static int undone_say(const struct cli *cli, const struct program *p, const struct pass_result *r,
	const struct records *k, const char *client, bool revoke)
{
	bool shut = revoke && p->settings.firewall.enabled && !r->network_failed;

	fprintf(stderr, "curfew %s: the revocation is recorded%s, but is not complete:",
		cli->command->name, shut ? " and the network is blocked" : "");
	for (size_t i = 0; i < k->n; i++)
		if (k->items[i].kind == RECORD_SERVER && k->items[i].state == STATE_UNREACHABLE)
			fprintf(stderr, " cannot reach %s (%s);", k->items[i].server,
				k->items[i].detail);
	if (r->failed)
		fprintf(stderr, " %zu change%s failed;", r->failed, r->failed == 1 ? "" : "s");
	if (r->network_failed)
		fputs(" the packet filter does not match the schedule;", stderr);
	if (r->journal_failed)
		fputs(" cannot write the journal;", stderr);
	if (r->overdue)
		fprintf(stderr, " access of %zu grant%s is not confirmed as removed;", r->overdue,
			r->overdue == 1 ? "" : "s");
	fprintf(stderr, " see `curfew status %s`\n", client);
	return EXIT_FAILED;
}

/* By the service when one runs: it closes the network in the same second, whatever else it is doing. */
static int ask_service(struct pass_result *out, struct cli *cli, const struct program *p,
	const char *client, const char *login, struct records *k)
{
	json_t *end = NULL;
	json_t *request = json_pack("{s:s, s:s, s:s?, s:s}", "command", cli->command->name,
		"client", client, "user", login, "reason", cli->reason);
	int rc = control_call(&end, p->settings.runtime_directory, request, records_keep, k);

	if (rc)
		return rc;
	const char *error = json_string_value(json_object_get(end, "error"));
	rc = (int)json_integer_value(json_object_get(end, "end"));
	if (error)
		cli_fail(cli, 0, "%s", error);
	else if (!rc)
		rc = control_result_parse(out, json_object_get(end, "result"));
	json_decref(end);
	return rc;
}

static int record(struct context *c, bool revoke)
{
	const char *client = c->client->name, *login = c->user ? c->user->login : NULL;
	int rc = put(c->journal, c->cli, client, login, c->now, revoke);

	if (rc == -ENOENT)
		return cli_fail(c->cli, EXIT_FAILED,
			"%s%s%s is not revoked%s; `curfew status %s` shows revocations", client,
			login ? " / " : "", login ? login : "",
			login ? " by its own name" : " as a whole", client);
	if (rc)
		return cli_fail(c->cli, EXIT_FAILED, "%s", journal_problem(rc));
	return 0;
}

static int alone(struct pass_result *out, struct context *c, bool revoke, struct records *k)
{
	struct network network = {0};
	int code = cli_now(&c->now, c->cli, c->program, NULL);

	if (!code)
		code = cli_journal(&c->journal, c->cli, c->program, true);
	if (!code)
		code = record(c, revoke);
	/* The revocation is recorded, whatever can be read and reached now. */
	if (!code)
		code = cli_overrides(&c->overrides, c->cli, c->journal);
	if (!code)
		code = cli_network(&network, c->cli, c->program, true);
	if (!code) {
		struct pass_options o = {
			.mode = PASS_APPLY,
			.program = c->program,
			.overrides = &c->overrides,
			.journal = c->journal,
			.network = network.present ? &network.port : NULL,
			.now = c->now,
			.client = c->client->name,
			.actor = cli_actor(),
			.reason = c->cli->reason,
			.sink = records_keep,
			.context = k,
		};
		int rc = pass_run(out, &o);
		if (rc)
			code = cli_fail(c->cli, EXIT_FAILED,
				"the revocation is recorded, but is not complete: %s; see `curfew status %s`",
				strerror(-rc), c->client->name);
	}
	network_close(&network);
	return code;
}

static int carry_out(struct context *c, bool revoke, struct records *k)
{
	const char *client = c->client->name, *login = c->user ? c->user->login : NULL;
	struct pass_result result = {0};
	int code = ask_service(&result, c->cli, c->program, client, login, k);

	if (!c->cli->by_service && (code == -ENOENT || code == -ECONNREFUSED))
		code = alone(&result, c, revoke, k);
	else if (code < 0)
		code = cli_fail(c->cli, EXIT_FAILED, "cannot contact the service: %s",
			strerror(-code));
	plan_print(k->items, k->n, stdout);
	if (!code && revoke)
		network_say(c->program, k);
	if (!code && !is_done(&result))
		return undone_say(c->cli, c->program, &result, k, client, revoke);
	if (!code)
		printf("%s%s%s %s\n", client, login ? " / " : "", login ? login : "",
			revoke ? "revoked: no access until `curfew reinstate`"
			       : "reinstated: access follows the schedule; if the login was re-created, run `curfew handover` to set a password");
	return code;
}

static int run(struct cli *cli, bool revoke)
{
	struct records records = {0};
	struct context c;

	if (!cli->reason || !*cli->reason)
		return cli_fail(cli, EXIT_USAGE,
			"option --reason is required, for example --reason \"CS-1234: laptop stolen\"; recorded in the journal");
	int code = context_open(&c, cli, CONTEXT_LOADED | CONTEXT_CLIENT);
	if (!code)
		code = carry_out(&c, revoke, &records);
	records_free(&records);
	context_close(&c);
	return code;
}

static int run_revoke(struct cli *cli)
{
	return run(cli, true);
}

static int run_reinstate(struct cli *cli)
{
	return run(cli, false);
}

const struct command command_revoke = {
	.name = "revoke",
	.operands = "CLIENT [USER]",
	.required = "--reason TEXT",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_REASON,
	.summary = "Remove access now, until it is reinstated",
	.help = "Blocks network access first, then removes SQL access. A revocation overrides the configuration.\n"
		"--reason is required. Exit status: 1 the revocation is recorded, but is not complete.\n",
	.run = run_revoke,
};

const struct command command_reinstate = {
	.name = "reinstate",
	.operands = "CLIENT [USER]",
	.required = "--reason TEXT",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_REASON,
	.summary = "Undo a revocation",
	.help = "Access then follows the schedule. Name the user to reinstate a user, or only the client to reinstate the whole\n"
		"client. --reason is required.\n",
	.run = run_reinstate,
};
