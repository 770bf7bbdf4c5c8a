/* The journal data that a pass knows before any server is asked. A journal error does not stop the pass: it then knows
 * less, removes access, and grants none. */
#include <errno.h>
#include <string.h>

#include "curfew/calendar.h"
#include "pass/pass_internal.h"

/* Borrowed from what was read: it outlives the pass's pointers. */
static void state_copy_use(struct pass *p, struct state_copy *copy)
{
	p->state_copy = copy;
	p->identities = copy->identities;
	p->levels = copy->levels;
	p->verified = copy->verified;
	p->guards = copy->guards;
	p->kept = copy->kept;
}

static int tables_read(struct pass *p)
{
	struct state_copy *copy;
	int rc = p->o.journal ? state_copy_renew(&copy, p->o.last ? *p->o.last : NULL, p->o.journal)
			      : -ENODEV;

	if (!rc) {
		if (p->o.last) {
			state_copy_free(*p->o.last);
			*p->o.last = state_copy_share(copy);
		}
		state_copy_use(p, copy);
	} else if (rc != -ENOMEM && p->o.last && *p->o.last) {
		state_copy_use(p, state_copy_share(*p->o.last));
	}
	return rc;
}

static bool memory_is_empty(const struct pass *p)
{
	return !p->identities.n && !p->levels.n && !p->verified.n;
}

static int loss_find(struct pass *p)
{
	_cleanup_free_ char *why = NULL;
	instant_t at;
	bool accepted = false;
	int rc = loss_read(&at, &why, p->o.journal);

	if (!rc) {
		pass_hold(p, "%s", why);
		p->records_lost = true;
		return 0;
	}
	if (rc == -ENOENT)
		rc = loss_was_accepted(&accepted, p->o.journal);
	p->records_lost = rc || accepted;
	p->first_start = !rc && !accepted && memory_is_empty(p);
	return rc;
}

int pass_state_read(struct pass *p)
{
	int rc = 0;

	if (p->o.hold)
		pass_hold(p, "%s", p->o.hold);
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
		p->memory_failed = p->records_lost = true;
		p->journal_error = rc;
		p->result.journal_failed = true;
		pass_hold(p, "cannot read the journal (%s); no access is granted",
			p->o.journal ? journal_problem(rc) : "it could not be opened");
	}
	return 0;
}

void pass_state_keep(struct pass *p)
{
	struct state_copy *copy;

	if (!p->o.last || !p->o.journal || state_copy_read(&copy, p->o.journal))
		return;
	state_copy_free(*p->o.last);
	*p->o.last = copy;
}

void pass_state_free(struct pass *p)
{
	state_copy_free(p->state_copy);
}

/* ---- verifications, from the journal and new ones ---- */

void pass_verified_begin(struct pass *p)
{
	size_t at = 0;

	for (size_t i = 0; i < p->verified.n; i++) {
		const struct verified *v = &p->verified.items[i];
		const struct grant *g = pass_grant_next(&at, p, v);

		if (!g)
			continue;
		p->works[pass_grant_number(p, g)].verified = v;
	}
}

bool pass_verified_keep(struct pass *p, const struct grant *g, const struct verified *v)
{
	/* Admits nobody. */
	static const struct verified lost = {.server = "",
		.login = "",
		.database = "",
		.level = LEVEL_FULL,
		.result = VERIFICATION_UNVERIFIED};
	struct grant_work *w = &p->works[pass_grant_number(p, g)];
	struct verified *noted = w->noted ? w->noted : malloc(sizeof(*noted));

	if (!noted) {
		w->verified = &lost;
		p->result.journal_failed = true;
		return false;
	}
	*noted = *v;
	/* Use the configuration's strings: they live longer than the record. */
	noted->server = g->server->name;
	noted->login = g->user->login;
	noted->database = g->database->name;
	noted->at = p->o.now;
	w->verified = w->noted = noted;
	return true;
}

void pass_verified_note(struct pass *p, const struct grant *g, const struct verified *v)
{
	struct grant_work *w = &p->works[pass_grant_number(p, g)];
	const struct verified *old = w->verified;
	bool same = old && old->level == v->level && old->result == v->result &&
		    streq(old->fingerprint, v->fingerprint) &&
		    (!v->database_id ||
			    (old->database_id == v->database_id && streq(old->made, v->made))) &&
		    (old->sid.size == v->sid.size &&
			    !memcmp(old->sid.bytes, v->sid.bytes, v->sid.size));

	if (same)
		return;
	struct verified kept = *v;
	/* By roles alone, or without a user: which database it was is as known before. */
	if (!v->database_id && old) {
		kept.database_id = old->database_id;
		memcpy(kept.made, old->made, sizeof(kept.made));
	}
	w->to_save |= pass_verified_keep(p, g, &kept);
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
			rc = verified_save(p->o.journal, w->verified);
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
	enum admission by_memory = admission_by(w->verified, g->level);

	if (pass_former_is_left(p, g) || (w->seen && w->told_admission == ADMIT_NOBODY))
		return ADMIT_NOBODY;
	/* Verified, but not allowed, for example because an old session has not ended yet. */
	if (w->seen && w->readable && by_memory == ADMIT)
		return w->told_admission;
	return by_memory;
}

/* ---- times that have passed, and what would be reopened ---- */

static int name_compare(const void *a, const void *b)
{
	return names_compare(*(const char *const *)a, *(const char *const *)b);
}

/* Every login that was ever made, sorted. NULL without memory. */
static const char **given_logins(const struct pass *p)
{
	const char **logins = calloc(p->identities.n + 1, sizeof(*logins));

	for (size_t i = 0; logins && i < p->identities.n; i++)
		logins[i] = p->identities.items[i].login;
	if (logins)
		array_sort(logins, p->identities.n, sizeof(*logins), name_compare);
	return logins;
}

static bool client_was_given(const char *const *given, size_t n, const struct client *c)
{
	for (size_t i = 0; n && i < c->n_users; i++)
		if (bsearch(&c->users[i].login, given, n, sizeof(*given), name_compare))
			return true;
	return false;
}

static bool passed_is_known(const struct pass *p, const struct passed *k)
{
	const struct passed *old = passed_find(&p->kept, k);

	return old && old->instant == k->instant && old->approved == k->approved &&
	       streq(old->ticket, k->ticket ? k->ticket : "");
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
	_cleanup_free_ const char **given = given_logins(p);
	int rc = given ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->o.program->n_clients && !rc; i++) {
		const struct client *c = &p->o.program->clients[i];

		if (client_was_given(given, p->identities.n, c))
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
