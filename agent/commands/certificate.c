/* curfew certificate CLIENT: after access has ended, each thing verified as removed; refused while anything is not. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "commands/certificate_memory.h"
#include "curfew/calendar.h"
#include "curfew/comment.h"
#include "program/visible_text.h"

/* The journal's last proof of that grant. */
static int64_t proof_record(const struct collected *c, const struct audit_proof *p, instant_t *at)
{
	for (size_t i = c->history.n; i-- > 0;) {
		const struct journal_entry *e = &c->history.items[i];
		if (e->kind == JOURNAL_PROOF && e->login && !strcmp(e->login, p->login) &&
			e->server && !strcmp(e->server, p->server) && e->database &&
			!strcmp(e->database, p->database) && is_verified(e->outcome)) {
			*at = e->at;
			return e->id;
		}
	}
	return 0;
}

/* A login of the client's that its file does not name any more: somebody who was replaced. */
static bool is_former(const struct client *client, const struct journal_entry *e)
{
	if (e->kind != JOURNAL_ACCESS || !e->login || !e->server)
		return false;
	for (size_t i = 0; i < client->n_users; i++)
		if (!strcasecmp(client->users[i].login, e->login))
			return false;
	return true;
}

/* When the ledger saw the login gone; 0 while it has not. */
static instant_t former_gone(const struct identities *ids, const struct journal_entry *e)
{
	for (size_t i = 0; i < ids->n; i++)
		if (!strcmp(ids->items[i].server, e->server) &&
			!strcasecmp(ids->items[i].login, e->login))
			return ids->items[i].removed;
	return 0;
}

struct going {
	const char *server;
	int64_t id;
};

static int going_take(void *context, const struct journal_entry *e)
{
	struct going *g = context;

	if (e->server && !strcmp(e->server, g->server) && e->action &&
		!strcmp(e->action, "login-drop") && e->outcome && !strcmp(e->outcome, "done"))
		g->id = e->id;
	return 0;
}

/* The last record of its going: by the login alone, since it may be under no client's name. */
static int64_t former_record(const struct collected *c, const struct journal_entry *e)
{
	struct journal_filter f = {.login = e->login, .kind = JOURNAL_OUTCOME};
	struct going g = {.server = e->server};

	return journal_read(c->context.journal, &f, going_take, &g) ? 0 : g.id;
}

static size_t refuse(const struct cli *cli, size_t n, const char *what)
{
	if (!n)
		cli_fail(cli, 0, "cannot issue the certificate; not verified as removed:");
	text_printf(stderr, "  %s\n", what);
	return n + 1;
}

/* What is missing, each in a line; the number of them. */
static size_t missing_print(const struct cli *cli, const struct collected *c,
	const struct client *client, const struct identities *ids, const struct left_places *left)
{
	size_t n = 0;
	char text[RECORD_TEXT_MAX * 2];

	if (c->report.at < client->end) {
		char end[INSTANT_TEXT_MAX];
		snprintf(text, sizeof(text), "access does not end before %s",
			instant_format(end, client->end));
		n = refuse(cli, n, text);
	}
	for (size_t i = 0; i < c->report.n_servers; i++)
		if (c->report.servers[i].state != STATE_OK) {
			snprintf(text, sizeof(text), "server %s: %s%s%s",
				c->report.servers[i].server->name,
				state_name(c->report.servers[i].state),
				c->report.servers[i].detail ? ": " : "",
				c->report.servers[i].detail ? c->report.servers[i].detail : "");
			n = refuse(cli, n, text);
		}
	for (size_t i = 0; i < c->report.n_proofs; i++) {
		const struct audit_proof *p = &c->report.proofs[i];
		instant_t at;
		if (!is_verified(p->outcome))
			snprintf(text, sizeof(text), "%s on %s / %s: %s: %s", p->login, p->server,
				p->database, p->outcome, p->detail);
		else if (!proof_record(c, p, &at) && !place_needs_no_record(left, p))
			snprintf(text, sizeof(text),
				"%s on %s / %s: removed, but the journal has no proof record; run `curfew apply`",
				p->login, p->server, p->database);
		else
			continue;
		n = refuse(cli, n, text);
	}
	for (size_t i = 0; i < c->report.n_grants; i++)
		if (c->report.grants[i].state != STATE_OK) {
			const struct audit_grant *g = &c->report.grants[i];
			snprintf(text, sizeof(text), "%s on %s / %s: %s%s%s",
				g->wanted->user->login, g->wanted->server->name,
				g->wanted->database->name, state_name(g->state),
				g->detail ? ": " : "", g->detail ? g->detail : "");
			n = refuse(cli, n, text);
		}
	for (size_t i = 0; i < c->history.n; i++) {
		const struct journal_entry *e = &c->history.items[i];
		if (!is_former(client, e) || former_gone(ids, e))
			continue;
		snprintf(text, sizeof(text),
			"%s on %s: no longer in the configuration, and removal is not verified; run `curfew apply`",
			e->login, e->server);
		n = refuse(cli, n, text);
	}
	for (size_t i = 0; i < left->n; i++) {
		const struct left_place *k = &left->items[i];
		if (k->gone || k->forgotten)
			continue;
		snprintf(text, sizeof(text),
			"%s on %s / %s: no longer in the configuration, and not verified gone; run `curfew apply`",
			k->login, k->server, k->database);
		n = refuse(cli, n, text);
	}
	if (c->report.program->settings.firewall.enabled && !c->network_seen)
		n = refuse(cli, n, "cannot read the packet filter; run as root");
	for (size_t i = 0; i < c->network.n_allows; i++) {
		const struct observed_allow *a = &c->network.allows[i];
		char source[SOURCE_TEXT_MAX];
		if (!comment_may_name(
			    a->comment, &a->source, &a->endpoint, c->report.program, client))
			continue;
		snprintf(text, sizeof(text),
			"%s of this client is still allowed by the packet filter%s",
			source_format(source, &a->source),
			comment_names(a->comment, client->name, NULL)
				? ""
				: ", or belongs only to others: the comment has no room for all names");
		n = refuse(cli, n, text);
	}
	return n;
}

static size_t item_add(struct certificate_item *items, size_t n, const char *what, const char *name,
	const struct audit_proof *p, const char *database, const char *observation,
	const struct collected *c)
{
	struct certificate_item i = {.what = what,
		.name = name,
		.server = p->server,
		.database = database,
		.at = p->at,
		.observation = observation};

	for (size_t k = 0; k < n; k++)
		if (!strcmp(items[k].what, what) && !strcmp(items[k].name, name) &&
			!strcmp(items[k].server, p->server) &&
			(!database || !strcmp(items[k].database, database)))
			return n;
	i.record = proof_record(c, p, &i.at);
	items[n] = i;
	return n + 1;
}

static int write_out(const struct cli *cli, const struct certificate *c)
{
	if (cli->html) {
		FILE *to = cli_output(cli, cli->html);
		if (!to)
			return EXIT_FAILED;
		int rc = certificate_html(c, to);
		if (to != stdout && fclose(to))
			rc = -EIO;
		return rc ? cli_fail(cli, EXIT_FAILED, "cannot write %s: %s", cli->html,
				    strerror(-rc))
			  : EXIT_FINE;
	}
	if (cli->json)
		return json_print(certificate_json(c), stdout) ? EXIT_FAILED : EXIT_FINE;
	return certificate_print(c, stdout) ? EXIT_FAILED : EXIT_FINE;
}

/* Whoever was replaced has a certificate too: the tombstone, and the record of the drop. */
static size_t formers_add(struct certificate_item *items, size_t n, const struct collected *c,
	const struct client *client, const struct identities *ids)
{
	size_t first = n;

	for (size_t i = 0; i < c->history.n; i++) {
		const struct journal_entry *e = &c->history.items[i];
		bool known = !is_former(client, e);
		for (size_t k = first; k < n && !known; k++)
			known = !strcasecmp(items[k].name, e->login) &&
				!strcmp(items[k].server, e->server);
		if (!known)
			items[n++] = (struct certificate_item){.what = "login",
				.name = e->login,
				.server = e->server,
				.at = former_gone(ids, e),
				.observation =
					"sys.server_principals read: no such login; its user was replaced",
				.record = former_record(c, e)};
	}
	return n;
}

/* What left the file while access went on. A forgotten place is named as what it is. */
static size_t left_add(struct certificate_item *items, size_t n, const struct collected *c,
	const struct left_places *left)
{
	for (size_t i = 0; i < left->n; i++) {
		const struct left_place *k = &left->items[i];
		items[n++] = (struct certificate_item){.what = k->gone ? "user" : "forgotten",
			.name = k->login,
			.server = k->server,
			.database = k->database,
			.at = k->gone ? k->gone : c->report.at,
			.observation =
				k->gone ? "sys.database_principals read: no such user; it had left the configuration"
					: k->forgotten};
	}
	return n;
}

static int issue(const struct cli *cli, const struct collected *c, const struct client *client,
	const struct identities *ids, const struct left_places *left)
{
	size_t n = 0, elements = 0;

	for (size_t i = 0; i < client->n_users; i++)
		elements += client->users[i].n_sources;
	_cleanup_free_ struct certificate_item *items = calloc(
		c->report.n_proofs * 3 + elements + c->history.n + left->n + 1, sizeof(*items));
	_cleanup_free_ char *texts = calloc(elements + 1, SOURCE_TEXT_MAX);
	if (!items || !texts)
		return EXIT_FAILED;
	for (size_t i = 0; i < c->report.n_proofs; i++) {
		const struct audit_proof *p = &c->report.proofs[i];
		n = item_add(items, n, "login", p->login, p, NULL,
			"sys.server_principals read: no such login", c);
		n = item_add(items, n, "session", p->login, p, NULL,
			"sys.dm_exec_sessions read: no session of the login", c);
		n = item_add(items, n, "user", p->login, p, p->database, p->detail, c);
	}
	for (size_t i = 0, t = 0; i < client->n_users && c->network_seen; i++)
		for (size_t k = 0; k < client->users[i].n_sources; k++, t++)
			items[n++] = (struct certificate_item){.what = "element",
				.name = source_format(
					texts + t * SOURCE_TEXT_MAX, &client->users[i].sources[k]),
				.at = c->report.at,
				.observation =
					"nftables table inet curfew read: no element with this client's name"};
	n = formers_add(items, n, c, client, ids);
	n = left_add(items, n, c, left);
	struct certificate certificate = {.client = client,
		.practice = c->report.program->settings.practice,
		.at = c->report.at,
		.items = items,
		.n = n,
		.head = c->report.head,
		.configuration = c->report.program->digest};
	memcpy(certificate.head_hash, c->report.head_hash, sizeof(certificate.head_hash));
	return write_out(cli, &certificate);
}

static int certify(struct cli *cli, const struct collected *c)
{
	const struct client *client = c->context.client;
	struct identities ids = {0};
	struct left_places left;
	int code;

	if (left_places_read(&left, c, client) ||
		(c->context.journal && ledger_read(&ids, c->context.journal)))
		code = cli_fail(cli, EXIT_FAILED, "cannot read the login inventory");
	else if (missing_print(cli, c, client, &ids, &left))
		code = EXIT_DIFFERENT;
	else
		code = issue(cli, c, client, &ids, &left);
	left_places_free(&left);
	identities_free(&ids);
	return code;
}

static int run(struct cli *cli)
{
	struct collected c;
	int code = collect(&c, cli);

	if (!code)
		code = certify(cli, &c);
	collected_free(&c);
	return code;
}

const struct command command_certificate = {
	.name = "certificate",
	.operands = "CLIENT",
	.min_operands = 1,
	.max_operands = 1,
	.options = OPT_JSON | OPT_HTML | OPT_AT,
	.summary = "Certify that all access of a client is removed",
	.help = "After access has ended: each login, database user, session, and allowlist entry verified as removed, with\n"
		"time, method, journal record, and journal head. Exit status 2, with a list, while any of them is unverified.\n",
	.run = run,
};
