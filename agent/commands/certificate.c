/* curfew certificate CLIENT: after access has ended, every item verified as removed. Issues nothing while an item is
 * not. */
#include <errno.h>
#include <string.h>

#include "commands/certificate_ended.h"
#include "commands/certificate_forgotten.h"
#include "commands/certificate_journal.h"
#include "commands/certificate_scope.h"
#include "commands/past_records.h"
#include "curfew/calendar.h"
#include "curfew/client_samples.h"
#include "curfew/progress.h"
#include "program/visible_text.h"

static int64_t former_record(const struct collected *c, const struct journal_entry *e)
{
	instant_t at;
	int64_t proof = scope_proof(&at, c, e->login, e->server, NULL);

	return proof ? proof : certificate_drop(c, e->login, e->server);
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
		if (streq(items[k].what, what) && streq(items[k].name, name) &&
			streq(items[k].server, p->server) &&
			(!database || streq(items[k].database, database)))
			return n;
	i.record = scope_proof(&i.at, c, p->login, p->server, p->database);
	if (!i.record)
		i.evidence = place_was_given(c, p->server, p->login, database)
				     ? "observed now, and verified before by the journal's tables"
				     : "observed now; nothing was given there";
	items[n] = i;
	return n + 1;
}

static int write_out(const struct cli *cli, const struct certificate *c)
{
	static const char *const members[] = {"what", "name", "server", "database", "at", "method",
		"record", "evidence", "practice", NULL};

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
	if (cli->csv)
		return json_member_csv(certificate_json(c), "items", members, stdout) ? EXIT_FAILED
										      : EXIT_FINE;
	return certificate_print(c, stdout) ? EXIT_FAILED : EXIT_FINE;
}

/* A user who was replaced gets a certificate too: from the removed login in the inventory and the record of its
 * removal. */
static size_t formers_add(struct certificate_item *items, size_t n, const struct collected *c,
	const struct certificate_scope *scope, const struct identities *ids,
	const struct left_places *left)
{
	size_t first = n;

	for (size_t i = 0; i < c->history.n; i++) {
		const struct journal_entry *e = &c->history.items[i], *forget;
		bool known = !scope_is_former(scope, e);
		for (size_t k = first; k < n && !known; k++)
			known = names_equal(items[k].name, e->login) &&
				streq(items[k].server, e->server);
		if (known)
			continue;
		instant_t gone = scope_login_gone(ids, e);
		if ((forget = login_forgotten(left, e->server, gone)))
			items[n++] = forgotten_item(forget, e->login, e->server, NULL);
		else
			items[n++] = (struct certificate_item){.what = "login",
				.name = e->login,
				.server = e->server,
				.at = gone,
				.observation =
					"sys.server_principals read: no such login; its user had left the configuration",
				.evidence = "seen by the login inventory",
				.record = former_record(c, e)};
	}
	return n;
}

/* What the server showed, in the words of the proof. */
static const char *left_observation(
	const struct collected *c, const char *login, const char *server, const char *database)
{
	instant_t at;
	int64_t id = scope_proof(&at, c, login, server, database);

	for (size_t i = 0; id && i < c->history.n; i++)
		if (c->history.items[i].id == id && c->history.items[i].detail)
			return c->history.items[i].detail;
	return "sys.database_principals read: no such user; it had left the configuration";
}

/* Access that left the file before its end. A forgotten place is listed as forgotten. */
static size_t left_add(struct certificate_item *items, size_t n, const struct collected *c,
	const struct certificate_scope *scope, const struct left_places *left)
{
	for (size_t i = 0; i < left->n; i++) {
		const struct left_place *k = &left->items[i];
		if (!scope_has(scope, k->login))
			continue;
		instant_t at = k->gone;
		int64_t record = scope_proof(&at, c, k->login, k->server, k->database);
		items[n++] =
			k->forgotten
				? forgotten_item(k->forgotten, k->login, k->server, k->database)
				: (struct certificate_item){.what = "user",
					  .name = k->login,
					  .server = k->server,
					  .database = k->database,
					  .at = at,
					  .record = record,
					  .evidence = "last verification kept in the journal",
					  .observation = left_observation(
						  c, k->login, k->server, k->database)};
	}
	return n;
}

/* A trusted source has no end, so a user behind one still passes the packet filter. */
static bool is_trusted(const struct program *p, const struct client *c, const struct source *s)
{
	for (size_t i = 0; i < p->n_servers; i++)
		if (client_uses_server(p, c, &p->servers[i]) &&
			source_overlaps_trusted(s, &p->servers[i]))
			return true;
	return false;
}

/* The client has no entry of its own there any more, but another client's entry may allow the address: a shared one, or
 * a prefix around it. */
static bool is_passed_by_others(
	const struct collected *c, const struct client *client, const struct source *s)
{
	const struct program *p = c->report.program;

	for (size_t i = 0; i < c->network.n_allows; i++) {
		const struct observed_allow *a = &c->network.allows[i];
		if (!source_overlaps(s, &a->source))
			continue;
		for (size_t k = 0; k < p->n_servers; k++)
			for (size_t e = 0; client_uses_server(p, client, &p->servers[k]) &&
					   e < p->servers[k].n_endpoints;
				e++)
				if (!endpoint_compare(&p->servers[k].endpoints[e], &a->endpoint))
					return true;
	}
	return false;
}

#define NONE_OF_THE_CLIENT "nftables table inet curfew read: no element with this client's name"

static const char *element_observation(
	const struct collected *c, const struct client *client, const struct source *s)
{
	if (is_trusted(c->report.program, client, s))
		return NONE_OF_THE_CLIENT
			", but it overlaps a trusted source of the server, which has no end";
	if (is_passed_by_others(c, client, s))
		return NONE_OF_THE_CLIENT
			", but it overlaps an element of somebody else, so packets from there still pass";
	return NONE_OF_THE_CLIENT;
}

static size_t elements_add(struct certificate_item *items, size_t n, char *texts,
	const struct collected *c, const struct certificate_scope *s)
{
	const struct client *client = s->client;

	for (size_t i = 0, t = 0; i < client->n_users && c->network_seen; i++)
		for (size_t k = 0; k < client->users[i].n_sources; k++, t++)
			if (scope_has(s, client->users[i].login))
				items[n++] = (struct certificate_item){.what = "element",
					.name = source_format(texts + t * SOURCE_TEXT_MAX,
						&client->users[i].sources[k]),
					.at = c->report.at,
					.evidence = "observed now",
					.observation = element_observation(
						c, client, &client->users[i].sources[k])};
	return n;
}

/* The last numbers of the client's customizations. 0 or exit code. */
static int progress_find(struct progress *out, const struct cli *cli, const struct collected *c,
	const struct client *client)
{
	struct samples samples = {0};
	int rc = c->context.journal ? client_tallies_read(&samples, c->context.journal,
					      c->report.program, client)
				    : 0;

	if (!rc)
		rc = progress_make(out, &samples, NULL);
	samples_free(&samples);
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot read the samples of use from the journal")
		  : 0;
}

static int issue(const struct cli *cli, const struct collected *c,
	const struct certificate_scope *s, const struct identities *ids,
	const struct left_places *left)
{
	const struct client *client = s->client;
	size_t n = 0, elements = 0;

	for (size_t i = 0; i < client->n_users; i++)
		elements += client->users[i].n_sources;
	_cleanup_free_ struct certificate_item *items = calloc(
		c->report.n_proofs * 3 + elements + c->history.n + left->n + left->events->n + 1,
		sizeof(*items));
	_cleanup_free_ char *texts = calloc(elements + 1, SOURCE_TEXT_MAX);
	if (!items || !texts)
		return EXIT_FAILED;
	for (size_t i = 0; i < c->report.n_proofs; i++) {
		const struct audit_proof *p = &c->report.proofs[i];
		if (!scope_has(s, p->login))
			continue;
		n = item_add(items, n, "login", p->login, p, NULL,
			"sys.server_principals read: no such login", c);
		n = item_add(items, n, "session", p->login, p, NULL,
			"sys.dm_exec_sessions read: no session of the login", c);
		n = item_add(items, n, "user", p->login, p, p->database, p->detail, c);
	}
	n = elements_add(items, n, texts, c, s);
	n = formers_add(items, n, c, s, ids, left);
	n = left_add(items, n, c, s, left);
	n = forgotten_unread_add(items, n, c, s, left->events);
	struct certificate certificate = {.client = client,
		.user = s->user,
		.login = s->login,
		.practice = c->report.program->settings.practice,
		.at = c->report.at,
		.scheduled_end = client_end(client, &c->context.overrides, c->report.at),
		.ended = certificate_ended(c, s, left->events),
		.items = items,
		.n = n,
		.head = c->report.head,
		.host = certificate_host(),
		.configuration = c->report.program->digest,
		.program = c->report.program,
		.findings = c->report.findings,
		.n_findings = c->report.n_findings};
	memcpy(certificate.head_hash, c->report.head_hash, sizeof(certificate.head_hash));
	struct progress progress = {0};
	int code = c->context.journal ? past_lost(&certificate.lost, cli, c->context.journal,
						client->starts, c->report.at)
				      : 0;
	if (!code && !s->login)
		code = progress_find(&progress, cli, c, client);
	certificate.custom = progress_last(&progress);
	if (!code)
		code = write_out(cli, &certificate);
	progress_free(&progress);
	if (!code && certificate.lost.n)
		code = EXIT_DIFFERENT;
	lost_records_free(&certificate.lost);
	n = certificate_beside(&certificate);
	return code || !n
		       ? code
		       : cli_fail(cli, EXIT_DIFFERENT,
				 "access of others is not covered (%zu finding%s): %sremove it, or run `curfew accept FINDING --reason TEXT --until TIME` for what was reviewed",
				 n, n == 1 ? "" : "s",
				 certificate_beside_is_unread(&certificate)
					 ? "a DBA runs the output of `curfew bootstrap SERVER` again where the agent login cannot read; "
					 : "");
}

static int certify(struct cli *cli, struct collected *c, const char *user)
{
	struct certificate_scope scope;
	struct identities ids = {0};
	struct left_places left = {0};
	struct journal_entries events = {0};
	int code = certificate_history(c, &events, cli);

	if (!code)
		code = scope_find(&scope, cli, c, user);
	if (code) {
		journal_entries_free(&events);
		return code;
	}
	if (left_places_read(&left, c, scope.client, &events) ||
		(c->context.journal && ledger_read(&ids, c->context.journal)))
		code = cli_fail(cli, EXIT_FAILED, "cannot read the login inventory");
	else if (scope_missing(cli, c, &scope, &ids, &left))
		code = EXIT_DIFFERENT;
	else
		code = issue(cli, c, &scope, &ids, &left);
	left_places_free(&left);
	identities_free(&ids);
	journal_entries_free(&events);
	return code;
}

static int run(struct cli *cli)
{
	/* A user who left the file is looked up in the journal. */
	const char *user = cli->n_operands > 1 ? cli->operands[1] : NULL;
	struct collected c;

	cli->n_operands = 1;
	int code = collect(&c, cli);
	if (!code)
		code = certify(cli, &c, user);
	collected_free(&c);
	return code;
}

const struct command command_certificate = {
	.name = "certificate",
	.operands = "CLIENT [USER]",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_JSON | OPT_CSV | OPT_HTML | OPT_AT,
	.summary = "Certify that all access of a client, or of one user, is removed",
	.help = "After access has ended: each login, database user, session, and allowlist entry verified as removed, with\n"
		"time, method, journal record, and journal head. With USER: of that person alone, also of one who was replaced or\n"
		"revoked while the client goes on. Exit status 2, with a list, while any of them is unverified.\n"
		"Exit status 1 if an archive of the journal is needed and cannot be read.\n"
		"The certificate names what it does not cover: access of others that the audit finds in the client's databases or\n"
		"on their servers, for example a user with its own password. Exit status 2 until it is removed or accepted.\n"
		"It also names times of which journal records are missing; exit status 2.\n",
	.run = run,
};
