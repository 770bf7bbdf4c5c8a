/* Verify before enabling. A login is enabled only after the server confirmed in this visit that it has no more than its
 * scheduled level in every database. A login with excess access, or with access that
 * could not be verified, is disabled at once. A verification stays valid while the catalog's fingerprint of the user is
 * unchanged; then the server is not asked again. */
#include <errno.h>
#include <string.h>

#include "visit/closing_run.h"
#include "proof/proof.h"
#include "visit/visit.h"

static size_t grant_number(const struct visit_run *run, const struct grant *g)
{
	size_t i = 0;

	while (run->visit->wanted.grants[i] != g)
		i++;
	return i;
}

static const struct verified *record_of_grant(const struct visit_run *run, const struct grant *g)
{
	for (size_t i = 0; i < run->visit->n_verified; i++) {
		const struct verified *v = &run->visit->verified[i];
		if (names_equal(v->login, g->user->login) &&
			names_equal(v->database, g->database->name))
			return v;
	}
	return NULL;
}

static bool login_is_touched(const struct visit_run *run, const char *login)
{
	for (size_t i = 0; i < run->touched.n; i++)
		if (names_equal(run->touched.logins[i], login))
			return true;
	return false;
}

/* The verdict is from this visit and still describes the current state. */
static bool verdict_stands(
	const struct visit_run *run, const struct grant *g, const struct grant_place *place)
{
	const struct verdict *v = &run->verdicts[grant_number(run, g)];
	char now[FINGERPRINT_MAX];

	if (!v->asked)
		return false;
	observed_fingerprint(now, place->database, place->user);
	return now[0] && streq(now, v->fingerprint);
}

static bool record_stands(
	const struct visit_run *run, const struct grant *g, const struct grant_place *place)
{
	const struct verified *v = record_of_grant(run, g);
	char now[FINGERPRINT_MAX], hidden[RECORD_TEXT_MAX];

	/* What is hidden from the agent is in no fingerprint. */
	if (hidden_words(hidden, run, place->database, place))
		return false;
	/* The fingerprint is of the database alone. */
	if (run->observed.everybody_exceeds || !v || v->result != VERIFICATION_VERIFIED ||
		v->level > g->level || !v->fingerprint[0] ||
		!sid_equal(&v->sid, &place->login->sid) || v->database_id != place->database->id ||
		!streq(v->made, place->database->made))
		return false;
	observed_fingerprint(now, place->database, place->user);
	return streq(now, v->fingerprint);
}

bool verify_all(const struct visit_run *run, const struct grant *g)
{
	(void)run, (void)g;
	return true;
}

/* Needs a new verification: changed since, never verified, not verified last time, or changed by this visit. */
static bool verify_stale(const struct visit_run *run, const struct grant *g)
{
	struct grant_place place;

	if (g->level == LEVEL_NONE) {
		const struct verified *v = record_of_grant(run, g);
		return login_is_touched(run, g->user->login) ||
		       (v && (v->level != LEVEL_NONE || v->result != VERIFICATION_VERIFIED));
	}
	if (!grant_place(&place, run, g) || verdict_stands(run, g, &place))
		return false;
	return login_is_touched(run, g->user->login) || !record_stands(run, g, &place);
}

static bool login_is_to_be_enabled(const struct visit_run *run, const char *login)
{
	for (size_t i = 0; i < run->difference.n_changes; i++)
		if (run->difference.changes[i].kind == CHANGE_LOGIN_ENABLE &&
			names_equal(run->difference.changes[i].login, login))
			return true;
	return false;
}

static bool verify_to_be_enabled(const struct visit_run *run, const struct grant *g)
{
	struct grant_place place;

	return g->level != LEVEL_NONE && login_is_to_be_enabled(run, g->user->login) &&
	       grant_place(&place, run, g) && !verdict_stands(run, g, &place);
}

/* Its user in this database is not seen, and may be there all the same. */
static bool user_is_unknown(const struct visit_run *run, const struct grant *g)
{
	const struct observed_database *d =
		observed_find_database(&run->observed, g->database->name);
	const struct observed_login *l = observed_find_login(&run->observed, g->user->login);

	if (!d || d->absent || (run->visit->wanted.replicated && d->secondary && !d->read))
		return false;
	/* What one that is not read may give was judged when the changes were planned: nobody is enabled whom it may give more. */
	return d->read ? observed_user_hidden(&run->observed, d, l, g->user->login) != NULL
		       : d->barred;
}

bool login_is_verified(const struct visit_run *run, const char *login)
{
	const struct wanted_server *w = &run->visit->wanted;

	for (size_t i = 0; i < w->n_grants; i++) {
		struct grant_place place;
		if (!names_equal(w->grants[i]->user->login, login) ||
			w->grants[i]->level == LEVEL_NONE)
			continue;
		if (!grant_place(&place, run, w->grants[i])) {
			if (user_is_unknown(run, w->grants[i]))
				return false;
			continue;
		}
		if (!verdict_stands(run, w->grants[i], &place) ||
			run->verdicts[i].result != VERIFICATION_VERIFIED)
			return false;
	}
	return true;
}

static bool is_no_unverified_enabling(const void *context, const struct change *c)
{
	return c->kind != CHANGE_LOGIN_ENABLE || login_is_verified(context, c->login);
}

int verify_before_enabling(struct visit_run *run, struct sql_error *error)
{
	int rc = verify_run(run, error, verify_to_be_enabled);

	if (!rc)
		difference_filter(&run->difference, is_no_unverified_enabling, run);
	return rc;
}

/* Excess access, or access that could not be verified: disable the login and end its sessions. The report makes the pass
 * block its network access; where there is no packet filter, nothing else would keep the user out. */
static int not_verified_shut(struct visit_run *run, struct sql_error *error)
{
	const struct wanted_server *w = &run->visit->wanted;
	_cleanup_free_ struct sql_closing *closings = calloc(w->n_grants + 1, sizeof(*closings));
	size_t n = 0;

	if (!closings)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_grants; i++) {
		const struct grant *g = w->grants[i];
		struct grant_place place;
		enum verification result = run->verdicts[i].result;
		if (run->verdicts[i].asked && result != VERIFICATION_VERIFIED &&
			grant_place(&place, run, g) && pass_is_for(run->visit, g->client->name))
			closings[n++] = (struct sql_closing){.login = place.login->name,
				.sid = place.login->sid,
				.client = g->client->name,
				.reason =
					result == VERIFICATION_EXCESS
						? "the login has more access than scheduled"
						: "the access of the login could not be verified"};
	}
	return closings_run(run, error, closings, n);
}

int verify_the_rest(struct visit_run *run, struct sql_error *error)
{
	int rc = verify_run(run, error, verify_stale);

	if (!rc)
		moved_settle(run);
	return rc ? rc : not_verified_shut(run, error);
}

/* What the catalog shows is as scheduled, and the login is not shut yet: nothing but a
 * verification can shut it. */
static bool verify_foreseen(const struct visit_run *run, const struct grant *g)
{
	struct grant_place place;
	bool exact;

	return g->level != LEVEL_NONE && grant_place(&place, run, g) && !place.login->disabled &&
	       observed_level(&exact, &run->observed, place.database, place.login,
		       run->visit->server) == g->level &&
	       exact && !record_stands(run, g, &place);
}

int verify_ahead(struct visit_run *run, struct sql_error *error)
{
	return verify_run(run, error, verify_foreseen);
}

void verdict_apply(struct record *r, const struct visit_run *run, const struct grant *g)
{
	const struct verdict *v = &run->verdicts[grant_number(run, g)];
	const struct verified *last = record_of_grant(run, g);
	struct grant_place place;
	char now[FINGERPRINT_MAX];

	if (g->level == LEVEL_NONE || !grant_place(&place, run, g))
		return;
	observed_fingerprint(now, place.database, place.user);
	bool known = last && last->fingerprint[0] && streq(last->fingerprint, now);
	enum verification result = v->asked ? v->result
				   : known  ? last->result
					    : VERIFICATION_VERIFIED;

	if (result == VERIFICATION_VERIFIED)
		return;
	r->grant.admission = result == VERIFICATION_EXCESS ? ADMIT_NOBODY : ADMIT_NOT_YET;
	enum state state = result == VERIFICATION_EXCESS ? STATE_EXCESS : STATE_UNVERIFIED;
	if (state < r->state)
		return;
	r->state = state;
	RECORD_SET(r, detail,
		v->evidence ? v->evidence
		: result == VERIFICATION_EXCESS
			? "the last verification found more than scheduled; the login stays disabled until a later one "
			  "succeeds"
			: "the last verification could not be completed; `curfew audit` tries again and says why");
}
