/* Why a user cannot connect: finds the first cause that applies, and its fix.
 *
 * Checks in the order of a connection: schedule, address, server, databases, login, the packet filter, password. A
 * later cause does not matter to a user who is stopped by an earlier one. */
#include "report/explanation.h"

#include <string.h>

static const char *when(char buf[64], const struct explain_facts *f, instant_t t)
{
	return instant_format_local(buf, 64, t, f->client->timezone);
}

static const char *file_of(const struct explain_facts *f)
{
	return f->client->file ? f->client->file : "the client file";
}

/* ---- the schedule ---- */

static bool revoked(char *text, const struct explain_facts *f, const struct override *o, bool whole)
{
	char at[64];

	if (!o)
		return false;
	return explain_say(text,
		"%s%s is revoked since %s%s%s (%s); to give the access back, run `curfew reinstate %s%s%s --reason TEXT`",
		whole ? "client " : "", whole ? f->client->name : f->user->login,
		when(at, f, o->at), f->revoked_by ? " by " : "", explain_or(f->revoked_by, ""),
		explain_or(o->reason, "no reason recorded"), f->client->name, whole ? "" : " ",
		whole ? "" : f->user->login);
}

static bool client_is_revoked(char *text, const struct explain_facts *f)
{
	return revoked(text, f, f->revoked_client, true);
}

static bool user_is_revoked(char *text, const struct explain_facts *f)
{
	return revoked(text, f, f->revoked_user, false);
}

/* Whether access has ended by the latest time seen but not by the system clock. */
static bool clock_is_behind(char *text, const struct explain_facts *f)
{
	char duration[WORDS_MAX];

	if (!f->clock_behind || explain_is_scheduled(f, NULL))
		return false;
	for (size_t i = 0; i < f->n_databases; i++)
		if (f->databases[i].grant->end > f->now - f->clock_behind)
			return explain_say(text,
				"the system clock is %s behind the latest time seen, by which access has ended; "
				"correct the clock, or see `curfew clock` if the latest time seen is wrong",
				duration_words(duration, f->clock_behind));
	return false;
}

static bool is_pending(const struct grant *g, instant_t now)
{
	return g->next_level != LEVEL_NONE && g->until > now;
}

static bool not_started(char *text, const struct explain_facts *f)
{
	instant_t first = 0;
	char at[64];

	for (size_t i = 0; i < f->n_databases; i++) {
		const struct grant *g = f->databases[i].grant;
		if (is_pending(g, f->now) && (!first || g->until < first))
			first = g->until;
	}
	if (!first || explain_is_scheduled(f, NULL))
		return false;
	return explain_say(text,
		"access has not started; it starts %s; to start earlier, change %s and reload",
		when(at, f, first), file_of(f));
}

static bool has_ended(char *text, const struct explain_facts *f)
{
	bool lapsed = false;
	instant_t last = 0;
	char at[64];

	if (explain_is_scheduled(f, NULL))
		return false;
	for (size_t i = 0; i < f->n_databases; i++)
		if (f->databases[i].grant->end > last) {
			last = f->databases[i].grant->end;
			lapsed = f->databases[i].grant->phase == PHASE_LAPSED;
		}
	if (!last)
		return explain_say(text, "no access is scheduled; see %s", file_of(f));
	if (lapsed)
		return explain_say(text,
			"testing ended %s without a go-live; to give access again, write a go-live, ticket and approval "
			"into %s and reload",
			when(at, f, last), file_of(f));
	return explain_say(text,
		"access ended %s; to give access again, write the new date, ticket and approval into %s and reload",
		when(at, f, last), file_of(f));
}

/* ---- the address ---- */

/* The user's source with this address that has (not) ended; the number of sources if there is none. */
static size_t own_source(const struct explain_facts *f, bool ended)
{
	const struct user *u = f->user;
	size_t i = 0;

	while (i < u->n_sources &&
		(!source_contains(&u->sources[i], f->address->family, f->address->addr) ||
			(user_source_end(u, i) <= f->now) != ended))
		i++;
	return i;
}

static bool is_own(const struct explain_facts *f)
{
	return own_source(f, false) < f->user->n_sources;
}

static bool is_trusted(const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_servers; i++)
		if (f->servers[i].trusted)
			return true;
	return false;
}

static bool near_words(char *text, const struct explain_facts *f, const struct source *from,
	const struct source *near, const char *subject)
{
	char source[SOURCE_TEXT_MAX], allowed[SOURCE_TEXT_MAX];

	return explain_say(text,
		"%s%s is not allowed, but near %s of %s; if the address has changed, run `curfew allow %s %s %s --reason TEXT --ticket ID`",
		subject, source_format(source, from), source_format(allowed, near), f->user->login,
		f->client->name, f->user->login, source);
}

static bool address_has_ended(char *text, const struct explain_facts *f)
{
	char source[SOURCE_TEXT_MAX], at[64];

	if (!f->filters || !f->address || is_own(f) || is_trusted(f))
		return false;
	size_t i = own_source(f, true);
	if (i == f->user->n_sources)
		return false;
	return explain_say(text,
		"source %s of %s was temporary and ended %s; to allow it again, run `curfew allow %s %s %s --reason TEXT --ticket ID`",
		source_format(source, &f->user->sources[i]), f->user->login,
		when(at, f, user_source_end(f->user, i)), f->client->name, f->user->login, source);
}

static bool address_is_near(char *text, const struct explain_facts *f)
{
	if (!f->filters || !f->address || is_own(f) || is_trusted(f))
		return false;
	for (size_t i = 0; i < f->user->n_sources; i++)
		if (source_is_near(&f->user->sources[i], f->address))
			return near_words(text, f, f->address, &f->user->sources[i], "address ");
	return false;
}

static bool address_is_wrong(char *text, const struct explain_facts *f)
{
	char source[SOURCE_TEXT_MAX];

	if (!f->filters || !f->address || is_own(f) || is_trusted(f))
		return false;
	return explain_say(text,
		"address %s is not among the sources of %s; connect from one of them, or run `curfew allow %s %s %s --reason TEXT --ticket ID`",
		source_format(source, f->address), f->user->login, f->client->name, f->user->login,
		source);
}

static bool guard_is_kept(char *text, const struct explain_facts *f)
{
	char endpoint[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < f->n_denied; i++) {
		const struct explain_denied *d = &f->denied[i];
		if (d->own && !d->server)
			return explain_say(text,
				"packets to %s are denied: no server of the configuration has this endpoint, but its guard "
				"is kept; connect to an endpoint of the configuration, or end the guard with `curfew unguard SERVER --reason TEXT`: then everybody can reach it",
				endpoint_format(endpoint, &d->refused->endpoint));
	}
	return false;
}

/* ---- no fault ---- */

static bool is_read_only(char *text, const struct explain_facts *f)
{
	char words[WORDS_MAX], since[64];

	for (size_t i = 0; i < f->n_databases; i++)
		if (f->databases[i].grant->level > LEVEL_READ_ONLY)
			return false;
	for (size_t i = 0; i < f->n_databases; i++) {
		const struct grant *g = f->databases[i].grant;
		if (g->level == LEVEL_READ_ONLY)
			return explain_say(text,
				"%s can connect and read; the schedule is read-only since %s, so writing fails (%s)",
				f->user->login, when(since, f, g->from),
				grant_words(words, g, f->now));
	}
	return false;
}

static bool near_was_denied(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_denied && !f->address; i++)
		if (!f->denied[i].own)
			return near_words(text, f, &f->denied[i].refused->source, f->denied[i].near,
				"denied address ");
	return false;
}

/* What was not read may be what keeps the user out. */
static bool was_not_read(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_servers; i++) {
		const struct explain_server *s = &f->servers[i];
		if (!explain_is_scheduled(f, s->server))
			continue;
		if (s->reach == REACH_UNASKED)
			return explain_say(text,
				"nothing seen keeps %s out, but %s was not asked; run this again",
				f->user->login, s->server->name);
		if (f->filters && !s->network_known)
			return explain_say(text,
				"nothing seen keeps %s out, but the packet filter was not read; run this as root",
				f->user->login);
	}
	return false;
}

static bool nothing_found(char *text, const struct explain_facts *f)
{
	return explain_say(text, "Curfew blocks nothing for %s; ask for the exact error message%s",
		f->user->login, f->address ? "" : " and the address, and run this with --address");
}

static const struct {
	const char *name;
	bool (*holds)(char *text, const struct explain_facts *f);
} causes[CAUSES] = {
	[CAUSE_CLIENT_REVOKED] = {"client-revoked", client_is_revoked},
	[CAUSE_USER_REVOKED] = {"user-revoked", user_is_revoked},
	[CAUSE_CLOCK_BEHIND] = {"clock-behind", clock_is_behind},
	[CAUSE_NOT_STARTED] = {"not-started", not_started},
	[CAUSE_ENDED] = {"ended", has_ended},
	[CAUSE_ADDRESS_ENDED] = {"address-ended", address_has_ended},
	[CAUSE_ADDRESS_NEAR] = {"address-near", address_is_near},
	[CAUSE_ADDRESS_WRONG] = {"address-wrong", address_is_wrong},
	[CAUSE_GUARD_KEPT] = {"guard-kept", guard_is_kept},
	[CAUSE_CERTIFICATE] = {"certificate", certificate_is_wrong},
	[CAUSE_AGENT_REFUSED] = {"agent-refused", agent_is_refused},
	[CAUSE_AGENT_PASSWORD] = {"agent-password", agent_has_no_password},
	[CAUSE_SERVER_DOWN] = {"server-down", server_is_down},
	[CAUSE_HELD] = {"held", is_held},
	[CAUSE_AGENT_RIGHTS] = {"agent-rights", agent_lacks_rights},
	[CAUSE_EXCESS] = {"excess", is_excess},
	[CAUSE_DATABASE_MISSING] = {"database-missing", database_is_missing},
	[CAUSE_DATABASE_UNREAD] = {"database-unread", database_is_unread},
	[CAUSE_CHANGE_FAILED] = {"change-failed", change_has_failed},
	[CAUSE_LOGIN_MISSING] = {"login-missing", login_is_missing},
	[CAUSE_UNVERIFIED] = {"unverified", is_unverified},
	[CAUSE_LOGIN_DISABLED] = {"login-disabled", login_is_disabled},
	[CAUSE_NETWORK_CLOSED] = {"network-closed", network_is_closed},
	[CAUSE_NEVER_HANDED_OVER] = {"never-handed-over", was_never_handed_over},
	[CAUSE_LOCKED] = {"locked", is_locked},
	[CAUSE_EXPIRED] = {"expired", is_expired},
	[CAUSE_MUST_CHANGE] = {"must-change", has_to_change},
	[CAUSE_NOT_AS_SCHEDULED] = {"not-as-scheduled", not_as_scheduled},
	[CAUSE_TRUSTED_ONLY] = {"trusted-only", is_trusted_only},
	[CAUSE_READ_ONLY] = {"read-only", is_read_only},
	[CAUSE_DENIED_NEAR] = {"denied-near", near_was_denied},
	[CAUSE_NOT_READ] = {"not-read", was_not_read},
	[CAUSE_NONE] = {"none", nothing_found},
};

const char *explain_cause_name(enum explain_cause c)
{
	return c < ARRAY_SIZE(causes) ? causes[c].name : "unknown";
}

enum explain_cause explain_verdict(char text[EXPLAIN_TEXT_MAX], const struct explain_facts *f)
{
	size_t i = 0;

	while (i < CAUSE_NONE && !causes[i].holds(text, f))
		i++;
	if (i == CAUSE_NONE)
		causes[i].holds(text, f);
	return (enum explain_cause)i;
}
