/* The result of an audit: state, counts, JSON. */
#include "report/audit.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

/* It does not exist yet: that is no fault, and all that can be said of it. */
static bool database_is_waiting(const struct audit_report *a, const struct audit_finding *f)
{
	for (size_t i = 0; i < a->n_grants; i++) {
		const struct grant *g = a->grants[i].wanted;
		if (a->grants[i].state == STATE_WAITING && f->server && f->database &&
			streq(g->server->name, f->server) &&
			names_equal(g->database->name, f->database))
			return true;
	}
	return false;
}

static enum state finding_state(const struct audit_report *a, const struct audit_finding *f)
{
	if (f->accepted)
		return STATE_OK;
	/* Whoever is not root may ask about SQL access alone: that the packet filter is not shown is said, and is no fault. */
	if (streq(f->name, AUDIT_NOT_SHOWN) && f->server && streq(f->server, JOURNAL_NETWORK) &&
		f->severity == FINDING_INFO)
		return STATE_OK;
	if (streq(f->name, AUDIT_NOT_SHOWN))
		return database_is_waiting(a, f) ? STATE_WAITING : STATE_UNVERIFIED;
	return f->severity > FINDING_LOW ? STATE_DRIFT : STATE_OK;
}

enum state audit_state(const struct audit_report *a)
{
	enum state worst = STATE_OK;

	for (size_t i = 0; i < a->n_servers; i++)
		worst = a->servers[i].state > worst ? a->servers[i].state : worst;
	for (size_t i = 0; i < a->n_grants; i++)
		if (!a->grants[i].secondary && a->grants[i].state > worst)
			worst = a->grants[i].state;
	for (size_t i = 0; i < a->n_residual; i++)
		worst = a->residual[i].state > worst ? a->residual[i].state : worst;
	for (size_t i = 0; i < a->n_findings; i++) {
		const enum state s = finding_state(a, &a->findings[i]);
		worst = s > worst ? s : worst;
	}
	return worst;
}

/* Counts observed access, not scheduled access; if the grant could not be read, its last known access. */
static bool grant_is_open(const struct audit_grant *g)
{
	return g->seen ? g->observed != LEVEL_NONE
		       : g->wanted->level != LEVEL_NONE || g->state == STATE_OVERDUE;
}

void audit_count(struct audit_counts *out, const struct audit_report *a)
{
	*out = (struct audit_counts){0};
	for (size_t i = 0; i < a->n_grants; i++) {
		if ((size_t)a->grants[i].state < ARRAY_SIZE(out->states))
			out->states[a->grants[i].state]++;
		out->open += grant_is_open(&a->grants[i]);
	}
	for (size_t i = 0; i < a->n_residual; i++)
		if ((size_t)a->residual[i].state < ARRAY_SIZE(out->states))
			out->states[a->residual[i].state]++;
	for (size_t i = 0; i < a->n_findings; i++)
		if ((size_t)a->findings[i].severity < ARRAY_SIZE(out->severities))
			out->severities[a->findings[i].severity]++;
}

const char *audit_words(const struct audit_report *a)
{
	const enum state s = audit_state(a);
	static const char *const words[] = {
		[STATE_OK] = "All access matches the schedule and is verified.",
		[STATE_WAITING] =
			"A database does not exist yet. All other access matches the schedule.",
		[STATE_DRIFT] =
			"Some access differs from the schedule, or a finding needs a decision.",
		[STATE_UNVERIFIED] = "Some access could not be verified.",
		[STATE_UNREACHABLE] =
			"A server could not be reached. Its current access is unknown.",
		[STATE_UNREAD] =
			"A database or a part of a server could not be read. Its current access is unknown.",
		[STATE_EXCESS] = "Some access is more than scheduled.",
		[STATE_OVERDUE] =
			"Access should have ended or become read-only, and this is not confirmed.",
	};

	if (s == STATE_OK && a->n_older)
		return "All access matches the schedule. Nothing new was found; older findings are not listed.";
	return (size_t)s < ARRAY_SIZE(words) ? words[s] : "";
}

static bool is_unread(enum state s)
{
	return s == STATE_UNREAD || s == STATE_UNREACHABLE || s == STATE_UNVERIFIED;
}

bool audit_is_whole(const struct audit_report *a)
{
	for (size_t i = 0; i < a->n_servers; i++)
		if (is_unread(a->servers[i].state))
			return false;
	for (size_t i = 0; i < a->n_grants; i++)
		if (is_unread(a->grants[i].state))
			return false;
	return true;
}

const char *observed_words(const struct audit_grant *g)
{
	return g->seen ? level_name(g->observed) : "unread";
}

const char *head_words(char buf[128], int64_t head, const uint8_t hash[JOURNAL_HASH_SIZE])
{
	char hex[2 * JOURNAL_HASH_SIZE + 1];

	buf[0] = '\0';
	if (head)
		snprintf(buf, 128, "record %lld, %s", (long long)head,
			sodium_bin2hex(hex, sizeof(hex), hash, JOURNAL_HASH_SIZE));
	return buf;
}

/* Takes ownership of the item. False without memory. */
static bool array_add(json_t *array, json_t *item)
{
	return item && json_array_append_new(array, item) == 0;
}

static json_t *server_json(const struct audit_server *s)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:I}", "server", text_json(s->server->name), "state",
		state_name(s->state), "version", text_json(s->version), "detail",
		text_json(s->detail), "round_trips", (json_int_t)s->round_trips);
}

static json_t *audit_grant_json(const struct audit_grant *g)
{
	json_t *o = grant_json(g->wanted);

	if (o &&
		(json_object_set_new(o, "state", json_string(state_name(g->state))) ||
			json_object_set_new(o, "observed",
				g->seen ? json_string(level_name(g->observed)) : json_null()) ||
			json_object_set_new(o, "ticket", text_json(g->wanted->client->ticket)) ||
			json_object_set_new(
				o, "approved_by", text_json(g->wanted->client->approved_by)) ||
			json_object_set_new(o, "detail", text_json(g->detail)) ||
			json_object_set_new(o, "packets",
				g->counted ? json_integer((json_int_t)g->packets) : json_null()))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *residual_json(const struct audit_residual *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "client", text_json(r->client),
		"login", text_json(r->login), "server", text_json(r->server), "database",
		text_json(r->database), "state", state_name(r->state), "level",
		level_name(r->level), "detail", text_json(r->detail));
}

static json_t *also_json(const struct audit_finding *f)
{
	_cleanup_free_ char *names = f->also ? strdup(f->also) : NULL;
	json_t *list = json_array();
	char *rest = names;

	while (rest) {
		json_array_append_new(list, text_json(strsep(&rest, ",")));
		rest += rest ? strspn(rest, " ") : 0;
	}
	return list;
}

static json_t *finding_json(const struct audit_finding *f)
{
	const struct journal_entry *e = f->accepted;
	json_t *accepted = e ? json_pack("{s:o, s:o, s:o, s:I}", "until", text_json(e->after),
				       "actor", text_json(e->actor), "reason", text_json(e->reason),
				       "record", (json_int_t)e->id)
			     : json_null();

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
		f->id, "accepted", accepted, "first_seen",
		f->first_seen ? instant_json(f->first_seen) : json_null(), "name",
		text_json(f->name), "also", also_json(f), "severity",
		finding_severity_name(f->severity), "server", text_json(f->server), "database",
		text_json(f->database), "client", text_json(f->client), "login",
		text_json(f->login), "evidence", text_json(f->evidence), "remedy",
		text_json(f->remedy));
}

static json_t *session_json(const struct audit_session *s)
{
	return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "server", text_json(s->server),
		"session", (json_int_t)s->number, "client", text_json(s->client), "login",
		text_json(s->login), "address", text_json(s->address), "program",
		text_json(s->program), "since", instant_json(s->since), "detail",
		text_json(s->detail));
}

static json_t *proof_json(const struct audit_proof *p)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "client",
		text_json(p->client), "login", text_json(p->login), "server", text_json(p->server),
		"database", text_json(p->database), "level", level_name(p->level), "outcome",
		text_json(p->outcome), "detail", text_json(p->detail), "at", instant_json(p->at),
		"record", p->record ? json_integer(p->record) : json_null());
}

static json_t *journal_json(const struct audit_report *a)
{
	char hex[2 * JOURNAL_HASH_SIZE + 1];

	if (!a->head)
		return json_null();
	return json_pack("{s:I, s:s}", "head", (json_int_t)a->head, "hash",
		sodium_bin2hex(hex, sizeof(hex), a->head_hash, JOURNAL_HASH_SIZE));
}

struct json_t *audit_json(const struct audit_report *a)
{
	json_t *servers = json_array(), *grants = json_array(), *findings = json_array();
	json_t *sessions = json_array(), *proofs = json_array(), *residual = json_array();
	bool whole = servers && grants && findings && sessions && proofs && residual;

	for (size_t i = 0; whole && i < a->n_servers; i++)
		whole = array_add(servers, server_json(&a->servers[i]));
	for (size_t i = 0; whole && i < a->n_grants; i++)
		whole = array_add(grants, audit_grant_json(&a->grants[i]));
	for (size_t i = 0; whole && i < a->n_residual; i++)
		whole = array_add(residual, residual_json(&a->residual[i]));
	for (size_t i = 0; whole && i < a->n_findings; i++)
		whole = array_add(findings, finding_json(&a->findings[i]));
	for (size_t i = 0; whole && i < a->n_sessions; i++)
		whole = array_add(sessions, session_json(&a->sessions[i]));
	for (size_t i = 0; whole && i < a->n_proofs; i++)
		whole = array_add(proofs, proof_json(&a->proofs[i]));
	if (!whole) {
		json_decref(servers);
		json_decref(grants);
		json_decref(residual);
		json_decref(findings);
		json_decref(sessions);
		json_decref(proofs);
		return NULL;
	}
	/* "o" takes ownership of its argument, also on failure. */
	return json_pack("{s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "practice",
		a->program->settings.practice, "at", instant_json(a->at), "state",
		state_name(audit_state(a)), "since", instant_or_null(a->since), "older",
		a->since ? json_integer((json_int_t)a->n_older) : json_null(), "servers", servers,
		"grants", grants, "residual", residual, "findings", findings, "sessions", sessions,
		"proofs", proofs, "journal", journal_json(a));
}
