/* curfew explain: the facts about one user's access, and why it fails. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/denied_read.h"
#include "commands/last_failure.h"
#include "commands/status_password.h"
#include "curfew/explain.h"
#include "curfew/state_tables.h"

/* What the facts borrow from. */
struct inquiry {
	struct context context;
	struct source address;
	struct records records;
	struct firewall_state
		network; /* allowlist and denied packets; empty if they could not be read */
	bool network_known;
	struct verified_list verified;
	struct journal_entries handovers; /* of this login */
	struct journal_entries changes;	  /* of this login */
	char **remedies;		  /* of each server; NULL: nothing failed there */
	char *revoked_by;
	struct explain_server *servers;
	struct explain_database *databases;
	struct explain_denied *denied;
	struct explain_facts facts;
};

/* ---- read the facts ---- */

static int address_parse(struct inquiry *q, const struct cli *cli)
{
	if (!cli->address)
		return 0;
	int rc = source_parse(&q->address, cli->address);
	if (rc && rc != SOURCE_HOST_BITS)
		return cli_fail(cli, EXIT_USAGE,
			"invalid address '%s'; use one address such as 203.0.113.7 or 2001:db8::7",
			cli->address);
	q->facts.address = &q->address;
	return 0;
}

static int journal_ask(struct inquiry *q)
{
	struct context *c = &q->context;
	const struct journal_filter mine = {.client = c->client->name,
		.login = c->user->login,
		.kind = JOURNAL_EVENT,
		.action = "handover"};
	int rc = 0;

	if (c->journal)
		rc = journal_read(c->journal, &mine, journal_entries_keep, &q->handovers);
	if (c->journal && !rc)
		rc = login_changes_read(&q->changes, c->journal, c->client->name, c->user->login);
	if (c->journal && !rc)
		rc = verified_load(&q->verified, c->journal);
	return rc ? cli_fail(
			    c->cli, EXIT_FAILED, "cannot read the journal: %s", journal_problem(rc))
		  : 0;
}

static void network_ask(struct inquiry *q)
{
	struct context *c = &q->context;
	struct network network;

	if (!cli_network_beside(&network, c->cli, c->program) && network.present)
		q->network_known = !firewall_observe(&q->network, network.firewall, c->now);
	network_close(&network);
	if (!q->network_known) {
		firewall_state_free(&q->network);
		q->network = (struct firewall_state){0};
		denied_by_service(&q->network, c->program);
	}
	qsort(q->network.refused, q->network.n_refused, sizeof(*q->network.refused),
		denied_compare);
}

static int servers_ask(struct inquiry *q)
{
	const struct context *c = &q->context;
	struct pass_result result;
	const struct pass_options o = {
		.mode = PASS_STATUS,
		.program = c->program,
		.overrides = &c->overrides,
		.journal = c->journal,
		.now = c->now,
		.client = c->client->name,
		.sink = records_keep,
		.context = &q->records,
	};

	int code = cli_pass(&result, c->cli, &o);
	if (!code && result.held)
		q->facts.held = records_pass_note(&q->records);
	return code;
}

/* ---- join the facts ---- */

static enum explain_reach reach_of(int32_t code)
{
	return code == -EPROTO || code == -EINVAL ? REACH_CERTIFICATE
	       : code == -EACCES		  ? REACH_REFUSED
	       : code == -ENOKEY		  ? REACH_NO_PASSWORD
						  : REACH_DOWN;
}

static void server_record(struct explain_server *s, const struct record *r, const char *login)
{
	if (!streq(r->server, s->server->name))
		return;
	if (r->kind == RECORD_SERVER && r->state == STATE_UNREACHABLE) {
		s->problem = r->detail;
		if (s->reach == REACH_UNASKED)
			s->reach = REACH_DOWN;
	} else if (r->kind == RECORD_SERVER) {
		s->reach = REACH_READ;
		s->incomplete = r->state == STATE_UNVERIFIED;
	} else if (r->kind == RECORD_END && r->code && s->reach != REACH_READ) {
		s->reach = reach_of(r->code);
	} else if (r->kind == RECORD_NOTE && r->state != STATE_OK && !*r->login && !*r->database &&
		   !s->lacks) {
		s->lacks = r->detail;
	} else if (r->kind == RECORD_LOGIN && names_equal(r->login, login)) {
		s->login = r->identity.status == LOGIN_GONE	  ? EXPLAIN_LOGIN_MISSING
			   : r->identity.status == LOGIN_DISABLED ? EXPLAIN_LOGIN_DISABLED
								  : EXPLAIN_LOGIN_ENABLED;
		s->created = r->identity.created;
		s->locked = r->identity.locked;
		s->expired = r->identity.expired;
		s->must_change = r->identity.must_change;
	}
}

static bool is_users(const struct inquiry *q, const struct source *source)
{
	const struct user *u = q->context.user;
	const struct source *a = q->facts.address;

	for (size_t i = 0; i < u->n_sources; i++)
		if (!source_compare(&u->sources[i], source) &&
			(!a || source_contains(source, a->family, a->addr)))
			return true;
	return false;
}

static void server_network(struct explain_server *s, const struct inquiry *q)
{
	const struct source *a = q->facts.address;

	s->network_known = q->network_known;
	s->unguarded = q->network_known && !network_guards(&q->network, s->server);
	for (size_t i = 0; i < q->network.n_allows; i++) {
		const struct observed_allow *k = &q->network.allows[i];
		instant_t until = q->context.now + (instant_t)(k->remaining_ms / 1000);
		if (denied_server(q->context.program, &k->endpoint) != s->server ||
			!is_users(q, &k->source))
			continue;
		s->allowed = true;
		s->packets += k->packets;
		if (until > s->allowed_until)
			s->allowed_until = until;
	}
	for (size_t i = 0; a && i < s->server->n_trusted; i++)
		s->trusted |= source_contains(&s->server->trusted[i], a->family, a->addr);
}

static void server_handover(struct explain_server *s, const struct inquiry *q)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	int64_t archived = 0;

	if (!q->context.journal)
		return;
	s->handed_over_at =
		handed_over_at(&q->handovers, s->server->name, q->facts.user->login, s->created);
	journal_anchor(hash, &archived, q->context.journal);
	s->handed_over = s->handed_over_at ? ANSWER_YES : archived ? ANSWER_UNKNOWN : ANSWER_NO;
}

static void server_failure(struct explain_server *s, struct inquiry *q)
{
	const struct journal_entry *failed = last_failure(&q->changes, s->server->name);
	char **remedy = &q->remedies[s - q->servers];

	if (!failed)
		return;
	*remedy = last_failure_statements(&q->changes, s->server->name);
	s->failed = failed->detail;
	s->remedy = *remedy;
}

static void server_facts(struct explain_server *s, struct inquiry *q)
{
	server_failure(s, q);
	for (size_t i = 0; i < q->records.n; i++)
		server_record(s, &q->records.items[i], q->context.user->login);
	/* A login that the agent may not see is not gone. */
	if (s->reach == REACH_READ && !s->incomplete && s->login == EXPLAIN_LOGIN_UNKNOWN)
		s->login = EXPLAIN_LOGIN_MISSING;
	server_network(s, q);
	server_handover(s, q);
}

static void database_facts(struct explain_database *d, const struct inquiry *q)
{
	const struct grant *g = d->grant;

	for (size_t i = 0; i < q->records.n; i++) {
		const struct record *r = &q->records.items[i];
		if (r->kind != RECORD_GRANT || !streq(r->server, g->server->name) ||
			!streq(r->login, g->user->login) || !streq(r->database, g->database->name))
			continue;
		d->seen = r->state != STATE_UNREACHABLE;
		d->unread = r->grant.seen != ANSWER_YES;
		d->state = r->state;
		d->observed = r->grant.level;
		d->detail = d->seen ? r->detail : NULL;
	}
	const struct journal_entry *doubt =
		last_doubt(&q->changes, g->server->name, g->database->name);
	d->unverified = doubt ? doubt->detail : NULL;
	for (size_t i = 0; i < q->verified.n; i++) {
		const struct verified *v = &q->verified.items[i];
		if (streq(v->server, g->server->name) && names_equal(v->login, g->user->login) &&
			names_equal(v->database, g->database->name))
			d->last = v;
	}
}

static void grants_facts(struct inquiry *q)
{
	struct explain_facts *f = &q->facts;

	for (size_t i = 0; i < q->context.grants.n; i++) {
		const struct grant *g = &q->context.grants.items[i];
		size_t k = 0;
		if (g->user != q->context.user)
			continue;
		q->databases[f->n_databases].grant = g;
		database_facts(&q->databases[f->n_databases++], q);
		while (k < f->n_servers && q->servers[k].server != g->server)
			k++;
		if (k < f->n_servers)
			continue;
		q->servers[f->n_servers].server = g->server;
		server_facts(&q->servers[f->n_servers++], q);
	}
}

static void denied_facts(struct inquiry *q)
{
	const struct source *a = q->facts.address;
	const struct user *u = q->context.user;

	for (size_t i = 0; i < q->network.n_refused; i++) {
		const struct refused *r = &q->network.refused[i];
		struct explain_denied d = {
			.refused = r, .server = denied_server(q->context.program, &r->endpoint)};
		for (size_t k = 0; k < u->n_sources && !d.own; k++) {
			d.own = source_contains(&u->sources[k], r->source.family, r->source.addr);
			if (d.own || source_is_near(&u->sources[k], &r->source))
				d.near = &u->sources[k];
		}
		if (a ? source_contains(&r->source, a->family, a->addr) : d.near != NULL)
			q->denied[q->facts.n_denied++] = d;
	}
}

static void revocation_facts(struct inquiry *q)
{
	const struct context *c = &q->context;

	for (size_t i = 0; i < c->overrides.n; i++) {
		const struct override *o = &c->overrides.items[i];
		if (!override_blocks(o, c->client->name, c->user->login))
			continue;
		if (!o->login)
			q->facts.revoked_client = o;
		else
			q->facts.revoked_user = o;
	}
	const struct override *o =
		q->facts.revoked_client ? q->facts.revoked_client : q->facts.revoked_user;
	/* By the names that the client and the login had then. */
	if (o)
		q->revoked_by = override_actor(c->journal, o->client, o->login);
	q->facts.revoked_by = q->revoked_by;
}

static int facts_make(struct inquiry *q)
{
	const struct context *c = &q->context;
	instant_t clock = (instant_t)time(NULL);

	q->servers = calloc(c->grants.n + 1, sizeof(*q->servers));
	q->databases = calloc(c->grants.n + 1, sizeof(*q->databases));
	q->remedies = calloc(c->grants.n + 1, sizeof(*q->remedies));
	q->denied = calloc(q->network.n_refused + 1, sizeof(*q->denied));
	if (!q->servers || !q->databases || !q->denied || !q->remedies)
		return EXIT_FAILED;
	q->facts.client = c->client;
	q->facts.user = c->user;
	q->facts.now = c->now;
	q->facts.clock_behind = !c->cli->at && c->now > clock + 1 ? c->now - clock : 0;
	q->facts.filters = c->program->settings.firewall.enabled;
	q->facts.servers = q->servers;
	q->facts.databases = q->databases;
	q->facts.denied = q->denied;
	grants_facts(q);
	denied_facts(q);
	revocation_facts(q);
	return 0;
}

static void inquiry_free(struct inquiry *q)
{
	for (size_t i = 0; q->remedies && i < q->facts.n_servers; i++)
		free(q->remedies[i]);
	free(q->remedies);
	free(q->servers);
	free(q->databases);
	free(q->denied);
	free(q->revoked_by);
	journal_entries_free(&q->handovers);
	journal_entries_free(&q->changes);
	verified_list_free(&q->verified);
	firewall_state_free(&q->network);
	records_free(&q->records);
	context_close(&q->context);
}

static int show(const struct inquiry *q)
{
	char text[EXPLAIN_TEXT_MAX];
	int rc = q->context.cli->json ? json_print(explain_json(&q->facts), stdout)
				      : explain_print(&q->facts, stdout);

	if (rc)
		return EXIT_FAILED;
	const enum explain_cause cause = explain_verdict(text, &q->facts);
	return cause == CAUSE_NONE	 ? EXIT_FINE
	       : cause == CAUSE_NOT_READ ? EXIT_FAILED
					 : EXIT_DIFFERENT;
}

static int run(struct cli *cli)
{
	struct inquiry q = {0};
	int code = context_open(&q.context, cli, CONTEXT_LOADED | CONTEXT_CLIENT);

	if (!code)
		code = address_parse(&q, cli);
	if (!code)
		code = context_state(&q.context, false);
	if (!code)
		code = journal_ask(&q);
	if (!code)
		network_ask(&q);
	/* Explain from the configuration and the journal even if no server was read. */
	if (!code)
		servers_ask(&q);
	if (!code)
		code = facts_make(&q);
	if (!code)
		code = show(&q);
	inquiry_free(&q);
	return code;
}

const struct command command_explain = {
	.name = "explain",
	.operands = "CLIENT USER",
	.min_operands = 2,
	.max_operands = 2,
	.options = OPT_JSON | OPT_AT | OPT_ADDRESS,
	.summary = "Explain why a user cannot connect",
	.help = "Shows the network, the login, each database, and the schedule of one user; the last line is the cause and what\n"
		"to do. Also works without the service, and while a server is down. Changes nothing.\n"
		"Exit status: 0 nothing keeps the user out, 1 failure, or something was not read, 2 a cause was found.\n",
	.run = run,
};
