/* The journal data that a pass knows before any server is asked. A journal error does not stop the pass: it then knows
 * less, removes access, and grants none. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "curfew/calendar.h"
#include "pass/pass_internal.h"

/* Borrowed from what was read: it outlives the pass's pointers. */
static void state_copy_use(struct pass *p, struct state_copy *r)
{
	p->state_copy = r;
	p->identities = r->identities;
	p->proved = r->proved;
	p->verified = r->verified;
	p->guards = r->guards;
	p->kept = r->kept;
}

static int tables_read(struct pass *p)
{
	struct state_copy *r;
	int rc = p->o.journal ? state_copy_read(&r, p->o.journal) : -ENODEV;

	if (!rc) {
		if (p->o.last) {
			state_copy_free(*p->o.last);
			*p->o.last = state_copy_share(r);
		}
		state_copy_use(p, r);
	} else if (rc != -ENOMEM && p->o.last && *p->o.last) {
		state_copy_use(p, state_copy_share(*p->o.last));
	}
	return rc;
}

static bool memory_is_empty(const struct pass *p)
{
	return !p->identities.n && !p->proved.n && !p->verified.n;
}

static int loss_find(struct pass *p)
{
	_cleanup_free_ char *why = NULL;
	instant_t at;
	bool accepted = false;
	int rc = loss_read(&at, &why, p->o.journal);

	if (!rc) {
		pass_hold(p, "%s", why);
		return 0;
	}
	if (rc == -ENOENT)
		rc = loss_was_accepted(&accepted, p->o.journal);
	p->first_start = !rc && !accepted && memory_is_empty(p);
	return rc;
}

void pass_hold(struct pass *p, const char *format, ...)
{
	va_list args;

	if (p->hold[0])
		return;
	va_start(args, format);
	vsnprintf(p->hold, sizeof(p->hold), format, args);
	va_end(args);
}

int pass_state_read(struct pass *p)
{
	int rc = 0;

	/* Reading before the first apply: there is no journal yet. */
	if (!p->o.journal && p->o.mode != PASS_APPLY) {
		p->first_start = true;
		return 0;
	}
	/* A process that locks the journal must not keep access open. */
	int patience = journal_patience(
		p->o.journal, p->o.mode == PASS_APPLY ? CLOSING_PATIENCE : JOURNAL_PATIENCE);
	rc = tables_read(p);
	if (!rc)
		rc = loss_find(p);
	journal_patience(p->o.journal, patience);
	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		p->memory_failed = true;
		p->journal_error = rc;
		p->result.journal_failed = true;
		pass_hold(p, "cannot read the journal (%s); no access is granted",
			p->o.journal ? journal_problem(rc) : "it could not be opened");
	}
	return 0;
}

void pass_state_keep(struct pass *p)
{
	struct state_copy *r;

	if (!p->o.last || !p->o.journal || state_copy_read(&r, p->o.journal))
		return;
	state_copy_free(*p->o.last);
	*p->o.last = r;
}

void pass_state_free(struct pass *p)
{
	state_copy_free(p->state_copy);
}

/* ---- verifications, from the journal and new ones ---- */

void pass_verified_begin(struct pass *p)
{
	for (size_t i = 0; i < p->verified.n; i++) {
		const struct verified *v = &p->verified.items[i];
		const struct grant *g = pass_grant(p, v->server, v->login, v->database);

		if (!g)
			continue;
		struct grant_work *w = &p->works[pass_grant_number(p, g)];
		w->verified = *v;
		w->has_verified = true;
	}
}

void pass_verified_note(struct pass *p, const struct grant *g, const struct verified *v)
{
	struct grant_work *w = &p->works[pass_grant_number(p, g)];
	const struct verified *old = &w->verified;
	bool same = w->has_verified && old->level == v->level && old->result == v->result &&
		    streq(old->fingerprint, v->fingerprint) &&
		    (old->sid.size == v->sid.size &&
			    !memcmp(old->sid.bytes, v->sid.bytes, v->sid.size));

	if (same)
		return;
	w->verified = *v;
	/* Use the configuration's strings: they live longer than the record. */
	w->verified.server = g->server->name;
	w->verified.login = g->user->login;
	w->verified.database = g->database->name;
	w->verified.at = p->o.now;
	w->has_verified = w->to_save = true;
}

int pass_verified_save(struct pass *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		struct grant_work *w = &p->works[i];

		if (!w->to_save)
			continue;
		rc = pass_journal_begin(p);
		if (!rc)
			rc = verified_save(p->o.journal, &w->verified);
		w->to_save = rc != 0;
	}
	return rc;
}

/* Network access requires a verification at no more than the scheduled level. Unless this pass asked, the last one
 * counts. */
enum admission pass_admission(const struct grant *g, void *pass)
{
	const struct pass *p = pass;
	const struct grant_work *w = &p->works[pass_grant_number(p, g)];
	enum admission by_memory = admission_by(w->has_verified ? &w->verified : NULL, g->level);

	if (pass_former_is_left(p, g) || (w->seen && w->told_admission == ADMIT_NOBODY))
		return ADMIT_NOBODY;
	/* Verified, but not allowed, for example because an old session has not ended yet. */
	if (w->seen && w->readable && by_memory == ADMIT)
		return w->told_admission;
	return by_memory;
}

/* ---- times that have passed, and what would be reopened ---- */

static bool client_was_given(const struct pass *p, const struct client *c)
{
	for (size_t i = 0; i < p->identities.n; i++)
		for (size_t u = 0; u < c->n_users; u++)
			if (names_equal(p->identities.items[i].login, c->users[u].login))
				return true;
	return false;
}

static bool passed_is_known(const struct pass *p, const struct passed *k)
{
	for (size_t i = 0; i < p->kept.n_passed; i++) {
		const struct passed *old = &p->kept.passed[i];
		if (passed_is_same(old, k))
			return old->instant == k->instant && old->approved == k->approved &&
			       streq(old->ticket, k->ticket ? k->ticket : "");
	}
	return false;
}

static int passed_save(struct pass *p, const struct passed *passed)
{
	if (passed_is_known(p, passed))
		return 0;
	int rc = pass_journal_begin(p);
	if (!rc)
		rc = passed_put(p->o.journal, passed);
	/* The service's own copy lacks it: from now on it holds, whatever date the files have next. */
	p->result.overrides_saved += !rc;
	return rc;
}

static int client_passed_save(struct pass *p, const struct client *c)
{
	struct passed passed[PASSED_WHATS], of_database;
	size_t n = client_passed(passed, c, &p->overrides, p->o.now);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = passed_save(p, &passed[i]);
	for (size_t i = 0; i < c->n_databases && !rc; i++)
		if (database_passed(&of_database, p->o.program, c, &c->databases[i], &p->overrides,
			    p->o.now))
			rc = passed_save(p, &of_database);
	return rc;
}

int pass_passed_save(struct pass *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->o.program->n_clients && !rc; i++) {
		const struct client *c = &p->o.program->clients[i];

		if (client_was_given(p, c))
			rc = client_passed_save(p, c);
	}
	return rc;
}

static void reopening_tell(struct pass *p, const struct reopening *r)
{
	static const char *const words[] = {[PASSED_GO_LIVE] = "go-live",
		[PASSED_STAGING_END] = "the end of staging",
		[PASSED_END] = "the end of all access"};
	char passed[INSTANT_TEXT_MAX], wanted[INSTANT_TEXT_MAX];
	struct record note = {.kind = RECORD_NOTE, .state = r->approved ? STATE_OK : STATE_DRIFT};

	RECORD_SET(&note, client, r->client->name);
	instant_format(passed, r->passed);
	if (r->wanted)
		instant_format(wanted, r->wanted);
	RECORD_PRINTF(&note, detail, "%s: reopens access that ended on %s: %s is now %s%s",
		r->client->name, passed, words[r->what], r->wanted ? wanted : "not set",
		r->approved ? ""
		: r->what == PASSED_STAGING_END
			? "; access stays ended until the file has a new `ticket`"
			: "; access stays ended until the file has a new `ticket` and an `approved_on` not before that "
			  "day");
	pass_tell(p, &note);
}

void pass_reopenings_tell(struct pass *p)
{
	for (size_t i = 0; i < p->o.program->n_clients; i++) {
		const struct client *c = &p->o.program->clients[i];
		struct reopening r[REOPENINGS_MAX];
		size_t n = p->o.client && !streq(p->o.client, c->name)
				   ? 0
				   : client_reopenings(r, p->o.program, c, &p->overrides, p->o.now);

		for (size_t k = 0; k < n; k++)
			reopening_tell(p, &r[k]);
	}
}

/* ---- guards that left the configuration ---- */

static bool server_is_remembered(const struct pass *p, const char *server)
{
	for (size_t i = 0; i < p->identities.n; i++)
		if (!p->identities.items[i].removed && streq(p->identities.items[i].server, server))
			return true;
	for (size_t i = 0; i < p->proved.n; i++)
		if (p->proved.items[i].level != LEVEL_NONE &&
			streq(p->proved.items[i].server, server))
			return true;
	for (size_t i = 0; i < p->verified.n; i++)
		if (p->verified.items[i].level != LEVEL_NONE &&
			streq(p->verified.items[i].server, server))
			return true;
	return false;
}

static bool endpoint_is_configured(const struct pass *p, const struct endpoint *e)
{
	for (size_t i = 0; i < p->o.program->n_servers; i++)
		for (size_t k = 0; k < p->o.program->servers[i].n_endpoints; k++)
			if (!endpoint_compare(&p->o.program->servers[i].endpoints[k], e))
				return true;
	return false;
}

static bool guard_is_kept(const struct pass *p, const struct kept_guard *k)
{
	return !endpoint_is_configured(p, &k->endpoint) && server_is_remembered(p, k->server);
}

int pass_guards_keep(struct allowlist *wanted, const struct pass *p)
{
	const struct kept_guard **kept = calloc(p->guards.n + 1, sizeof(*kept));
	size_t n = 0;

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < p->guards.n; i++)
		if (guard_is_kept(p, &p->guards.items[i]))
			kept[n++] = &p->guards.items[i];
	int rc = allowlist_keep(wanted, kept, n);
	free(kept);
	return rc;
}

void pass_guards_tell(struct pass *p)
{
	for (size_t i = 0; i < p->guards.n && p->o.program->settings.firewall.enabled; i++) {
		const struct kept_guard *k = &p->guards.items[i];
		char endpoint[ENDPOINT_TEXT_MAX];
		struct record note = {.kind = RECORD_NOTE, .state = STATE_DRIFT};

		if (!guard_is_kept(p, k))
			continue;
		RECORD_SET(&note, server, PASS_NETWORK);
		RECORD_PRINTF(&note, detail,
			"keeping the guard %s of server %s, which the configuration no longer names: its logins are not "
			"verified as removed, and without the guard everybody could reach it; to remove it, run `curfew "
			"unguard %s --reason TEXT`",
			endpoint_format(endpoint, &k->endpoint), k->server, k->server);
		pass_tell(p, &note);
	}
}

/* After the packet filter matches: saves which endpoints are guarded, and forgets the others. */
int pass_guards_save(struct pass *p)
{
	int rc = p->o.program->n_servers || p->guards.n ? pass_journal_begin(p) : 0;

	for (size_t i = 0; i < p->o.program->n_servers && !rc; i++)
		rc = guards_save(p->o.journal, &p->o.program->servers[i]);
	for (size_t i = 0; i < p->guards.n && !rc; i++) {
		const struct kept_guard *k = &p->guards.items[i];
		if (!endpoint_is_configured(p, &k->endpoint) && !guard_is_kept(p, k))
			rc = guards_drop(p->o.journal, k->server, &k->endpoint);
	}
	return rc;
}
