/* Causes on an SQL server: the connection to it, its databases, the login. */
#include "report/explanation.h"

/* ---- the server ---- */

static const struct explain_server *server_reached(
	const struct explain_facts *f, enum explain_reach reach)
{
	for (size_t i = 0; i < f->n_servers; i++)
		if (f->servers[i].reach == reach && explain_is_scheduled(f, f->servers[i].server))
			return &f->servers[i];
	return NULL;
}

bool certificate_is_wrong(char *text, const struct explain_facts *f)
{
	const struct explain_server *s = server_reached(f, REACH_CERTIFICATE);

	return s &&
	       explain_say(text,
		       "the certificate of %s is not accepted, so access there cannot be checked (%s); renew it, or "
		       "correct `host` and `ca_file` of the server",
		       s->server->name, explain_or(s->problem, "TLS failed"));
}

bool agent_is_refused(char *text, const struct explain_facts *f)
{
	const struct explain_server *s = server_reached(f, REACH_REFUSED);

	return s &&
	       explain_say(text,
		       "%s rejects the agent login (%s), so nothing there can be checked; if this host has another password "
		       "than the server, run `curfew credential %s`; if the login does not exist there, a DBA must run the "
		       "output of `curfew bootstrap %s`; if it is disabled, a DBA must run `ALTER LOGIN [%s] ENABLE;`",
		       s->server->name, explain_or(s->problem, "login failed"), s->server->name,
		       s->server->name, explain_or(s->server->login, "curfew_agent"));
}

bool agent_has_no_password(char *text, const struct explain_facts *f)
{
	const struct explain_server *s = server_reached(f, REACH_NO_PASSWORD);

	return s && explain_say(text, "access on %s cannot be checked: %s", s->server->name,
			    explain_or(s->problem, "no password of the agent login"));
}

bool server_is_down(char *text, const struct explain_facts *f)
{
	const struct explain_server *s = server_reached(f, REACH_DOWN);

	return s &&
	       explain_say(text,
		       "server %s does not answer (%s); nobody can connect; start the server, or ask its administrator",
		       s->server->name, explain_or(s->problem, "no answer"));
}

static bool has_its_level(const struct explain_database *d)
{
	return d->state == STATE_OK ||
	       (d->state == STATE_UNVERIFIED && !d->unread && d->observed == d->grant->level);
}

static bool has_its_levels(const struct explain_facts *f, const struct explain_server *s)
{
	for (size_t i = 0; i < f->n_databases; i++)
		if (f->databases[i].grant->server == s->server && f->databases[i].seen &&
			f->databases[i].grant->level != LEVEL_NONE &&
			!has_its_level(&f->databases[i]))
			return false;
	return true;
}

static bool network_blocks(const struct explain_server *s)
{
	return s->network_known && !s->unguarded && !s->allowed && !s->trusted;
}

/* If access there matches the schedule, and the user is admitted, the agent's missing permissions keep nobody out. */
static bool is_well(const struct explain_facts *f, const struct explain_server *s)
{
	return has_its_levels(f, s) && s->login == EXPLAIN_LOGIN_ENABLED &&
	       (s->allowed || s->unguarded || !s->network_known);
}

/* An unverified login can still connect, so this is not a cause. */
static bool is_well_but_unverified(const struct explain_server *s)
{
	return s->login == EXPLAIN_LOGIN_ENABLED && !network_blocks(s);
}

bool agent_lacks_rights(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_servers; i++) {
		const struct explain_server *s = &f->servers[i];
		if (s->lacks && explain_is_scheduled(f, s->server) && !is_well(f, s))
			return explain_say(text, "%s: %s", s->server->name, s->lacks);
	}
	return false;
}

/* ---- the databases ---- */

static bool has_excess(const struct explain_database *d)
{
	if (d->last && d->last->result == VERIFICATION_EXCESS)
		return true;
	return d->seen && (d->state == STATE_EXCESS || d->state == STATE_OVERDUE ||
				  d->observed > d->grant->level);
}

static const struct explain_server *server_of(
	const struct explain_facts *f, const struct server *server)
{
	for (size_t i = 0; i < f->n_servers; i++)
		if (f->servers[i].server == server)
			return &f->servers[i];
	return NULL;
}

/* Only what was seen to be closed is called blocked: a login that the agent may not disable, or a source that this host
 * does not filter, can still get in. */
static bool is_seen_blocked(const struct explain_server *s)
{
	return s && (s->login == EXPLAIN_LOGIN_DISABLED || s->login == EXPLAIN_LOGIN_MISSING ||
			    network_blocks(s));
}

/* Access that was granted before stays. */
bool is_held(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_servers && f->held; i++) {
		const struct explain_server *s = &f->servers[i];
		if (explain_is_scheduled(f, s->server) &&
			(!has_its_levels(f, s) || is_seen_blocked(s)))
			return explain_say(text, "%s", f->held);
	}
	return false;
}

bool is_excess(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_databases; i++) {
		const struct explain_database *d = &f->databases[i];
		const struct explain_server *s = server_of(f, d->grant->server);
		const char *remedy = s ? s->remedy : NULL; /* NULL: nothing failed */
		if (has_excess(d))
			return explain_say(text,
				"access on %s / %s is more than scheduled (%s), so all access on %s %s until that is removed; "
				"%s%s%s",
				d->grant->server->name, d->grant->database->name,
				explain_or(d->unverified,
					explain_or(d->detail, "by the last verification")),
				d->grant->server->name,
				is_seen_blocked(s) ? "is blocked"
						   : "must be, but was not seen to be, blocked",
				remedy ? "a DBA must run: " : "run `curfew audit ",
				remedy ? remedy : f->client->name,
				remedy ? "" : "` and remove what it names");
	}
	return false;
}

static const struct explain_database *database_in(const struct explain_facts *f, enum state state)
{
	for (size_t i = 0; i < f->n_databases; i++)
		if (f->databases[i].seen && f->databases[i].state == state &&
			f->databases[i].grant->level != LEVEL_NONE)
			return &f->databases[i];
	return NULL;
}

bool database_is_missing(char *text, const struct explain_facts *f)
{
	const struct explain_database *d = database_in(f, STATE_WAITING);

	return d &&
	       explain_say(text,
		       "database %s does not exist on %s; create or restore it: the next pass then gives the access",
		       d->grant->database->name, d->grant->server->name);
}

bool database_is_unread(char *text, const struct explain_facts *f)
{
	const struct explain_database *d = database_in(f, STATE_UNREAD);

	/* Both may be online. */
	if (d && d->detail && strstr(d->detail, UNREAD_LEFT))
		return explain_say(text,
			"access to what was database %s on %s has not ended there, so it stays blocked: %s",
			d->grant->database->name, d->grant->server->name, d->detail);
	return d && explain_say(text, "database %s on %s cannot be read (%s)%s",
			    d->grant->database->name, d->grant->server->name,
			    explain_or(d->detail, "offline or blocked"),
			    d->detail && strstr(d->detail, UNREAD_BOOTSTRAP)
				    ? ""
				    : "; a DBA must bring it online");
}

/* Another `apply` would fail like the last one. */
bool change_has_failed(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_servers; i++) {
		const struct explain_server *s = &f->servers[i];
		if (s->failed && explain_is_scheduled(f, s->server) && !is_well(f, s))
			return explain_say(text,
				"the last change for %s on %s failed (%s); if the agent login lacks the right, a DBA must run "
				"the output of `curfew bootstrap %s`, or: %s",
				f->user->login, s->server->name, s->failed, s->server->name,
				explain_or(s->remedy, "see `curfew history`"));
	}
	return false;
}

bool is_unverified(char *text, const struct explain_facts *f)
{
	const struct explain_database *d = database_in(f, STATE_UNVERIFIED);

	for (size_t i = 0; d && i < f->n_servers; i++)
		if (f->servers[i].server == d->grant->server &&
			is_well_but_unverified(&f->servers[i]))
			d = NULL;
	return d &&
	       explain_say(text,
		       "access on %s / %s could not be verified, so it stays blocked (%s); if the agent login lacks "
		       "permissions, a DBA must run the statements of `curfew bootstrap %s`; then `curfew apply %s`",
		       d->grant->server->name, d->grant->database->name,
		       explain_or(d->unverified, explain_or(d->detail, "no detail")),
		       d->grant->server->name, f->client->name);
}

bool not_as_scheduled(char *text, const struct explain_facts *f)
{
	for (size_t i = 0; i < f->n_databases; i++) {
		const struct explain_database *d = &f->databases[i];
		if (d->seen && !has_its_level(d) && d->grant->level != LEVEL_NONE)
			return explain_say(text, "%s / %s is %s (%s); %srun `curfew apply %s`",
				d->grant->server->name, d->grant->database->name,
				state_name(d->state), explain_or(d->detail, "no detail"),
				d->detail && d->detail[0] ? "do what it asks for, then " : "",
				f->client->name);
	}
	return false;
}

/* ---- the login ---- */

typedef bool (*login_fn)(const struct explain_server *s);

static const struct explain_server *login_where(const struct explain_facts *f, login_fn holds)
{
	for (size_t i = 0; i < f->n_servers; i++)
		if (explain_is_scheduled(f, f->servers[i].server) && holds(&f->servers[i]))
			return &f->servers[i];
	return NULL;
}

static bool login_missing(const struct explain_server *s)
{
	return s->login == EXPLAIN_LOGIN_MISSING;
}

static bool login_disabled(const struct explain_server *s)
{
	return s->login == EXPLAIN_LOGIN_DISABLED;
}

static bool never_handed_over(const struct explain_server *s)
{
	return s->login == EXPLAIN_LOGIN_ENABLED && s->handed_over == ANSWER_NO;
}

static bool locked(const struct explain_server *s)
{
	return s->locked == ANSWER_YES;
}

static bool expired(const struct explain_server *s)
{
	return s->expired == ANSWER_YES && s->must_change != ANSWER_YES;
}

static bool must_change(const struct explain_server *s)
{
	return s->must_change == ANSWER_YES;
}

static bool trusted_only(const struct explain_server *s)
{
	return s->trusted && !s->allowed;
}

#define LOGIN_CAUSE(function, holds, ...)                                                          \
	bool function(char *text, const struct explain_facts *f)                                   \
	{                                                                                          \
		const struct explain_server *s = login_where(f, holds);                            \
		return s && explain_say(text, __VA_ARGS__);                                        \
	}

LOGIN_CAUSE(login_is_missing, login_missing,
	"login %s does not exist on %s; run `curfew apply %s`, then `curfew handover %s %s`",
	f->user->login, s->server->name, f->client->name, f->client->name, f->user->login)
LOGIN_CAUSE(login_is_disabled, login_disabled,
	"login %s is disabled on %s until its access is verified; run `curfew apply %s`",
	f->user->login, s->server->name, f->client->name)
LOGIN_CAUSE(network_is_closed, network_blocks,
	"the packet filter to %s blocks %s although access is scheduled; run `curfew apply %s`",
	s->server->name, f->user->login, f->client->name)
LOGIN_CAUSE(was_never_handed_over, never_handed_over,
	"no password of %s was handed over since the login was created on %s; run `curfew handover %s %s`",
	f->user->login, s->server->name, f->client->name, f->user->login)
LOGIN_CAUSE(is_locked, locked,
	"login %s is locked on %s after wrong passwords; a DBA unlocks it, or `curfew handover %s %s` sets a new password",
	f->user->login, s->server->name, f->client->name, f->user->login)
LOGIN_CAUSE(is_expired, expired,
	"the password of %s has expired on %s; the user sets a new one when connecting with SSMS, or run `curfew handover "
	"%s %s`",
	f->user->login, s->server->name, f->client->name, f->user->login)
LOGIN_CAUSE(has_to_change, must_change,
	"%s must change the one-time password on %s; the first connection must come from a program that asks for a new "
	"one, for example SSMS; if the password is lost, run `curfew handover %s %s`",
	f->user->login, s->server->name, f->client->name, f->user->login)
LOGIN_CAUSE(is_trusted_only, trusted_only,
	"the address reaches %s only as a trusted source, not as a source of %s; Curfew blocks nothing there, so "
	"ask for the exact error message",
	s->server->name, f->user->login)
