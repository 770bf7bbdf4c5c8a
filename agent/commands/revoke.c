/* curfew revoke and curfew reinstate: access removed now, until it is reinstated. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/plan_text.h"
#include "commands/revoke_json.h"
#include "commands/revoke_text.h"
#include "curfew/disk.h"
#include "curfew/revocation_copy.h"
#include "curfew/state.h"
#include "program/visible_text.h"

typedef int (*target_fn)(void *context, const char *client, const char *login);

/* Calls `each` for a client, one of its users, or (neither) a user's email address in every client, until it returns
 * other than 0. */
static int targets_each(const struct context *c, target_fn each, void *context)
{
	const struct program *p = c->program;
	int rc = 0;

	if (c->client)
		return each(context, c->client->name, c->user ? c->user->login : NULL);
	for (size_t i = 0; i < p->n_clients && !rc; i++)
		for (size_t k = 0; k < p->clients[i].n_users && !rc; k++)
			if (names_equal(p->clients[i].users[k].email, c->cli->person))
				rc = each(
					context, p->clients[i].name, p->clients[i].users[k].login);
	return rc;
}

static int count(void *context, const char *client, const char *login)
{
	(void)client;
	(void)login;
	++*(size_t *)context;
	return 0;
}

static int targets_open(struct context *c, struct cli *cli)
{
	size_t n = 0;

	if (!cli->person == !cli->n_operands) {
		*c = (struct context){0};
		return cli_fail(cli, EXIT_USAGE,
			"name either a client or a person: curfew %s CLIENT [USER] --reason TEXT, or --person EMAIL",
			cli->command->name);
	}
	int code = context_open(c, cli, CONTEXT_LOADED | (cli->person ? 0 : CONTEXT_CLIENT));
	if (!code)
		targets_each(c, count, &n);
	if (!code && !n)
		code = cli_fail(cli, EXIT_USAGE,
			"no client has a user with the email address '%s'; `curfew check` reads the files",
			cli->person);
	return code;
}

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

/* ---- without a service ---- */

struct alone {
	struct context *c; /* its journal is NULL if it cannot be opened */
	struct revocation_copy *copy;
	enum recorded recorded; /* the worst one */
};

/* Revokes in memory first: an error of the journal does not delay the removal of access. */
static int revoke_target(void *context, const char *client, const char *login)
{
	struct alone *a = context;
	struct context *c = a->c;
	const struct revocation r = {client, login, c->now, cli_actor(), c->cli->reason};
	int copied = a->copy ? revocation_copy_add(a->copy, &r) : -ENODEV;
	int rc = c->journal ? override_add(c->journal, client, login, c->now, r.actor, r.reason)
			    : -ENODEV;
	enum recorded here = !rc ? RECORDED : !copied ? RECORDED_COPY : RECORDED_NOWHERE;

	if (rc && c->journal)
		cli_fail(c->cli, 0, "cannot write the journal: %s", journal_problem(rc));
	if (here > a->recorded)
		a->recorded = here;
	return overrides_add(&c->overrides, client, login, c->now, c->cli->reason);
}

static int reinstate_target(void *context, const char *client, const char *login)
{
	struct alone *a = context;
	struct context *c = a->c;
	int rc = override_remove(c->journal, client, login, c->now, cli_actor(), c->cli->reason);

	if (rc == -ENOENT)
		return cli_fail(c->cli, EXIT_FAILED,
			"%s%s%s is not revoked%s; `curfew status %s` shows revocations", client,
			login ? " / " : "", login ? login : "",
			login ? " by its own name" : " as a whole", client);
	if (rc)
		return cli_fail(
			c->cli, EXIT_FAILED, "access stays revoked: %s", journal_problem(rc));
	overrides_remove(&c->overrides, client, login);
	if (a->copy && revocation_copy_remove(a->copy, client, login))
		return cli_fail(c->cli, EXIT_FAILED,
			"access stays revoked: cannot write the second copy of revocations");
	return 0;
}

static int records_open(struct alone *a, bool revoke)
{
	struct context *c = a->c;
	const struct settings *s = &c->program->settings;
	int rc = revoke ? state_journal_open(&c->journal, s, true) : 0;
	int code = revoke ? 0 : cli_journal(&c->journal, c->cli, c->program, true);

	if (rc) {
		c->journal = NULL;
		cli_fail(c->cli, 0, "cannot open the journal in %s: %s; removing access anyway",
			s->state_directory, journal_problem(rc));
	}
	if (revoke)
		journal_patience(c->journal, CLOSING_PATIENCE);
	if (revocation_copy_open(&a->copy, s->state_directory, true))
		a->copy = NULL;
	return code ? code : cli_overrides(&c->overrides, c->cli, c->program, c->journal);
}

static int pass_make(struct pass_result *out, const struct alone *a, struct records *k)
{
	const struct context *c = a->c;
	struct network network = {0};
	int code = cli_network(&network, c->cli, c->program, true);

	if (code)
		return code;
	const struct pass_options o = {
		.mode = PASS_APPLY,
		.program = c->program,
		.overrides = &c->overrides,
		.journal = c->journal,
		.network = network.present ? &network.port : NULL,
		.now = c->now,
		.client = c->client ? c->client->name : NULL,
		.actor = cli_actor(),
		.reason = c->cli->reason,
		.sink = records_keep,
		.context = k,
	};
	int rc = pass_run(out, &o);
	if (rc)
		code = cli_fail(c->cli, EXIT_FAILED,
			"no access is confirmed to be closed: %s; the revocation is %srecorded; see `curfew status`",
			strerror(-rc), a->recorded == RECORDED_NOWHERE ? "not " : "");
	network_close(&network);
	return code;
}

static int alone(struct pass_result *out, enum recorded *recorded, struct context *c, bool revoke,
	struct records *k)
{
	struct alone a = {.c = c};
	int code = cli_enter(c->cli, c->program->settings.state_directory, c->program);

	if (!code)
		code = cli_now(&c->now, c->cli, c->program, NULL);
	/* A revocation waits only a bounded time for a disk that hangs. */
	if (!code && revoke)
		code = disk_start();
	if (!code)
		code = records_open(&a, revoke);
	if (!code)
		code = targets_each(c, revoke ? revoke_target : reinstate_target, &a);
	if (code < 0)
		code = cli_fail(c->cli, EXIT_FAILED, "%s", strerror(-code));
	/* The revocation is effective, whatever can be read or reached now. */
	if (!code)
		code = pass_make(out, &a, k);
	*recorded = a.recorded;
	revocation_copy_close(a.copy);
	return code;
}

/* ---- both ---- */

static int revoked_print(void *context, const char *client, const char *login)
{
	(void)context;
	text_printf(stdout, "%s%s%s revoked: no access until `curfew reinstate`\n", client,
		login ? " / " : "", login ? login : "");
	return 0;
}

struct reinstated {
	const struct overrides *left;
	const struct records *records; /* of the pass that followed */
	bool closed; /* a user is still blocked: by another revocation, or because access is not verified */
	json_t *targets; /* NULL: for a person */
};

/* A user can be revoked by name and with its client; both must be reinstated. */
static int reinstated_print(void *context, const char *client, const char *login)
{
	struct reinstated *r = context;
	size_t closed = reinstate_closed(r->records, client, login);
	bool whole = false;

	r->closed |= closed;
	if (r->targets) {
		revoke_target_add(r->targets, r->left, client, login);
		for (size_t i = 0; i < r->left->n; i++)
			r->closed |=
				streq(r->left->items[i].client, client) && !r->left->items[i].login;
		return 0;
	}
	for (size_t i = 0; i < r->left->n; i++) {
		const struct override *o = &r->left->items[i];
		if (!streq(o->client, client))
			continue;
		whole |= !o->login;
		if (!login && o->login)
			text_printf(stdout,
				"%s / %s still closed: revoked by its own name; run `curfew reinstate %s %s`\n",
				client, o->login, client, o->login);
	}
	text_printf(stdout, "%s%s%s reinstated: ", client, login ? " / " : "", login ? login : "");
	if (whole)
		text_printf(stdout,
			"still closed: client %s is revoked; run `curfew reinstate %s`\n", client,
			client);
	else if (closed)
		text_printf(stdout,
			"still closed: access of %zu grant%s is not verified; run `curfew status %s`\n",
			closed, closed == 1 ? "" : "s", client);
	else
		puts("access follows the schedule; if the login was re-created, run `curfew handover` to set a password");
	r->closed |= whole;
	return 0;
}

/* Shows the state by the journal, which the service may have written. A user who may not read it sees the request's
 * result. */
static int reinstated_show(struct context *c, const struct records *k, json_t *targets)
{
	struct overrides left = {0};
	struct reinstated r = {.left = &left, .records = k, .targets = targets};
	struct journal *j = c->journal;

	if (!j)
		state_journal_open(&j, &c->program->settings, false);
	int code = cli_overrides(&left, c->cli, c->program, j);
	if (!code)
		targets_each(c, reinstated_print, &r);
	overrides_free(&left);
	if (j != c->journal)
		journal_close(j);
	return code ? code : r.closed ? EXIT_DIFFERENT : EXIT_FINE;
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

static int carry_out(struct context *c, bool revoke, struct records *k)
{
	enum recorded recorded = RECORDED;
	struct pass_result result = {0};
	int code = ask_service(&result, &recorded, c, k);

	if (!c->cli->by_service && (code == -ENOENT || code == -ECONNREFUSED))
		code = alone(&result, &recorded, c, revoke, k);
	else if (code < 0)
		code = cli_fail(c->cli, EXIT_FAILED, "%scannot contact the service: %s",
			revoke && code == -EACCES ? "NOT revoked, nothing closed: " : "",
			strerror(-code));
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
	cli->outcome = revoke ? "NOT revoked, nothing closed: " : NULL;
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
		"Exit status: 2 the user stays closed: the whole client is revoked, or the access is not verified.\n",
	.run = run_reinstate,
};
