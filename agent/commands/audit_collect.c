/* Gathers what an audit shows: the records of one observing pass, the packet filter, the journal. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "commands/audit_collect.h"

static char *copy(const char *text, bool *failed)
{
	char *c = text ? strdup(text) : NULL;

	*failed = *failed || (text && !c);
	return c;
}

int history_keep(void *copies, const struct journal_entry *e)
{
	struct history_copy *h = copies;
	struct journal_entry *items = reallocarray(h->items, h->n + 1, sizeof(*items)), *k;
	bool failed = false;

	if (!items)
		return -ENOMEM;
	h->items = items;
	k = &items[h->n++];
	*k = *e;
	const char **texts[] = {&k->actor, &k->reason, &k->phase, &k->client, &k->login, &k->server,
		&k->database, &k->action, &k->statement, &k->before, &k->after, &k->outcome,
		&k->detail, &k->level, &k->sources, &k->configuration};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = copy(*texts[i], &failed);
	return failed ? -ENOMEM : 0;
}

void history_free(struct history_copy *h)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct journal_entry *k = &h->items[i];
		const char *const texts[] = {k->actor, k->reason, k->phase, k->client, k->login,
			k->server, k->database, k->action, k->statement, k->before, k->after,
			k->outcome, k->detail, k->level, k->sources, k->configuration};
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			free((char *)texts[t]);
	}
	free(h->items);
	*h = (struct history_copy){0};
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static bool is_of(const struct collected *c, const char *client)
{
	return !c->report.client || !strcmp(c->report.client, client);
}

static bool database_is_of(const struct client *c, const struct program *p, const struct record *r)
{
	for (size_t i = 0; i < c->n_databases; i++)
		if (!strcmp(p->servers[c->databases[i].server].name, r->server) &&
			names_equal(c->databases[i].name, r->database))
			return true;
	return false;
}

/* Of an audit of one client: what was found of its people wherever they are, in its databases, or of the server as a
 * whole. What another client's database holds is not told to whom it does not concern. */
static bool concerns(const struct collected *c, const struct program *p, const struct record *r)
{
	static const char *const servers[] = {"", "master", "model", "msdb", "tempdb"};
	const struct client *client = c->report.client ? program_client(p, c->report.client) : NULL;

	if (!client || !strcmp(r->client, client->name))
		return true;
	if (*r->client)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		if (names_equal(r->database, servers[i]))
			return true;
	return database_is_of(client, p, r);
}

static size_t count(const struct records *k, enum record_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->items[i].kind == kind;
	return n;
}

static void servers_take(struct collected *c, const struct program *p)
{
	for (size_t i = 0; i < c->records.n; i++) {
		const struct record *r = &c->records.items[i];
		const struct server *server =
			r->kind == RECORD_SERVER ? program_server(p, r->server) : NULL;
		if (!server)
			continue;
		c->servers[c->report.n_servers++] = (struct audit_server){.server = server,
			.state = r->state,
			.version = or_null(r->about.version),
			.detail = or_null(r->detail),
			.round_trips = r->about.round_trips};
	}
	for (size_t i = 0; i < c->records.n; i++) {
		const struct record *r = &c->records.items[i];
		/* The last word of a worker counts all of its round trips. */
		for (size_t k = 0; r->kind == RECORD_END && k < c->report.n_servers; k++)
			if (c->servers[k].server && !strcmp(c->servers[k].server->name, r->server))
				c->servers[k].round_trips = r->end.round_trips;
	}
}

static void grants_take(struct collected *c)
{
	for (size_t i = 0; i < c->grants.n; i++) {
		const struct grant *g = &c->grants.items[i];
		if (!is_of(c, g->client->name))
			continue;
		struct audit_grant *a = &c->audit_grants[c->report.n_grants++];
		*a = (struct audit_grant){.wanted = g,
			.state = STATE_UNREACHABLE,
			.detail = "nothing was said of it"};
		if (c->network_seen)
			a->packets = packets_of(&c->network, g);
		for (size_t k = 0; k < c->records.n; k++) {
			const struct record *r = &c->records.items[k];
			if (r->kind != RECORD_GRANT || strcmp(r->server, g->server->name) != 0 ||
				strcmp(r->login, g->user->login) != 0 ||
				strcmp(r->database, g->database->name) != 0)
				continue;
			a->state = r->state;
			a->seen = r->state != STATE_UNREACHABLE;
			a->observed = r->grant.level;
			a->detail = or_null(r->detail);
		}
		for (size_t k = 0; k < c->records.n; k++) {
			const struct record *r = &c->records.items[k];
			/* As scheduled by its roles, but the server itself says otherwise, or cannot say. */
			if (r->kind == RECORD_VERIFICATION && r->verification.result != VERIFICATION_VERIFIED &&
				a->state == STATE_OK && !strcmp(r->server, g->server->name) &&
				!strcmp(r->login, g->user->login) &&
				!strcmp(r->database, g->database->name)) {
				a->state = r->verification.result == VERIFICATION_EXCESS ? STATE_DRIFT
										 : STATE_UNVERIFIED;
				a->detail = or_null(r->detail);
			}
		}
	}
}

static const struct user *user_of(const struct program *p, const char *client, const char *login)
{
	const struct client *c = *client ? program_client(p, client) : NULL;

	for (size_t i = 0; c && i < c->n_users; i++)
		if (names_equal(c->users[i].login, login))
			return &c->users[i];
	return NULL;
}

static bool address_is_allowed(const struct user *u, const char *address)
{
	uint8_t raw[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, address, raw) != 1)
		return true; /* "<local machine>" and the like say nothing */
	for (size_t i = 0; i < u->n_sources; i++)
		if (source_contains(&u->sources[i], family, raw))
			return true;
	return false;
}

static bool session_is_foreign(const struct program *p, const struct record *r)
{
	const struct user *u = user_of(p, r->client, r->login);

	return u && *r->session.address && !address_is_allowed(u, r->session.address);
}

static bool login_is_shared(const struct collected *c, const struct record *r)
{
	for (size_t i = 0; i < c->records.n; i++) {
		const struct record *o = &c->records.items[i];
		if (o->kind == RECORD_SESSION && !strcmp(o->login, r->login) &&
			!strcmp(o->server, r->server) && strcmp(o->session.address, r->session.address) != 0)
			return true;
	}
	return false;
}

/* What is odd about a session, in words; NULL when nothing is. */
static char *session_detail(
	const struct collected *c, const struct program *p, const struct record *r)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	if (*r->detail)
		fprintf(to, "%s; ", r->detail);
	if (!user_of(p, r->client, r->login))
		fputs("no user of the configuration; ", to);
	else if (session_is_foreign(p, r))
		fputs("comes from an address that is not among the user's sources; ", to);
	if (login_is_shared(c, r))
		fputs("the login is used from several addresses; ", to);
	/* What a connection calls itself is a hint, never proof. */
	if (*r->session.program && !strstr(r->session.program, "Management Studio"))
		fputs("does not call itself SSMS (a hint only); ", to);
	if (fclose(to) || !size) {
		free(text);
		return NULL;
	}
	text[size - 2] = '\0';
	return text;
}

static void sessions_take(struct collected *c, const struct program *p)
{
	for (size_t i = 0; i < c->records.n; i++) {
		const struct record *r = &c->records.items[i];
		if (r->kind != RECORD_SESSION ||
			(c->report.client && strcmp(c->report.client, r->client) != 0))
			continue;
		size_t n = c->report.n_sessions++;
		c->details[n] = session_detail(c, p, r);
		c->sessions[n] = (struct audit_session){.server = r->server,
			.client = or_null(r->client),
			.login = r->login,
			.address = r->session.address,
			.program = r->session.program,
			.number = r->session.number,
			.since = r->session.since,
			.detail = c->details[n]};
	}
}

static int handover_seen(void *context, const struct journal_entry *e)
{
	if (e->action && !strcmp(e->action, "handover"))
		*(bool *)context = true;
	return 0;
}

/* A text that lives as long as the report. */
__attribute__((format(printf, 2, 3))) static const char *text_keep(
	struct collected *c, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : (c->texts[c->n_texts++] = text);
}

/* Somebody set a password: ours, when a hand-over is on record. */
static bool password_was_handed(const struct collected *c, const char *login)
{
	struct journal_filter f = {.login = login, .kind = JOURNAL_EVENT};
	bool seen = false;

	if (c->journal)
		journal_read(c->journal, &f, handover_seen, &seen);
	return seen;
}

static void finding_add(struct collected *c, struct audit_finding f)
{
	c->findings[c->report.n_findings++] = f;
}

/* Where a session comes from says the network's side of the story: a source that should not have got this far. */
static void session_findings(struct collected *c, const struct program *p, const struct record *r)
{
	struct audit_finding f = {
		.server = r->server, .client = or_null(r->client), .login = r->login};

	if (c->report.client && strcmp(c->report.client, r->client) != 0)
		return;
	if (session_is_foreign(p, r)) {
		f.name = "session-address";
		f.severity = FINDING_HIGH;
		f.evidence = text_keep(c,
			"%s: session %llu comes from %s, which is not among the user's sources",
			r->login, (unsigned long long)r->session.number, r->session.address);
		f.remedy = text_keep(c, "KILL %llu;", (unsigned long long)r->session.number);
		if (f.evidence && f.remedy)
			finding_add(c, f);
	}
	if (login_is_shared(c, r)) {
		f.name = "session-addresses";
		f.severity = FINDING_LOW;
		f.evidence = text_keep(c, "%s: session %llu from %s, others from elsewhere",
			r->login, (unsigned long long)r->session.number, r->session.address);
		f.remedy = "ask the person; `curfew revoke CLIENT USER` closes it at once";
		if (f.evidence)
			finding_add(c, f);
	}
}

static void findings_take(struct collected *c, const struct program *p)
{
	for (size_t i = 0; i < c->records.n; i++) {
		const struct record *r = &c->records.items[i];
		if (!concerns(c, p, r))
			continue;
		if (r->kind == RECORD_SESSION)
			session_findings(c, p, r);
		if (r->kind == RECORD_VERIFICATION && r->verification.result == VERIFICATION_EXCESS)
			finding_add(c, (struct audit_finding){.name = "effective-permission",
					       .severity = FINDING_CRITICAL,
					       .server = r->server,
					       .database = or_null(r->database),
					       .client = or_null(r->client),
					       .login = or_null(r->login),
					       .evidence = r->detail,
					       .remedy = "curfew apply"});
		/* What could not be looked at stands beside what was found. */
		if (r->kind == RECORD_NOTE)
			finding_add(c, (struct audit_finding){.name = AUDIT_NOT_SHOWN,
					       .severity = FINDING_INFO,
					       .server = r->server,
					       .database = or_null(r->database),
					       .client = or_null(r->client),
					       .login = or_null(r->login),
					       .evidence = r->detail});
		if (r->kind != RECORD_FINDING ||
			(streq(r->finding.name, "password-set") && password_was_handed(c, r->login)))
			continue;
		finding_add(c, (struct audit_finding){.name = r->finding.name,
				       .severity = r->finding.severity,
				       .server = r->server,
				       .database = or_null(r->database),
				       .client = or_null(r->client),
				       .login = or_null(r->login),
				       .evidence = r->detail,
				       .remedy = r->finding.remedy});
	}
}

static void proofs_take(struct collected *c)
{
	for (size_t i = 0; i < c->records.n; i++) {
		const struct record *r = &c->records.items[i];
		if (r->kind == RECORD_VERIFICATION)
			c->proofs[c->report.n_proofs++] = (struct audit_proof){.client = r->client,
				.login = r->login,
				.server = r->server,
				.database = r->database,
				.level = r->verification.level,
				.outcome = verification_name(r->verification.result),
				.detail = r->detail,
				.at = r->verification.at};
	}
}

static int arrays_make(struct collected *c)
{
	size_t proofs = count(&c->records, RECORD_VERIFICATION),
	       sessions = count(&c->records, RECORD_SESSION);

	c->servers = calloc(count(&c->records, RECORD_SERVER) + 1, sizeof(*c->servers));
	c->audit_grants = calloc(c->grants.n + 1, sizeof(*c->audit_grants));
	c->sessions = calloc(sessions + 1, sizeof(*c->sessions));
	c->details = calloc(sessions + 1, sizeof(*c->details));
	c->findings = calloc(count(&c->records, RECORD_FINDING) + count(&c->records, RECORD_NOTE) +
				     proofs + 2 * sessions + 1,
		sizeof(*c->findings));
	c->texts = calloc(3 * sessions + 1, sizeof(*c->texts));
	c->proofs = calloc(proofs + 1, sizeof(*c->proofs));
	return c->servers && c->audit_grants && c->sessions && c->details && c->findings &&
			       c->proofs && c->texts
		       ? 0
		       : -ENOMEM;
}

static int history_take(struct collected *c)
{
	struct journal_filter f = {.client = c->report.client, .kind = -1};
	int rc = journal_read(c->journal, &f, history_keep, &c->history);

	if (!rc)
		rc = journal_head(c->report.head_hash, &c->report.head, c->journal);
	c->report.history = c->history.items;
	c->report.n_history = c->history.n;
	return rc;
}

int collect(struct collected *out, struct cli *cli, const struct program *p,
	const struct client *client, instant_t now)
{
	struct collected *c = out;
	struct network network = {0};

	*c = (struct collected){0};
	c->report = (struct audit_report){.at = now,
		.zone = client ? client->timezone : p->settings.timezone,
		.client = client ? client->name : NULL,
		.program = p,
		.overrides = &c->overrides};
	int code = cli_journal(&c->journal, cli, p, false);
	if (!code)
		code = cli_overrides(&c->overrides, cli, c->journal);
	if (!code && schedule_at(&c->grants, p, &c->overrides, now))
		code = EXIT_FAILED;
	if (code)
		return code;
	if (!cli_network_beside(&network, cli, p) && network.present)
		c->network_seen = !firewall_observe(&c->network, network.firewall, now);
	network_close(&network);
	struct pass_options o = {
		.mode = PASS_AUDIT,
		.program = p,
		.overrides = &c->overrides,
		.journal = c->journal,
		.now = now,
		.client = c->report.client,
		.sink = records_keep,
		.context = &c->records,
	};
	if (cli_pass(&c->result, cli, &o) || arrays_make(c) || (c->journal && history_take(c)))
		return EXIT_FAILED;
	servers_take(c, p);
	grants_take(c);
	sessions_take(c, p);
	findings_take(c, p);
	proofs_take(c);
	c->report.servers = c->servers;
	c->report.grants = c->audit_grants;
	c->report.sessions = c->sessions;
	c->report.findings = c->findings;
	c->report.proofs = c->proofs;
	return 0;
}

void collected_free(struct collected *c)
{
	for (size_t i = 0; c->details && i < c->report.n_sessions; i++)
		free(c->details[i]);
	free(c->details);
	for (size_t i = 0; i < c->n_texts; i++)
		free(c->texts[i]);
	free(c->texts);
	free(c->servers);
	free(c->audit_grants);
	free(c->sessions);
	free(c->findings);
	free(c->proofs);
	history_free(&c->history);
	firewall_state_free(&c->network);
	records_free(&c->records);
	grants_free(&c->grants);
	overrides_free(&c->overrides);
	journal_close(c->journal);
	*c = (struct collected){0};
}
