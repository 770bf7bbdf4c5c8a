/* curfew revoke and curfew reinstate: access removed now, until it is reinstated. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/plan_text.h"
#include "commands/revoke_alone.h"
#include "commands/revoke_json.h"
#include "commands/revoke_targets.h"
#include "commands/revoke_text.h"
#include "curfew/state.h"
#include "program/visible_text.h"

#define NOT_REVOKED "NOT revoked, no access removed: "

/* By the service if it runs: it blocks the network in the same second, whatever else it is doing. */
static int ask_service(struct pass_result *out, enum recorded *recorded, const struct context *c,
	struct records *k)
{
	struct cli *cli = c->cli;
	json_t *end = NULL;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): every context has its command line */
	json_t *request = json_pack("{s:s, s:s?, s:s?, s:s?, s:s}", "command", cli->command->name,
		"client", c->client ? c->client->name : NULL, "user",
		c->user ? c->user->login : NULL, "person", cli->person, "reason", cli->reason);
	int rc = control_call(
		&end, c->program->settings.runtime_directory, request, records_keep, k);

	if (rc)
		return rc;
	const char *error = json_string_value(json_object_get(end, "error"));
	json_int_t where = json_integer_value(json_object_get(end, "recorded"));
	if (where > RECORDED && where <= RECORDED_NOWHERE)
		*recorded = (enum recorded)where;
	rc = (int)json_integer_value(json_object_get(end, "end"));
	if (error)
		cli_fail(cli, 0, "%s", error);
	else if (!rc)
		rc = control_result_parse(out, json_object_get(end, "result"));
	json_decref(end);
	return rc;
}

static int revoked_print(void *context, const char *client, const char *login)
{
	(void)context;
	text_printf(stdout,
		"%s%s%s revoked: no access until `curfew reinstate %s%s%s --reason TEXT`\n", client,
		login ? " / " : "", login ? login : "", client, login ? " " : "",
		login ? login : "");
	return 0;
}

struct reinstated {
	const struct program *program;
	const struct overrides *left;
	const struct records *records; /* of the pass that followed */
	bool blocked; /* a user is still blocked: by another revocation, or because access is not verified */
	json_t *targets; /* NULL: for a person */
};

/* A user's revocation is the login's: the client may have had another name then. */
static bool is_user_of(const struct program *p, const char *client, const struct override *o)
{
	const struct client *c = program_client(p, client);

	return c ? client_user(c, o->login) != NULL : names_equal(o->client, client);
}

/* A user can be revoked by name and with its client; both must be reinstated. */
static int reinstated_print(void *context, const char *client, const char *login)
{
	struct reinstated *r = context;
	size_t blocked = grants_still_blocked(r->records, client, login);
	bool whole = false;

	r->blocked |= blocked;
	if (r->targets) {
		revoke_target_add(r->targets, r->left, client, login);
		for (size_t i = 0; i < r->left->n; i++)
			r->blocked |= names_equal(r->left->items[i].client, client) &&
				      !r->left->items[i].login;
		return 0;
	}
	for (size_t i = 0; i < r->left->n; i++) {
		const struct override *o = &r->left->items[i];
		whole |= !o->login && names_equal(o->client, client);
		if (!login && o->login && is_user_of(r->program, client, o))
			text_printf(stdout,
				"%s / %s still blocked: revoked by its own name; run `curfew reinstate %s %s --reason TEXT`\n",
				client, o->login, client, o->login);
	}
	text_printf(stdout, "%s%s%s reinstated: ", client, login ? " / " : "", login ? login : "");
	if (whole)
		text_printf(stdout,
			"still blocked: client %s is revoked; run `curfew reinstate %s --reason TEXT`\n",
			client, client);
	else if (blocked)
		text_printf(stdout,
			"still blocked: access of %zu grant%s is not verified; run `curfew status %s`\n",
			blocked, blocked == 1 ? "" : "s", client);
	else
		text_printf(stdout,
			"access follows the schedule; if the login was re-created, run `curfew handover %s %s` to set a "
			"password\n",
			client, login ? login : "USER");
	r->blocked |= whole;
	return 0;
}

/* Shows the state by the journal, which the service may have written. A user who may not read it sees the request's
 * result. */
static int reinstated_show(struct context *c, const struct records *k, json_t *targets)
{
	struct overrides left = {0};
	struct reinstated r = {
		.program = c->program, .left = &left, .records = k, .targets = targets};
	struct journal *j = c->journal;

	if (!j)
		state_journal_open(&j, &c->program->settings, false);
	int code = cli_overrides(&left, c->cli, c->program, j);
	if (!code)
		targets_each(c, reinstated_print, &r);
	overrides_free(&left);
	if (j != c->journal)
		journal_close(j);
	return code ? code : r.blocked ? EXIT_DIFFERENT : EXIT_FINE;
}

static int revoked_add(void *targets, const char *client, const char *login)
{
	const struct overrides all = {0};

	return revoke_target_add(targets, &all, client, login);
}

static int machine_show(struct context *c, bool revoke, const struct pass_result *result,
	const struct records *k, enum recorded recorded)
{
	json_t *targets = json_array();
	int code = EXIT_FINE;

	if (revoke)
		targets_each(c, revoked_add, targets);
	else
		code = reinstated_show(c, k, targets);
	if (revoke_json_print(result, k, c->now, recorded, targets))
		return EXIT_FAILED;
	if (revoke_is_done(result) && recorded == RECORDED)
		return code;
	revoke_incomplete_print(c->cli, c->program, result, k, recorded);
	return EXIT_FAILED;
}

static int contact_fail(struct cli *cli, bool revoke, int result)
{
	/* Nothing was asked: nobody answered the connection, or it was not allowed. */
	if (result == -EACCES || result == -ENOENT || result == -ECONNREFUSED) {
		cli->outcome = revoke ? NOT_REVOKED : NULL;
		return cli_contact_fail(cli, result);
	}
	return cli_fail(cli, EXIT_FAILED,
		"lost the connection to the service: %s; the %s may or may not be in force: run `curfew status`, then %s again",
		strerror(-result), revoke ? "revocation" : "reinstatement", cli->command->name);
}

static int carry_out(struct context *c, bool revoke, struct records *k)
{
	enum recorded recorded = RECORDED;
	struct pass_result result = {0};
	int code = ask_service(&result, &recorded, c, k);

	if (!c->cli->by_service && (code == -ENOENT || code == -ECONNREFUSED))
		code = revoke_alone(&result, &recorded, c, revoke, k);
	else if (code < 0)
		code = contact_fail(c->cli, revoke, code);
	if (c->cli->json)
		return code ? code : machine_show(c, revoke, &result, k, recorded);
	plan_print(k->items, k->n, false, stdout);
	if (!code && revoke)
		revoke_network_print(c->program, k);
	if (!code && (!revoke_is_done(&result) || recorded != RECORDED)) {
		revoke_incomplete_print(c->cli, c->program, &result, k, recorded);
		return EXIT_FAILED;
	}
	if (!code && !revoke)
		return reinstated_show(c, k, NULL);
	if (!code)
		targets_each(c, revoked_print, NULL);
	return code;
}

static int run(struct cli *cli, bool revoke)
{
	struct records records = {0};
	struct context c;

	if (!cli->reason || !*cli->reason)
		return cli_fail(cli, EXIT_USAGE,
			"option --reason is required, for example --reason \"CS-1234: laptop stolen\"; recorded in the journal");
	/* The effect on access, for errors up to here. */
	cli->outcome = revoke ? NOT_REVOKED : NULL;
	int code = targets_open(&c, cli);
	cli->outcome = NULL;
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
	.operands = "[CLIENT [USER]]",
	.required = "--reason TEXT",
	.max_operands = 2,
	.options = OPT_REASON | OPT_PERSON | OPT_JSON,
	.summary = "Remove access now, until it is reinstated",
	.help = "Blocks network access first, then removes SQL access. A revocation overrides the configuration.\n"
		"Instead of CLIENT, --person EMAIL revokes every user with that address, in every client file.\n"
		"--reason is required. Exit status: 1 access may remain, or the revocation is not recorded.\n",
	.run = run_revoke,
};

const struct command command_reinstate = {
	.name = "reinstate",
	.operands = "[CLIENT [USER]]",
	.required = "--reason TEXT",
	.max_operands = 2,
	.options = OPT_REASON | OPT_PERSON | OPT_JSON,
	.summary = "Undo a revocation",
	.help = "Access then follows the schedule. Name the user to reinstate a user, only the client to reinstate the whole\n"
		"client, and --person EMAIL to reinstate that person everywhere. --reason is required.\n"
		"Exit status: 2 the user stays blocked: the whole client is revoked, or the access is not verified.\n",
	.run = run_reinstate,
};
