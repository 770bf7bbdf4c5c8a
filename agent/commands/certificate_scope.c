/* The user or client of a certificate, and the reasons not to issue it. */
#include <stdarg.h>
#include <string.h>

#include "commands/certificate_scope.h"
#include "commands/history_select.h"
#include "curfew/calendar.h"
#include "curfew/comment.h"
#include "curfew/person.h"
#include "program/visible_text.h"

int scope_find(struct certificate_scope *out, const struct cli *cli, const struct collected *c,
	const char *name)
{
	const struct client *client = c->context.client;

	*out = (struct certificate_scope){.client = client};
	if (!name)
		return 0;
	out->user = client_user(client, name);
	out->login = out->user ? out->user->login : NULL;
	for (size_t i = c->history.n; i-- > 0 && !out->user;) {
		const char *login = c->history.items[i].login;
		if (!login || !login_is_called(login, name) ||
			(out->login && names_equal(out->login, login)))
			continue;
		if (out->login)
			return cli_fail(cli, EXIT_USAGE,
				"'%s' names several users: %s and %s; use the login", name,
				out->login, login);
		out->login = login;
	}
	return out->login
		       ? 0
		       : cli_fail(cli, EXIT_USAGE,
				 "client '%s' has no user '%s', and the journal knows none of that name",
				 client->name, name);
}

bool scope_has(const struct certificate_scope *s, const char *login)
{
	return !s->login || names_equal(s->login, login);
}

int64_t scope_proof(instant_t *at, const struct collected *c, const char *login, const char *server,
	const char *database)
{
	for (size_t i = c->history.n; i-- > 0;) {
		const struct journal_entry *e = &c->history.items[i];
		bool place = database ? e->database && streq(e->database, database) : !e->database;

		if (e->kind != JOURNAL_PROOF || !e->login || !names_equal(e->login, login) ||
			!e->server || !streq(e->server, server) || !place)
			continue;
		/* The last one decides: who was verified as having access, or as more than none, was not removed then. */
		if (!is_verified(e->outcome) || !e->level ||
			!streq(e->level, level_name(LEVEL_NONE)))
			return 0;
		*at = e->at;
		return e->id;
	}
	return 0;
}

bool scope_is_former(const struct certificate_scope *s, const struct journal_entry *e)
{
	if (e->kind != JOURNAL_ACCESS || !e->login || !e->server || !scope_has(s, e->login))
		return false;
	for (size_t i = 0; i < s->client->n_users; i++)
		if (names_equal(s->client->users[i].login, e->login))
			return false;
	return true;
}

instant_t scope_login_gone(const struct identities *ids, const struct journal_entry *e)
{
	instant_t last = 0;

	/* One row for each time that the login was made. */
	for (size_t i = 0; i < ids->n; i++) {
		const struct identity *k = &ids->items[i];
		if (!streq(k->server, e->server) || !names_equal(k->login, e->login))
			continue;
		if (!k->removed)
			return 0;
		last = k->removed > last ? k->removed : last;
	}
	return last;
}

struct missing {
	const struct cli *cli;
	const struct collected *collected;
	const struct certificate_scope *scope;
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void refuse(struct missing *m, const char *format, ...)
{
	char text[RECORD_TEXT_MAX * 2];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!m->n++)
		cli_fail(m->cli, 0, "cannot issue the certificate; not verified as removed:");
	text_printf(stderr, "  %s\n", text);
}

/* The client continues, so the user's grants must have ended or be revoked. */
static void person_is_over(struct missing *m)
{
	const struct grants *g = &m->collected->context.grants;
	char until[INSTANT_TEXT_MAX];

	for (size_t i = 0; i < g->n; i++)
		if (g->items[i].user == m->scope->user && m->scope->user &&
			(g->items[i].level != LEVEL_NONE ||
				(g->items[i].phase != PHASE_REVOKED &&
					g->items[i].next_level != LEVEL_NONE))) {
			refuse(m, "access of %s does not end before %s", m->scope->login,
				instant_format(until, g->items[i].end));
			return;
		}
}

static void end_check(struct missing *m)
{
	const struct collected *c = m->collected;
	const instant_t end = client_end(m->scope->client, &c->context.overrides, c->report.at);
	char when[INSTANT_TEXT_MAX];

	if (m->scope->login)
		person_is_over(m);
	else if (c->report.at < end)
		refuse(m, "access does not end before %s", instant_format(when, end));
}

static void servers_check(struct missing *m)
{
	const struct audit_report *r = &m->collected->report;

	for (size_t i = 0; i < r->n_servers; i++)
		if (r->servers[i].state != STATE_OK)
			refuse(m, "server %s: %s%s%s", r->servers[i].server->name,
				state_name(r->servers[i].state), r->servers[i].detail ? ": " : "",
				r->servers[i].detail ? r->servers[i].detail : "");
}

static void proofs_check(struct missing *m, const struct left_places *left)
{
	const struct audit_report *r = &m->collected->report;
	instant_t at;

	for (size_t i = 0; i < r->n_proofs; i++) {
		const struct audit_proof *p = &r->proofs[i];
		if (!scope_has(m->scope, p->login))
			continue;
		if (!is_verified(p->outcome))
			refuse(m, "%s on %s / %s: %s: %s", p->login, p->server, p->database,
				p->outcome, p->detail);
		else if (p->level != LEVEL_NONE)
			refuse(m, "%s on %s / %s: still has %s access", p->login, p->server,
				p->database, level_name(p->level));
		else if (!scope_proof(&at, m->collected, p->login, p->server, p->database) &&
			 !place_needs_no_record(left, p))
			refuse(m,
				"%s on %s / %s: removed, but the journal has no proof record; run `curfew apply`",
				p->login, p->server, p->database);
	}
	for (size_t i = 0; i < r->n_grants; i++) {
		const struct audit_grant *g = &r->grants[i];
		if (g->state != STATE_OK && scope_has(m->scope, g->wanted->user->login))
			refuse(m, "%s on %s / %s: %s%s%s", g->wanted->user->login,
				g->wanted->server->name, g->wanted->database->name,
				state_name(g->state), g->detail ? ": " : "",
				g->detail ? g->detail : "");
	}
}

/* What the pass itself still looks for. A client that no record names may be this one. */
static bool residual_concerns(const struct missing *m, const struct audit_residual *k)
{
	return (!k->client || names_equal(k->client, m->scope->client->name)) &&
	       scope_has(m->scope, k->login);
}

/* residual_check() says more about it. */
static bool is_residual(const struct missing *m, const struct left_place *place)
{
	const struct audit_report *r = &m->collected->report;

	for (size_t i = 0; i < r->n_residual; i++) {
		const struct audit_residual *k = &r->residual[i];
		if (residual_concerns(m, k) && k->database && streq(k->server, place->server) &&
			names_equal(k->login, place->login) &&
			names_equal(k->database, place->database))
			return true;
	}
	return false;
}

/* Each change of access is a record of its own. */
static bool is_repeated(
	const struct certificate_scope *s, const struct journal_entries *h, size_t i)
{
	for (size_t k = i; k-- > 0;)
		if (scope_is_former(s, &h->items[k]) &&
			names_equal(h->items[k].login, h->items[i].login) &&
			streq(h->items[k].server, h->items[i].server))
			return true;
	return false;
}

static void memory_check(
	struct missing *m, const struct identities *ids, const struct left_places *left)
{
	const struct journal_entries *h = &m->collected->history;

	for (size_t i = 0; i < h->n; i++)
		if (scope_is_former(m->scope, &h->items[i]) &&
			!scope_login_gone(ids, &h->items[i]) && !is_repeated(m->scope, h, i))
			refuse(m,
				"%s on %s: no longer in the configuration, and removal is not verified; run `curfew apply`",
				h->items[i].login, h->items[i].server);
	for (size_t i = 0; i < left->n; i++) {
		const struct left_place *k = &left->items[i];
		if (!k->gone && !k->forgotten && scope_has(m->scope, k->login) &&
			!is_residual(m, k))
			refuse(m,
				"%s on %s / %s: no longer in the configuration, and not verified gone; run `curfew apply`",
				k->login, k->server, k->database);
	}
}

static void residual_check(struct missing *m)
{
	const struct audit_report *r = &m->collected->report;

	for (size_t i = 0; i < r->n_residual; i++) {
		const struct audit_residual *k = &r->residual[i];
		if (residual_concerns(m, k))
			refuse(m, "%s on %s%s%s: %s", k->login, k->server, k->database ? " / " : "",
				k->database ? k->database : "",
				k->detail ? k->detail : state_name(k->state));
	}
}

static bool is_configured(const struct program *p, const char *login)
{
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_users; k++)
			if (names_equal(p->clients[i].users[k].login, login))
				return true;
	return false;
}

static bool is_email_of(const struct missing *m, const char *email)
{
	const struct client *client = m->scope->client;
	const struct journal_entries *h = &m->collected->history;
	bool same = false;

	for (size_t i = 0; i < client->n_users && !same; i++)
		same = scope_has(m->scope, client->users[i].login) && client->users[i].email &&
		       names_equal(client->users[i].email, email);
	for (size_t i = 0; i < h->n && !same; i++) {
		const struct journal_entry *e = &h->items[i];
		struct person p;

		if (e->kind != JOURNAL_ACCESS || !e->login || !scope_has(m->scope, e->login))
			continue;
		same = person_parse(&p, e->before) && p.email && names_equal(p.email, email);
		person_free(&p);
	}
	return same;
}

/* The same person had access under another name: of the client before its file was renamed, or an own one. */
static void other_name_check(struct missing *m, const char *server, const char *login)
{
	struct journal *j = m->collected->context.journal;
	_cleanup_free_ char *client = NULL, *text = NULL;
	struct person p = {0};

	if (is_configured(m->collected->report.program, login) ||
		journal_client_of(&client, j, server, login, NULL) ||
		(client && names_equal(client, m->scope->client->name) &&
			scope_has(m->scope, login)) ||
		journal_person_of(&text, j, server, login))
		return;
	if (person_parse(&p, text) && p.email && is_email_of(m, p.email))
		refuse(m,
			"%s on %s: a former name of the same person (%s), and removal is not verified; run `curfew apply`",
			login, server, p.email);
	person_free(&p);
}

static bool is_living(const struct identities *ids, const struct verified *v)
{
	for (size_t i = 0; i < ids->n; i++)
		if (!ids->items[i].removed && streq(ids->items[i].server, v->server) &&
			names_equal(ids->items[i].login, v->login))
			return true;
	return false;
}

static void other_names_check(
	struct missing *m, const struct identities *ids, const struct left_places *left)
{
	if (!m->collected->context.journal)
		return;
	for (size_t i = 0; i < ids->n; i++)
		if (!ids->items[i].removed)
			other_name_check(m, ids->items[i].server, ids->items[i].login);
	for (size_t i = 0; i < left->verified.n; i++) {
		const struct verified *v = &left->verified.items[i];
		bool gone = v->level == LEVEL_NONE && v->result == VERIFICATION_VERIFIED;
		if (!gone && !is_living(ids, v))
			other_name_check(m, v->server, v->login);
	}
}

static bool may_be_of(const struct observed_allow *a, const struct missing *m)
{
	const struct certificate_scope *s = m->scope;

	if (!s->login)
		return comment_may_name(a->comment, &a->source, &a->endpoint,
			m->collected->report.program, s->client);
	return comment_names(a->comment, s->client->name, s->login) ||
	       (comment_is_cut(a->comment) && comment_may_name(a->comment, &a->source, &a->endpoint,
						      m->collected->report.program, s->client));
}

static void network_check(struct missing *m)
{
	const struct collected *c = m->collected;
	char source[SOURCE_TEXT_MAX];

	if (c->report.program->settings.firewall.enabled && !c->network_seen)
		refuse(m, "cannot read the packet filter; run as root");
	for (size_t i = 0; c->network_seen && i < c->report.program->n_servers; i++) {
		const struct server *s = &c->report.program->servers[i];
		if (client_uses_server(c->report.program, m->scope->client, s) &&
			!network_guards(&c->network, s))
			refuse(m,
				"server %s: the packet filter does not guard it, so it blocks nobody there; run `curfew apply`",
				s->name);
	}
	for (size_t i = 0; i < c->network.n_allows; i++) {
		const struct observed_allow *a = &c->network.allows[i];
		if (may_be_of(a, m))
			refuse(m, "%s of this client is still allowed by the packet filter%s",
				source_format(source, &a->source),
				comment_names(a->comment, m->scope->client->name, m->scope->login)
					? ""
					: ", or belongs only to others: the comment has no room for all names");
	}
}

size_t scope_missing(const struct cli *cli, const struct collected *c,
	const struct certificate_scope *s, const struct identities *ids,
	const struct left_places *left)
{
	struct missing m = {.cli = cli, .collected = c, .scope = s};

	end_check(&m);
	servers_check(&m);
	proofs_check(&m, left);
	memory_check(&m, ids, left);
	other_names_check(&m, ids, left);
	residual_check(&m);
	network_check(&m);
	return m.n;
}
