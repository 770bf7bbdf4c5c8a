/* curfew handover: a one-time password, shown once and not stored. */
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "commands/command.h"
#include "commands/handover_mail.h"
#include "commands/seal.h"
#include "report/connection.h"
#include "curfew/report.h"
#include "curfew/text.h"

static size_t servers_of(const char **out, const struct grants *g, const struct user *u)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		const struct grant *k = &g->items[i];
		bool known = k->user != u || k->level == LEVEL_NONE;
		for (size_t m = 0; m < n && !known; m++)
			known = streq(out[m], k->server->name);
		if (!known)
			out[n++] = k->server->name;
	}
	out[n] = NULL;
	return n;
}

static size_t outcomes(const struct records *k, bool done)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->items[i].kind == RECORD_OUTCOME && (k->items[i].state == STATE_OK) == done;
	return n;
}

static const struct server *server_named(const struct program *p, const char *name)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (streq(p->servers[i].name, name))
			return &p->servers[i];
	return NULL;
}

/* The server on which the password was set, or NULL: users need no connection data for the others. */
static const struct server *set_on(const struct program *p, const struct record *r)
{
	return r->kind == RECORD_OUTCOME && r->state == STATE_OK ? server_named(p, r->server)
								 : NULL;
}

static void result_json(const struct program *p, const struct records *k, const struct user *u,
	const struct grants *g, const char *password)
{
	json_t *servers = json_array(), *connections = json_array();

	for (size_t i = 0; i < k->n; i++) {
		const struct server *s = set_on(p, &k->items[i]);

		if (k->items[i].kind == RECORD_OUTCOME)
			json_array_append_new(servers, record_json(&k->items[i]));
		if (s)
			json_array_append_new(connections, connection_json(s, u, g));
	}
	json_print(json_pack("{s:s, s:s, s:o, s:o}", "login", u->login, "password", password,
			   "outcomes", servers, "connections", connections),
		stdout);
}

/* A password belongs to one server, and the agent cannot carry over the one that the user sets. */
static void replicas_print(const struct program *p, const struct records *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct server *s = set_on(p, &k->items[i]);

		if (!s || !server_is_replicated(p, s))
			continue;
		printf("\n%s is a replica of an availability group. A password that the user sets counts on one server:\n"
		       "after a failover the other asks for the password above once more, and for a new one.\n",
			s->name);
		return;
	}
}

static void result_show(const struct cli *cli, const struct program *p, const struct records *k,
	const struct user *u, const struct grants *g, const char *password)
{
	/* A mailed sheet is read by a person. */
	if (cli->json && !cli->mail) {
		result_json(p, k, u, g, password);
		return;
	}
	printf("%s%s%s <%s>\n  login     %s\n  password  %s\n  servers  ", u->first,
		*u->last ? " " : "", u->last, u->email, u->login, password);
	for (size_t i = 0; i < k->n; i++)
		if (set_on(p, &k->items[i]))
			printf(" %s", k->items[i].server);
	putchar('\n');
	for (size_t i = 0; i < k->n; i++) {
		const struct server *s = set_on(p, &k->items[i]);
		unsigned hooks = p->settings.firewall.enabled ? p->settings.firewall.hooks : 0;

		if (s)
			connection_print(s, u, g, hooks, stdout);
	}
	replicas_print(p, k);
	printf("\nCurfew does not store this password. If it is lost, run this command again.\n");
}

static int event_write(const struct context *x, const char *server)
{
	const char *recipient = x->cli->age ? x->cli->age : x->cli->gpg;
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = x->now,
		.actor = cli_actor(),
		.client = x->client->name,
		.login = x->user->login,
		.server = server,
		.action = "handover",
		.detail = recipient ? "a one-time password was set and encrypted"
				    : "a one-time password was set and shown",
		.after = recipient,
		.configuration = x->program->digest};

	return journal_write(NULL, x->journal, &e);
}

/* Each server has the password, or has not. */
static void events_write(const struct context *x, const struct records *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct server *s = set_on(x->program, &k->items[i]);
		int rc = s ? event_write(x, s->name) : 0;

		if (rc)
			cli_fail(x->cli, 0,
				"warning: cannot record the handover on %s: %s; the password is valid, but `curfew status` does not know that it was handed over",
				s->name, journal_problem(rc));
	}
}

/* The servers of the pass on which nothing says that the new password is set. */
static void unset_print(FILE *to, const char *const *servers, const struct records *k)
{
	const char *between = "";

	for (; *servers; servers++) {
		bool set = false;

		for (size_t i = 0; i < k->n && !set; i++)
			set = k->items[i].kind == RECORD_OUTCOME && k->items[i].state == STATE_OK &&
			      streq(k->items[i].server, *servers);
		if (!set)
			fprintf(to, "%s%s", between, *servers);
		between = set ? between : ", ";
	}
}

/* What became of the password that was handed over before is known only now. */
static void replaced_say(const struct context *x, const char *const *servers,
	const struct records *k, instant_t before)
{
	struct text text;
	char at[64];
	FILE *to = before ? text_begin(&text) : NULL;

	if (!to)
		return;
	unset_print(to, servers, k);
	_cleanup_free_ char *unset = text_end(&text);
	instant_format_local(at, sizeof(at), before, x->client->timezone);
	if (unset && *unset)
		cli_fail(x->cli, 0,
			"warning: the password of %s that was handed over %s may still work on %s; run this again",
			x->user->login, at, unset);
	else if (unset)
		cli_fail(x->cli, 0, "the password of %s that was handed over %s no longer works",
			x->user->login, at);
}

/* Who has no access gets no password: for a revocation the schedule says nothing of that. */
static int nobody_refuse(const struct context *x)
{
	const struct user *u = x->user;
	const struct client *c = x->client;

	for (size_t i = 0; i < x->overrides.n; i++) {
		const struct override *o = &x->overrides.items[i];

		if (override_blocks(o, c->name, u->login))
			return cli_fail(x->cli, EXIT_FAILED,
				"no password was set: %s%s is revoked (%s); run `curfew reinstate %s%s%s --reason TEXT` "
				"first",
				o->login ? "" : "client ", o->login ? u->login : c->name,
				o->reason && *o->reason ? o->reason : "no reason recorded", c->name,
				o->login ? " " : "", o->login ? u->login : "");
	}
	return cli_fail(x->cli, EXIT_FAILED,
		"%s has no access on any server now; see `curfew schedule %s`", u->login, c->name);
}

static int hand(struct context *x, struct seal *seal, char *password, instant_t before)
{
	const struct program *p = x->program;
	const struct client *c = x->client;
	const struct user *u = x->user;
	struct cli *cli = x->cli;
	struct records records = {0};
	struct pass_result result = {0};
	_cleanup_free_ const char **servers = calloc(p->n_servers + 1, sizeof(*servers));
	int code = servers ? 0 : EXIT_FAILED;

	if (!code && !servers_of(servers, &x->grants, u))
		code = nobody_refuse(x);
	if (!code) {
		struct pass_options o = {
			.mode = PASS_HANDOVER,
			.program = p,
			.overrides = &x->overrides,
			.journal = x->journal,
			.now = x->now,
			.clock = context_clock(x),
			.client = c->name,
			.servers = servers,
			.actor = cli_actor(),
			.reason = "handover",
			.handover_login = u->login,
			.handover_password = password,
			.sink = records_keep,
			.context = &records,
		};
		if (pass_run(&result, &o))
			code = EXIT_FAILED;
		for (size_t i = 0; i < records.n; i++) {
			const struct record *r = &records.items[i];
			if ((r->kind == RECORD_OUTCOME && r->state != STATE_OK) ||
				(r->kind == RECORD_END && r->code))
				code = cli_fail(cli, EXIT_FAILED, "%s: %s", r->server, r->detail);
		}
		if (outcomes(&records, true)) {
			events_write(x, &records);
			replaced_say(x, servers, &records, before);
			if (!seal_open(seal, cli))
				result_show(cli, p, &records, u, &x->grants, password);
			else
				code = EXIT_FAILED;
		} else {
			code = cli_fail(cli, EXIT_FAILED, "no password was set on any server");
		}
	}
	records_free(&records);
	return code;
}

static int handover_take(void *context, const struct journal_entry *e)
{
	*(instant_t *)context = e->at;
	return 0;
}

/* The user may be working with the password that this one replaces; `at` 0: there is none. */
static int replacing_agree(instant_t *at, const struct context *c)
{
	const struct journal_filter f = {.client = c->client->name,
		.login = c->user->login,
		.kind = JOURNAL_EVENT,
		.action = "handover"};
	char text[64], question[256];

	if (journal_read(c->journal, &f, handover_take, at) || !*at || !isatty(STDIN_FILENO) ||
		c->cli->no_terminal)
		return 0;
	instant_format_local(text, sizeof(text), *at, c->client->timezone);
	snprintf(question, sizeof(question),
		"This replaces the password of %s that was handed over %s: it will no longer work.",
		c->user->login, text);
	if (cli_agrees(question))
		return 0;
	return cli_fail(c->cli, EXIT_FAILED, "nothing done: the password stays as it is");
}

static int run(struct cli *cli)
{
	struct context c = {0};
	struct seal seal;
	instant_t before = 0;
	int code = seal_start(&seal, cli);

	if (code)
		return code;
	if (!seal.pid && !isatty(STDOUT_FILENO) && !cli->no_terminal)
		return cli_fail(cli, EXIT_USAGE,
			"standard output is not a terminal, so the password could be saved; to print it anyway, use --no-terminal");
	code = context_open(&c, cli, CONTEXT_CLIENT);
	if (!code && cli->unprivileged)
		code = cli_fail(cli, EXIT_FAILED,
			"root is required to read the agent's credentials; run `sudo curfew handover %s %s`",
			cli->operands[0], cli->operands[1]);
	if (!code)
		code = context_state(&c, true);
	if (!code && cli->mail)
		code = handover_mail_check(&c);
	if (!code)
		code = replacing_agree(&before, &c);
	char *password = code ? NULL : sql_password_new();
	if (!code)
		code = password ? hand(&c, &seal, password, before) : EXIT_FAILED;
	sodium_free(password);
	int sealed = seal_close(&seal, cli);
	int mailed = seal.text ? handover_mail_queue(&c, seal.text) : 0;
	free(seal.text);
	cli_journal_end(c.journal);
	c.journal = NULL;
	context_close(&c);
	return code ? code : sealed ? sealed : mailed;
}

const struct command command_handover = {
	.name = "handover",
	.operands = "CLIENT USER",
	.min_operands = 2,
	.max_operands = 2,
	.options = OPT_JSON | OPT_FORCE | OPT_AGE | OPT_GPG | OPT_MAIL,
	.summary = "Set a one-time password and show it once",
	.help = "On every server where the user has access now. Curfew does not store or log the password. The journal records\n"
		"the handover. Where it is set, a password that was handed over before no longer works: on a terminal the command\n"
		"asks first.\n"
		"With MUST_CHANGE where the server supports it (setting `must_change`). With --age or --gpg the sheet is printed\n"
		"encrypted for the user, so that it can be sent: whoever runs this does not see the password. With --mail it is not\n"
		"printed but sent, as a file of a mail to the user; a password is never mailed unencrypted.\n",
	.run = run,
};
