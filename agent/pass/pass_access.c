/* Records who has which access from now on, where it changed. `history --at` reads these records. */
#include <errno.h>
#include <string.h>

#include "curfew/person.h"
#include "pass/pass_internal.h"

/* What was found: of SQL and of the network apart. */
struct found {
	enum level level;
	const char *sources; /* those that the packet filter allows; "": none */
	const char *network, *outcome;
	const char *detail; /* or NULL */
	const char *person;
};

static int access_write(struct pass *p, const struct grant *g, const struct found *f)
{
	struct journal_entry e = pass_access_entry(p, g);
	struct verified_level level = {.server = g->server->name,
		.login = g->user->login,
		.database = g->database->name,
		.level = f->level,
		.at = e.at};
	int rc = pass_journal_begin(p);

	e.level = level_name(f->level);
	e.sources = f->sources;
	e.until = f->level == LEVEL_NONE ? 0 : g->until;
	e.outcome = f->outcome;
	e.after = f->network;
	e.detail = f->detail;
	e.before = f->person;
	e.reason = p->o.reason;
	if (!rc)
		rc = pass_moved_save(p, g, &e);
	if (!rc)
		rc = journal_write(NULL, p->o.journal, &e);
	return rc ? rc : verified_level_save(p->o.journal, &level);
}

/* Observed access is recorded, not scheduled: more, if it is more; nothing where a server did not answer. */
static bool grant_is_known(const struct grant_work *w)
{
	return w->seen && w->state != STATE_UNREAD &&
	       (w->state != STATE_UNVERIFIED || w->told_admission == ADMIT);
}

static enum verification grant_verification(const struct pass *p, const struct grant *g)
{
	const struct grant_work *w = &p->works[pass_grant_number(p, g)];

	if (w->told_admission == ADMIT_NOBODY)
		return VERIFICATION_EXCESS;
	return w->verified ? w->verified->result : VERIFICATION_UNVERIFIED;
}

/* Whether the recorded level counts as access. A disabled login gives no access at its scheduled level. An excess level
 * always counts, and so does an enabled login: there may be ways to the server that this packet filter does not guard. */
static bool is_held(
	const struct grant *g, const struct grant_work *w, enum verification v, bool open)
{
	return open || w->observed > g->level || v == VERIFICATION_EXCESS || !w->login_shut;
}

/* While the packet filter cannot be used, nothing new is known of the network: the kernel still enforces what it has. */
static bool network_is_as_it_was(const struct pass *p, bool allowed)
{
	return p->o.unfiltered || (p->network_unknown && !allowed);
}

static const char *network_found(const struct pass *p, bool allowed, const char *last)
{
	if (network_is_as_it_was(p, allowed))
		return last && *last ? last : ACCESS_CLOSED;
	return !p->o.network ? ACCESS_UNFILTERED : allowed ? ACCESS_ALLOWED : ACCESS_CLOSED;
}

/* What is not confirmed to be allowed stays so until it is. */
static bool network_is_same(const struct last_access *last, const struct found *f)
{
	return streq(last->network, f->network) ||
	       (streq(last->network, ACCESS_UNCONFIRMED) && streq(f->network, ACCESS_ALLOWED));
}

static bool was_let_in(const struct last_access *last)
{
	return last->network &&
	       (streq(last->network, ACCESS_ALLOWED) || streq(last->network, ACCESS_UNCONFIRMED));
}

static bool is_on_record(const struct last_access *last, const struct found *f,
	const struct grant *g, const struct verified_level *recorded)
{
	bool excess = streq(f->outcome, verification_name(VERIFICATION_EXCESS));

	if (f->level == LEVEL_NONE && !excess)
		return last->level == LEVEL_NONE &&
		       (!was_let_in(last) || network_is_same(last, f)) &&
		       (!last->outcome || !*last->outcome || streq(last->outcome, f->outcome)) &&
		       (!recorded || recorded->level == LEVEL_NONE);
	return last->outcome && last->sources && !last->unseen && f->level == last->level &&
	       last->until == (f->level == LEVEL_NONE ? 0 : g->until) &&
	       streq(last->sources, f->sources) && network_is_same(last, f) &&
	       streq(last->outcome, f->outcome) && streq(last->person, f->person) && recorded &&
	       recorded->level == f->level;
}

/* network NULL: as found */
static int grant_record(struct pass *p, const struct grant *g, const struct grant_work *w,
	struct last_access *last, const char *network)
{
	const struct verified_level *recorded = verified_level_find(&p->levels, g);
	enum verification v = grant_verification(p, g);
	bool open = pass_admission(g, p) == ADMIT;
	enum level level = is_held(g, w, v, open) ? w->observed : LEVEL_NONE;
	_cleanup_free_ char *sources = user_sources_text(g->user, p->o.now);
	_cleanup_free_ char *person = person_text(g);

	if (!sources || !person)
		return -ENOMEM;
	if (level == LEVEL_NONE && v != VERIFICATION_EXCESS)
		v = VERIFICATION_VERIFIED;
	const bool allowed = open && level != LEVEL_NONE;
	const struct found f = {.level = level,
		.sources = network_is_as_it_was(p, open) ? (last->sources ? last->sources : "")
			   : open			 ? sources
							 : "",
		.network = network ? network : network_found(p, allowed, last->network),
		.outcome = verification_name(v),
		.detail = w->shown,
		.person = person};
	if (network ? !allowed : is_on_record(last, &f, g, recorded) && !pass_has_moved(p, g))
		return 0;
	char *said = strdup(f.network);
	if (!said)
		return -ENOMEM;
	int rc = access_write(p, g, &f);
	last->told_allowed = !network && allowed && streq(said, ACCESS_ALLOWED);
	free(last->network);
	last->network = said;
	return rc;
}

static int left_record(struct pass *p, struct left_access *l)
{
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);
	/* Reset the verified level, so that the old login's level cannot open the network for a new login of the same
	 * name. */
	const struct verified_level nothing = {.server = l->server,
		.login = l->login,
		.database = l->database,
		.level = LEVEL_NONE,
		.at = e.at};
	int rc = pass_journal_begin(p);

	e.client = l->client;
	e.login = l->login;
	e.server = l->server;
	e.database = l->database;
	e.phase = phase_name(PHASE_ENDED);
	e.level = level_name(LEVEL_NONE);
	e.before = l->person;
	e.outcome = verification_name(VERIFICATION_VERIFIED);
	e.after = network_found(p, false, l->network);
	e.reason = p->o.reason;
	/* client == NULL: the journal already shows this access as ended. */
	if (!rc && l->client)
		rc = journal_write(NULL, p->o.journal, &e);
	if (!rc)
		rc = verified_level_save(p->o.journal, &nothing);
	l->on_record = !rc;
	return rc;
}

int pass_record_gone(struct pass *p, const char *server, const char *login, const char *database)
{
	int rc = pass_lasts_read(p);

	for (size_t i = 0; i < p->n_lefts && !rc; i++) {
		struct left_access *l = &p->lefts[i];

		if (!l->on_record && !l->moved_to && streq(l->server, server) &&
			names_equal(l->login, login) &&
			(database ? names_equal(l->database, database)
				  : !pass_is_former(p, server, login, l->database)))
			rc = left_record(p, l);
	}
	return rc;
}

static int former_save(struct pass *p, struct former *r)
{
	struct verified v = {.server = r->server,
		.login = r->login,
		.database = r->database,
		.sid = r->sid,
		.level = LEVEL_NONE,
		.result = VERIFICATION_VERIFIED,
		.at = p->o.now};
	int rc = pass_journal_begin(p);

	if (!rc)
		rc = pass_record_gone(p, r->server, r->login, r->database);
	if (!rc)
		rc = pass_prove_gone(p, r->server, r->login, r->database, r->detail);
	if (!rc)
		rc = verified_save(p->o.journal, &v);
	r->saved = !rc;
	return rc;
}

int pass_formers_save(struct pass *p)
{
	int rc = pass_found_save(p);

	pass_replicas_settle(p);
	for (size_t i = 0; i < p->n_formers && !rc; i++)
		if (p->formers[i].gone && p->formers[i].database && !p->formers[i].saved)
			rc = former_save(p, &p->formers[i]);
	return rc;
}

static bool is_recordable(struct pass *p, size_t i)
{
	return grant_is_known(&p->works[i]) && !pass_sources_unseen(p, &p->grants.items[i]);
}

int pass_record_access(struct pass *p)
{
	int rc = pass_lasts_read(p);

	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		struct grant_work *w = &p->works[i];

		if (w->on_record || !is_recordable(p, i) ||
			(p->o.network && pass_admission(&p->grants.items[i], p) != ADMIT))
			continue;
		rc = grant_record(p, &p->grants.items[i], w, &p->lasts[i], NULL);
		w->on_record = !rc;
	}
	if (!rc)
		rc = pass_formers_save(p);
	if (!rc)
		rc = pass_verified_save(p);
	return rc;
}

/* Its record is to be corrected, or confirmed. */
static bool is_in_doubt(const struct grant_work *w, const struct last_access *last)
{
	return w->on_record &&
	       (last->told_allowed || (last->network && streq(last->network, ACCESS_UNCONFIRMED)));
}

/* Reads the packet filter if a record depends on it. False: not read. */
static bool openings_look(struct firewall_state *out, struct pass *p)
{
	for (size_t i = 0; i < p->grants.n; i++)
		if (is_in_doubt(&p->works[i], &p->lasts[i]))
			return !p->o.network->observe(out, p->o.network->context, p->o.now);
	return false;
}

/* What the record of an opening says once the packet filter was asked; NULL: the same. */
static const char *opening_corrected(const struct last_access *last, bool opened)
{
	if (last->told_allowed)
		return opened ? NULL : ACCESS_UNCONFIRMED;
	return opened ? ACCESS_ALLOWED : NULL;
}

int pass_record_filtered(struct pass *p, bool failed)
{
	int rc = pass_lasts_read(p);
	const bool doubt = failed || p->openings_unconfirmed;
	struct firewall_state state = {0};
	const bool looked = !rc && doubt && openings_look(&state, p);

	p->network_unknown = failed;
	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		const struct grant *g = &p->grants.items[i];
		struct grant_work *w = &p->works[i];
		struct last_access *last = &p->lasts[i];
		const char *corrected = NULL;

		if (!is_recordable(p, i))
			continue;
		if (is_in_doubt(w, last)) {
			const bool opened = !doubt || (looked && pass_is_opened(p, &state, g));
			corrected = opening_corrected(last, opened);
			last->told_allowed &= !opened;
		}
		if (w->on_record && !corrected)
			continue;
		rc = grant_record(p, g, w, last, corrected);
		w->on_record = !rc;
	}
	firewall_state_free(&state);
	return rc;
}
