/* Prints all facts about one user's access, from the network inward, and the cause in the last line. */
#include "curfew/explain.h"

#include "program/visible_text.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define LABEL "  %-10s"

static const char *when(char buf[64], const struct explain_facts *f, instant_t t)
{
	return instant_format_local(buf, 64, t, f->client->timezone);
}

/* ---- text ---- */

static void network_print(const struct explain_facts *f, const struct explain_server *s, FILE *to)
{
	char until[64];

	text_printf(to, LABEL "%s: ", "network", s->server->name);
	if (!f->filters)
		fputs("not filtered by this host\n", to);
	else if (!s->network_known)
		fputs("not read: root is required to read the packet filter\n", to);
	else if (s->unguarded)
		fputs("not guarded: the packet filter blocks nobody there; run `curfew apply`\n",
			to);
	else if (s->allowed)
		text_printf(to, "allowed until %s, %llu packets\n",
			when(until, f, s->allowed_until), (unsigned long long)s->packets);
	else if (s->trusted)
		fputs("allowed as a trusted source\n", to);
	else
		fputs("closed\n", to);
}

static void denied_print(const struct explain_facts *f, FILE *to)
{
	char source[SOURCE_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX], near[SOURCE_TEXT_MAX],
		ago[WORDS_MAX];

	for (size_t i = 0; i < f->n_denied; i++) {
		const struct explain_denied *d = &f->denied[i];
		const struct refused *r = d->refused;

		text_printf(to, LABEL "%s to %s, %llu packets", "denied",
			source_format(source, &r->source), endpoint_format(endpoint, &r->endpoint),
			(unsigned long long)r->packets);
		if (r->last_seen_latest)
			text_printf(to, ", last %s ago",
				duration_words(ago, f->now - r->last_seen_latest));
		if (d->near)
			text_printf(to, "; %s %s", d->own ? "belongs to" : "near",
				source_format(near, d->near));
		fputs(d->server ? "\n" : "; no server of the configuration has this endpoint\n",
			to);
	}
}

static void login_print(const struct explain_facts *f, const struct explain_server *s, FILE *to)
{
	static const char *const words[] = {[EXPLAIN_LOGIN_UNKNOWN] = "not read",
		[EXPLAIN_LOGIN_MISSING] = "does not exist",
		[EXPLAIN_LOGIN_DISABLED] = "disabled",
		[EXPLAIN_LOGIN_ENABLED] = "enabled"};
	char at[64];

	text_printf(to, LABEL "%s: %s", "login", s->server->name, words[s->login]);
	if (s->locked == ANSWER_YES)
		fputs(", locked", to);
	if (s->must_change == ANSWER_YES)
		fputs(", must change the password", to);
	else if (s->expired == ANSWER_YES)
		fputs(", password expired", to);
	if (s->handed_over == ANSWER_YES && s->handed_over_at)
		text_printf(to, ", handed over %s", when(at, f, s->handed_over_at));
	if (s->handed_over == ANSWER_NO)
		fputs(", password never handed over", to);
	if (s->problem)
		text_printf(to, " (%s)", s->problem);
	else if (s->lacks)
		text_printf(to, " (%s)", s->lacks);
	fputc('\n', to);
}

static void failure_print(const struct explain_server *s, FILE *to)
{
	if (s->failed)
		text_printf(to, LABEL "%s: the last change failed: %s\n", "failure",
			s->server->name, s->failed);
}

/* Said of the login already, or what the last verification lacked says more. */
static bool is_detail_said(const struct explain_facts *f, const struct explain_database *d)
{
	for (size_t i = 0; i < f->n_servers; i++)
		if (f->servers[i].server == d->grant->server && f->servers[i].lacks &&
			streq(f->servers[i].lacks, d->detail))
			return true;
	return d->unverified && d->state == STATE_UNVERIFIED;
}

static void database_print(
	const struct explain_facts *f, const struct explain_database *d, FILE *to)
{
	const struct grant *g = d->grant;
	char at[64];

	text_printf(to, LABEL "%s / %s: ", "database", g->server->name, g->database->name);
	if (d->seen)
		text_printf(to, "%s, %s", state_name(d->state),
			d->unread ? "unread" : level_name(d->observed));
	else
		fputs("not read", to);
	if (!d->seen || d->unread || d->observed != g->level)
		text_printf(to, " (scheduled: %s)", level_name(g->level));
	if (d->last)
		text_printf(to, ", last verification %s: %s, %s", when(at, f, d->last->at),
			verification_name(d->last->result), level_name(d->last->level));
	if (d->unverified)
		text_printf(to, " (%s)", d->unverified);
	if (d->detail && *d->detail && !is_detail_said(f, d))
		text_printf(to, "; %s", d->detail);
	fputc('\n', to);
}

/* Databases with the same schedule share a line. */
static void schedule_print(const struct explain_facts *f, FILE *to)
{
	char words[WORDS_MAX];

	for (size_t i = 0; i < f->n_databases; i++) {
		const struct grant *g = f->databases[i].grant;
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = !grant_is_alike(f->databases[k].grant, g) ||
				f->databases[k].grant->level != g->level;
		if (!first)
			continue;
		text_printf(to, LABEL "%s, %s, %s:", "schedule", phase_name(g->phase),
			level_name(g->level), grant_words(words, g, f->now));
		for (size_t k = i; k < f->n_databases; k++)
			if (grant_is_alike(f->databases[k].grant, g) &&
				f->databases[k].grant->level == g->level)
				text_printf(to, " %s", f->databases[k].grant->database->name);
		fputc('\n', to);
	}
}

int explain_print(const struct explain_facts *f, FILE *to)
{
	char text[EXPLAIN_TEXT_MAX], at[64], source[SOURCE_TEXT_MAX];

	text_printf(to, "%s of %s%s%s, %s\n", f->user->login, f->client->name,
		f->address ? " from " : "", f->address ? source_format(source, f->address) : "",
		when(at, f, f->now));
	for (size_t i = 0; i < f->n_servers; i++)
		network_print(f, &f->servers[i], to);
	denied_print(f, to);
	for (size_t i = 0; i < f->n_servers; i++)
		login_print(f, &f->servers[i], to);
	for (size_t i = 0; i < f->n_servers; i++)
		failure_print(&f->servers[i], to);
	for (size_t i = 0; i < f->n_databases; i++)
		database_print(f, &f->databases[i], to);
	schedule_print(f, to);
	explain_verdict(text, f);
	fputc('\n', to);
	text_printf(to, "%s\n", text);
	return ferror(to) ? -EIO : 0;
}

/* ---- JSON ---- */

static json_t *answer_json(enum answer a)
{
	return a == ANSWER_UNKNOWN ? json_null() : json_boolean(a == ANSWER_YES);
}

static json_t *server_json(const struct explain_facts *f, const struct explain_server *s)
{
	static const char *const logins[] = {[EXPLAIN_LOGIN_UNKNOWN] = NULL,
		[EXPLAIN_LOGIN_MISSING] = "missing",
		[EXPLAIN_LOGIN_DISABLED] = "disabled",
		[EXPLAIN_LOGIN_ENABLED] = "enabled"};
	const char *network = !f->filters	  ? "unfiltered"
			      : !s->network_known ? NULL
			      : s->unguarded	  ? "unguarded"
			      : s->allowed	  ? "allowed"
			      : s->trusted	  ? "trusted"
						  : "closed";

	return json_pack("{s:o, s:b, s:o, s:s?, s:o, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"server", text_json(s->server->name), "read", s->reach == REACH_READ, "detail",
		text_json(s->problem ? s->problem : s->lacks), "network", network, "allowed_until",
		s->allowed ? instant_json(s->allowed_until) : json_null(), "packets",
		s->network_known ? json_integer((json_int_t)s->packets) : json_null(), "login",
		logins[s->login], "locked", answer_json(s->locked), "must_change",
		answer_json(s->must_change), "expired", answer_json(s->expired), "handed_over",
		answer_json(s->handed_over), "handed_over_at", instant_or_null(s->handed_over_at),
		"last_failure", text_json(s->failed), "remedy", text_json(s->remedy));
}

static json_t *database_json(const struct explain_database *d)
{
	json_t *object = grant_json(d->grant);

	json_object_set_new(
		object, "state", d->seen ? json_string(state_name(d->state)) : json_null());
	json_object_set_new(object, "observed",
		d->seen && !d->unread ? json_string(level_name(d->observed)) : json_null());
	json_object_set_new(
		object, "detail", d->detail && *d->detail ? text_json(d->detail) : json_null());
	json_object_set_new(object, "verification",
		d->last ? json_pack("{s:s, s:s, s:o}", "result", verification_name(d->last->result),
				  "level", level_name(d->last->level), "at",
				  instant_json(d->last->at))
			: json_null());
	return object;
}

static json_t *denied_json(const struct explain_denied *d)
{
	char source[SOURCE_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX], near[SOURCE_TEXT_MAX];

	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:s?, s:b}", "source",
		source_format(source, &d->refused->source), "endpoint",
		endpoint_format(endpoint, &d->refused->endpoint), "server",
		text_json(d->server ? d->server->name : NULL), "packets",
		(json_int_t)d->refused->packets, "last_seen",
		instant_or_null(d->refused->last_seen_latest), "near",
		d->near ? source_format(near, d->near) : NULL, "own", d->own);
}

struct json_t *explain_json(const struct explain_facts *f)
{
	json_t *servers = json_array(), *databases = json_array(), *denied = json_array();
	char text[EXPLAIN_TEXT_MAX], source[SOURCE_TEXT_MAX];
	enum explain_cause cause = explain_verdict(text, f);

	for (size_t i = 0; i < f->n_servers; i++)
		json_array_append_new(servers, server_json(f, &f->servers[i]));
	for (size_t i = 0; i < f->n_databases; i++)
		json_array_append_new(databases, database_json(&f->databases[i]));
	for (size_t i = 0; i < f->n_denied; i++)
		json_array_append_new(denied, denied_json(&f->denied[i]));
	return json_pack("{s:o, s:o, s:o, s:s?, s:o, s:o, s:o, s:s, s:o}", "at",
		instant_json(f->now), "client", text_json(f->client->name), "login",
		text_json(f->user->login), "address",
		f->address ? source_format(source, f->address) : NULL, "servers", servers,
		"databases", databases, "denied", denied, "cause", explain_cause_name(cause),
		"text", text_json(text));
}
