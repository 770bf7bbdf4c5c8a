/* Sessions and findings of an audit: what is unusual about a session, and which user a finding concerns. */
#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

#include "curfew/calendar.h"
#include "curfew/text.h"
#include "report/audit_build.h"

/* With CLIENT, keep findings about its users, its databases, and the server. Never show another client's database. */
static bool concerns(const struct build *b, const struct record *r)
{
	static const char *const servers[] = {"", "master", "model", "msdb", "tempdb"};
	const struct client *client = b->client ? program_client(b->program, b->client) : NULL;

	if (!client || names_equal(r->client, client->name))
		return true;
	if (*r->client)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		if (names_equal(r->database, servers[i]))
			return true;
	/* Of a database that is no client's, and open to the users of every client of that server. */
	const struct server *s =
		r->kind == RECORD_FINDING && streq(r->finding.name, "guest-elsewhere")
			? program_server(b->program, r->server)
			: NULL;
	if (s)
		return client_uses_server(b->program, client, s);
	return client_names_database(b->program, client, r->server, r->database);
}

/* It says what the grant's own record says: the database is a secondary replica there, which is audited on its primary. */
static bool is_of_secondary(const struct build *b, const struct record *note)
{
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];

		if (r->kind == RECORD_GRANT && r->state == STATE_WAITING &&
			r->grant.secondary == ANSWER_YES && note->state == STATE_WAITING &&
			streq(r->server, note->server) && names_equal(r->login, note->login) &&
			names_equal(r->database, note->database))
			return true;
	}
	return false;
}

static const struct user *user_of(const struct program *p, const char *client, const char *login)
{
	const struct client *c = *client ? program_client(p, client) : NULL;

	for (size_t i = 0; c && i < c->n_users; i++)
		if (names_equal(c->users[i].login, login))
			return &c->users[i];
	return NULL;
}

static bool address_is_allowed(const struct user *u, const char *address, instant_t now)
{
	uint8_t raw[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, address, raw) != 1)
		return true; /* "<local machine>" is not an address */
	for (size_t i = 0; i < u->n_sources; i++)
		if (source_contains(&u->sources[i], family, raw) && user_source_end(u, i) > now)
			return true;
	return false;
}

static bool session_is_foreign(const struct build *b, const struct record *r)
{
	const struct user *u = user_of(b->program, r->client, r->login);

	return u && *r->session.address && !address_is_allowed(u, r->session.address, b->at);
}

static bool login_is_shared(const struct build *b, const struct record *r)
{
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *o = &b->in->records[i];
		if (o->kind == RECORD_SESSION && streq(o->login, r->login) &&
			streq(o->server, r->server) &&
			!streq(o->session.address, r->session.address))
			return true;
	}
	return false;
}

/* What is unusual about a session, or NULL. */
static const char *session_detail(struct build *b, const struct record *r)
{
	struct text text;
	FILE *to = text_begin(&text);

	if (to && *r->detail)
		fprintf(to, "%s; ", r->detail);
	if (to && !user_of(b->program, r->client, r->login))
		fputs("not a configured user; ", to);
	else if (to && session_is_foreign(b, r))
		fputs("the address is not one of the user's sources; ", to);
	if (to && login_is_shared(b, r))
		fputs("the login is used from several addresses; ", to);
	/* A program can claim any name, so this is only a hint. */
	if (to && *r->session.program && !strstr(r->session.program, "Management Studio"))
		fputs("the program name is not SSMS (reported by the client program); ", to);
	char *detail = text_end(&text);
	if (detail && text.size < 2) {
		free(detail);
		return NULL;
	}
	if (detail)
		detail[text.size - 2] = '\0';
	return audit_text_keep(b, detail);
}

void sessions_add(struct build *b)
{
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];
		if (r->kind != RECORD_SESSION || (b->client && !names_equal(b->client, r->client)))
			continue;
		b->sessions[b->n_sessions++] = (struct audit_session){.server = r->server,
			.client = audit_or_null(r->client),
			.login = r->login,
			.address = r->session.address,
			.program = r->session.program,
			.number = r->session.number,
			.since = r->session.since,
			.detail = session_detail(b, r)};
	}
}

/* Whether the journal has a handover that explains the password that the login has there. */
static bool password_was_handed(const struct build *b, const struct record *r)
{
	instant_t created = 0;

	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *l = &b->in->records[i];
		if (l->kind == RECORD_LOGIN && streq(l->server, r->server) &&
			names_equal(l->login, r->login))
			created = l->identity.created;
	}
	return b->in->handovers &&
	       handed_over_at(b->in->handovers, r->server, r->login, created) != 0;
}

static struct audit_finding finding_of(const struct record *r, const char *name,
	enum finding_severity severity, const char *evidence, const char *remedy)
{
	return (struct audit_finding){.name = name,
		.severity = severity,
		.server = r->server,
		.database = audit_or_null(r->database),
		.client = audit_or_null(r->client),
		.login = audit_or_null(r->login),
		.evidence = evidence,
		.remedy = remedy};
}

/* The id covers everything in the finding, also its severity: a finding that becomes more severe after go-live needs
 * a new acceptance. */
static void id_make(struct audit_finding *f)
{
	const char *const texts[] = {f->name, finding_severity_name(f->severity), f->server,
		f->database, f->client, f->login, f->evidence, f->also};
	uint8_t hash[crypto_generichash_BYTES];
	crypto_generichash_state s;

	crypto_generichash_init(&s, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = texts[i] ? texts[i] : "";
		crypto_generichash_update(&s, (const uint8_t *)text, strlen(text) + 1);
	}
	crypto_generichash_final(&s, hash, sizeof(hash));
	sodium_bin2hex(f->id, sizeof(f->id), hash, (sizeof(f->id) - 1) / 2);
}

/* The last acceptance counts, until its end. */
static const struct journal_entry *acceptance_find(
	const struct build *b, const struct audit_finding *f)
{
	const struct journal_entries *h = b->in->accepted;
	instant_t until;

	for (size_t i = h ? h->n : 0; i-- > 0;) {
		const struct journal_entry *e = &h->items[i];
		if (e->statement && streq(e->statement, f->id))
			return e->after && !instant_parse(&until, e->after, "UTC", b->at) &&
					       until > b->at
				       ? e
				       : NULL;
	}
	return NULL;
}

static instant_t first_seen(const struct build *b, const struct audit_finding *f)
{
	const struct journal_entries *h = b->in->found;

	for (size_t i = 0; h && i < h->n; i++)
		if (h->items[i].statement && streq(h->items[i].statement, f->id))
			return h->items[i].at;
	return 0;
}

static void finding_add(struct build *b, struct audit_finding f)
{
	b->findings[b->n_findings++] = f;
}

/* A session from an address outside the user's sources got past the packet filter. */
static void session_findings(struct build *b, const struct record *r)
{
	unsigned long long number = r->session.number;

	if (b->client && !names_equal(b->client, r->client))
		return;
	if (session_is_foreign(b, r))
		finding_add(b,
			finding_of(r, "session-address", FINDING_HIGH,
				audit_text(b,
					"%s: session %llu comes from %s, which is not one of the user's sources",
					r->login, number, r->session.address),
				audit_text(b, "KILL %llu;", number)));
	if (login_is_shared(b, r))
		finding_add(b,
			finding_of(r, "session-addresses", FINDING_LOW,
				audit_text(b,
					"%s: session %llu from %s, others from other addresses",
					r->login, number, r->session.address),
				"ask the person; to remove the access now, run `curfew revoke CLIENT USER --reason TEXT`"));
}

/* Requires sorted grants: those of one user on one server are adjacent. */
static bool is_first_there(const struct grants *all, size_t i)
{
	const struct grant *g = &all->items[i];

	return !i || all->items[i - 1].user != g->user || all->items[i - 1].server != g->server;
}

size_t overlaps_count(const struct audit_input *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->grants->n; i++) {
		const struct grant *g = &in->grants->items[i];
		for (size_t k = 0; k < g->user->n_sources && is_first_there(in->grants, i); k++)
			n += source_overlaps_trusted(&g->user->sources[k], g->server) != NULL;
	}
	return n;
}

/* Trusted sources have no end, so a user behind one reaches the server after the access has ended. */
static void overlaps_add(struct build *b, const struct grant *g)
{
	char mine[SOURCE_TEXT_MAX], theirs[SOURCE_TEXT_MAX];

	for (size_t k = 0; k < g->user->n_sources; k++) {
		const struct source *t = source_overlaps_trusted(&g->user->sources[k], g->server);
		if (!t)
			continue;
		finding_add(b,
			(struct audit_finding){.name = "source-trusted",
				.severity = FINDING_MEDIUM,
				.server = g->server->name,
				.client = g->client->name,
				.login = g->user->login,
				.evidence = audit_text(b,
					"%s overlaps trusted source %s of the server, so its packets pass "
					"after access ends",
					source_format(mine, &g->user->sources[k]),
					source_format(theirs, t)),
				.remedy = "use another address, or remove it from \"trusted\""});
	}
}

/* Who is not allowed is blocked only where the packet filter guards the server. */
static void guards_add(struct build *b)
{
	const struct client *client = b->client ? program_client(b->program, b->client) : NULL;

	if (!b->program->settings.firewall.enabled)
		return;
	if (!b->in->network) {
		finding_add(b,
			(struct audit_finding){.name = AUDIT_NOT_SHOWN,
				.server = JOURNAL_NETWORK,
				.severity = b->in->network_refused ? FINDING_INFO : FINDING_HIGH,
				.evidence =
					b->in->network_refused
						? "the packet filter was not read, so whom it allows is not known; run as root"
						: "the packet filter could not be read, so whom it allows is not known"});
		return;
	}
	for (size_t i = 0; i < b->program->n_servers; i++) {
		const struct server *s = &b->program->servers[i];
		if ((client && !client_uses_server(b->program, client, s)) ||
			network_guards(b->in->network, s))
			continue;
		finding_add(b,
			(struct audit_finding){.name = AUDIT_UNGUARDED,
				.severity = FINDING_CRITICAL,
				.server = s->name,
				.evidence =
					"the packet filter does not guard the server, so it blocks nobody there",
				.remedy = "curfew apply"});
	}
}

void findings_add(struct build *b)
{
	const struct grants *all = b->in->grants;

	for (size_t i = 0; i < all->n; i++)
		if (is_first_there(all, i) &&
			(!b->client || streq(b->client, all->items[i].client->name)))
			overlaps_add(b, &all->items[i]);
	guards_add(b);
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];
		if (!concerns(b, r))
			continue;
		if (r->kind == RECORD_SESSION)
			session_findings(b, r);
		if (r->kind == RECORD_VERIFICATION && r->verification.result == VERIFICATION_EXCESS)
			finding_add(b, finding_of(r, "effective-permission", FINDING_CRITICAL,
					       r->detail, "curfew apply"));
		/* List what could not be read among the findings. */
		if (r->kind == RECORD_NOTE && !is_of_secondary(b, r))
			finding_add(
				b, finding_of(r, AUDIT_NOT_SHOWN, FINDING_INFO, r->detail, NULL));
		if (r->kind == RECORD_FINDING &&
			!(streq(r->finding.name, "password-set") && password_was_handed(b, r)))
			finding_add(b, finding_of(r, r->finding.name, r->finding.severity,
					       r->detail, r->finding.remedy));
	}
	findings_merge(b);
	size_t kept = 0;
	for (size_t i = 0; i < b->n_findings; i++) {
		struct audit_finding f = b->findings[i];

		id_make(&f);
		f.accepted = acceptance_find(b, &f);
		f.first_seen = first_seen(b, &f);
		/* What could not be read now is no old news. */
		if (b->since && f.first_seen && f.first_seen < b->since &&
			!streq(f.name, AUDIT_NOT_SHOWN))
			b->n_older++;
		else
			b->findings[kept++] = f;
	}
	b->n_findings = kept;
}
