/* Builds an audit from the records of a pass, the packet filter, and the journal. */
#include <errno.h>
#include <string.h>

#include "report/audit_build.h"

static size_t count(const struct audit_input *in, enum record_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n_records; i++)
		n += in->records[i].kind == kind;
	return n;
}

static void servers_add(struct build *b)
{
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];
		const struct server *server =
			r->kind == RECORD_SERVER ? program_server(b->program, r->server) : NULL;
		if (!server)
			continue;
		b->servers[b->n_servers++] = (struct audit_server){.server = server,
			.state = r->state,
			.version = audit_or_null(r->about.version),
			.detail = audit_or_null(r->detail),
			.round_trips = r->about.round_trips};
	}
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];
		/* Only the worker's last record has the total of its round trips. */
		for (size_t k = 0; r->kind == RECORD_END && k < b->n_servers; k++)
			if (streq(b->servers[k].server->name, r->server))
				b->servers[k].round_trips = r->end.round_trips;
	}
}

static bool is_of_grant(const struct record *r, const struct grant *g)
{
	return streq(r->server, g->server->name) && streq(r->login, g->user->login) &&
	       streq(r->database, g->database->name);
}

static void grant_add(struct build *b, const struct grant *g)
{
	struct audit_grant *a = &b->grants[b->n_grants++];

	*a = (struct audit_grant){
		.wanted = g, .state = STATE_UNREACHABLE, .detail = "no answer about this grant"};
	a->counted = b->in->network;
	if (a->counted)
		a->packets = grant_packets(b->in->network, g);
	for (size_t k = 0; k < b->in->n_records; k++) {
		const struct record *r = &b->in->records[k];
		if (r->kind != RECORD_GRANT || !is_of_grant(r, g))
			continue;
		a->state = r->state;
		a->seen = r->state != STATE_UNREACHABLE && r->grant.seen == ANSWER_YES;
		a->secondary = r->state == STATE_WAITING && r->grant.secondary == ANSWER_YES;
		a->observed = r->grant.level;
		a->detail = audit_or_null(r->detail);
	}
	/* Its roles match the schedule, but its effective permissions do not, or could not be read. */
	for (size_t k = 0; k < b->in->n_records; k++) {
		const struct record *r = &b->in->records[k];
		if (r->kind != RECORD_VERIFICATION || a->state != STATE_OK || !is_of_grant(r, g) ||
			r->verification.result == VERIFICATION_VERIFIED)
			continue;
		a->state = r->verification.result == VERIFICATION_EXCESS ? STATE_EXCESS
									 : STATE_UNVERIFIED;
		a->detail = audit_or_null(r->detail);
	}
}

static void residual_add(struct build *b)
{
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];
		if (r->kind == RECORD_GRANT && r->grant.origin == GRANT_RESIDUAL)
			b->residual[b->n_residual++] =
				(struct audit_residual){.client = audit_or_null(r->client),
					.login = r->login,
					.server = r->server,
					.database = audit_or_null(r->database),
					.state = r->state,
					.level = r->grant.level,
					.detail = audit_or_null(r->detail)};
	}
}

static void proofs_add(struct build *b)
{
	for (size_t i = 0; i < b->in->n_records; i++) {
		const struct record *r = &b->in->records[i];
		if (r->kind == RECORD_VERIFICATION)
			b->proofs[b->n_proofs++] = (struct audit_proof){.client = r->client,
				.login = r->login,
				.server = r->server,
				.database = r->database,
				.level = r->verification.level,
				.outcome = verification_name(r->verification.result),
				.detail = r->detail,
				.at = r->verification.at};
	}
}

static int arrays_make(struct build *b)
{
	const struct audit_input *in = b->in;
	size_t sessions = count(in, RECORD_SESSION), proofs = count(in, RECORD_VERIFICATION);
	size_t overlaps = overlaps_count(in);

	b->servers = calloc(count(in, RECORD_SERVER) + 1, sizeof(*b->servers));
	b->grants = calloc(in->grants->n + 1, sizeof(*b->grants));
	b->residual = calloc(count(in, RECORD_GRANT) + 1, sizeof(*b->residual));
	b->sessions = calloc(sessions + 1, sizeof(*b->sessions));
	size_t findings = count(in, RECORD_FINDING) + count(in, RECORD_NOTE) + proofs + overlaps +
			  b->program->n_servers + FINDINGS_A_SESSION * sessions;
	b->findings = calloc(findings + 1, sizeof(*b->findings));
	b->proofs = calloc(proofs + 1, sizeof(*b->proofs));
	b->texts = calloc(TEXTS_A_SESSION * sessions + overlaps + TEXTS_A_MERGE * findings + 1,
		sizeof(*b->texts));
	return b->servers && b->grants && b->residual && b->sessions && b->findings && b->proofs &&
			       b->texts
		       ? 0
		       : -ENOMEM;
}

int audit_build(struct audit_report *a, const struct audit_input *in)
{
	struct build b = {.in = in,
		.program = a->program,
		.client = a->client,
		.at = a->at,
		.since = a->since};
	int rc = arrays_make(&b);

	if (!rc) {
		servers_add(&b);
		for (size_t i = 0; i < in->grants->n; i++)
			if (!b.client || streq(b.client, in->grants->items[i].client->name))
				grant_add(&b, &in->grants->items[i]);
		residual_add(&b);
		sessions_add(&b);
		findings_add(&b);
		proofs_add(&b);
	}
	a->servers = b.servers;
	a->grants = b.grants;
	a->residual = b.residual;
	a->sessions = b.sessions;
	a->findings = b.findings;
	a->proofs = b.proofs;
	a->n_servers = b.n_servers;
	a->n_grants = b.n_grants;
	a->n_residual = b.n_residual;
	a->n_sessions = b.n_sessions;
	a->n_findings = b.n_findings;
	a->n_proofs = b.n_proofs;
	a->n_older = b.n_older;
	a->texts = b.texts;
	a->n_texts = b.n_texts;
	return b.no_memory ? -ENOMEM : rc;
}

void audit_free(struct audit_report *a)
{
	for (size_t i = 0; i < a->n_texts; i++)
		free(a->texts[i]);
	free(a->texts);
	free((void *)a->servers);
	free((void *)a->grants);
	free((void *)a->residual);
	free((void *)a->sessions);
	free((void *)a->findings);
	free((void *)a->proofs);
}

uint64_t grant_packets(const struct firewall_state *s, const struct grant *g)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < s->n_allows; i++)
		if (grant_is_behind(g, &s->allows[i].source, &s->allows[i].endpoint))
			packets += s->allows[i].packets;
	return packets;
}
