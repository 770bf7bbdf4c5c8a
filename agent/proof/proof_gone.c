/* Verifies that ended access is removed, by what was read from the server. */
#include <string.h>
#include <strings.h>

#include "curfew/unread_names.h"
#include "proof/proof.h"

/* tempdb too: a user there is left until the server starts again, and then a reading of the new one shows that it is gone.
 * When that was is no evidence by itself: model, of which each is a copy, may have had the user. */
static bool is_unread(const struct observed_database *d)
{
	return !d->read && !d->absent;
}

/* A user may be there that was not seen. */
static bool is_in_doubt(const struct visit_run *run, const struct observed_database *d)
{
	return is_unread(d) || d->hidden || database_is_partial(&run->observed, d);
}

static bool concerns(
	const struct visit_run *run, const struct observed_database *d, const struct grant *g)
{
	const struct login_of_client who = {g->client, g->user->login};

	return database_concerns(&run->observed, &run->visit->wanted, &run->claims, d, &who);
}

/* A secondary replica is read where its primary is. */
static bool is_replica(const struct visit_run *run, const struct observed_database *d)
{
	return run->visit->wanted.replicated && d->secondary && is_unread(d);
}

/* Under another name. */
static bool is_the_same(const struct verified *v, const struct observed_database *d)
{
	return d->id && v->database_id == d->id &&
	       (!v->made[0] || !d->made[0] || streq(v->made, d->made));
}

/* Access was given there, under this name or another, and is not verified gone. */
static bool is_given(const struct visit_run *run, const struct observed_database *d)
{
	const struct sql_visit *p = run->visit;

	for (size_t i = 0; i < p->n_verified; i++) {
		const struct verified *v = &p->verified[i];
		if ((v->level != LEVEL_NONE || v->result != VERIFICATION_VERIFIED) &&
			(names_equal(v->database, d->name) || is_the_same(v, d)))
			return true;
	}
	for (size_t i = 0; i < p->n_formers; i++)
		if (names_equal(p->formers[i].database, d->name))
			return true;
	return false;
}

/* An operator decided that it need not be read. Without its name it may be any. */
static bool is_forgotten(const struct visit_run *run, const struct observed_database *d)
{
	if (d->managed || begins_with(d->name, "database_id ") || is_given(run, d))
		return false;
	for (size_t i = 0; i < run->visit->n_forgotten; i++)
		if (streq(run->visit->forgotten[i], d->name))
			return true;
	return false;
}

/* Why a database that was not wholly read keeps no end from being verified, or that it does. */
enum doubt { DOUBT_NONE, DOUBT_UNREAD, DOUBT_REPLICA, DOUBT_FORGOTTEN, DOUBT_OTHERS };

static enum doubt doubt_of(
	const struct visit_run *run, const struct observed_database *d, const struct grant *g)
{
	if (!is_in_doubt(run, d))
		return DOUBT_NONE;
	if (!concerns(run, d, g))
		return DOUBT_OTHERS;
	if (!is_unread(d))
		return DOUBT_NONE;
	return is_replica(run, d)     ? DOUBT_REPLICA
	       : is_forgotten(run, d) ? DOUBT_FORGOTTEN
				      : DOUBT_UNREAD;
}

static size_t databases_count(const struct visit_run *run, const struct grant *g, enum doubt doubt)
{
	size_t n = 0;

	for (size_t i = 0; i < run->observed.n_databases; i++)
		n += doubt_of(run, &run->observed.databases[i], g) == doubt;
	return n;
}

static void databases_tell(char *evidence, size_t size, const struct visit_run *run,
	const struct grant *g, enum doubt doubt, const char *words)
{
	const struct observed_server *o = &run->observed;
	_cleanup_free_ const char **names = calloc(o->n_databases + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; names && i < o->n_databases; i++)
		if (doubt_of(run, &o->databases[i], g) == doubt)
			names[n++] = o->databases[i].name;
	/* A certificate then lists every decision about the server. */
	if (!names)
		unread_names_write(evidence, size, words, NULL, 0);
	else if (n)
		unread_names_write(evidence, size, words, names, n);
}

static size_t databases_read(const struct visit_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->observed.n_databases; i++)
		n += run->observed.databases[i].read &&
		     !is_in_doubt(run, &run->observed.databases[i]);
	return n;
}

/* A denial may hide a user from the agent login. */
static const char *databases_hide(
	char buf[RECORD_TEXT_MAX], const struct visit_run *run, const struct grant *g)
{
	const char *words = NULL;

	for (size_t i = 0; i < run->observed.n_databases && !words; i++) {
		const struct observed_database *d = &run->observed.databases[i];
		if (d->hidden && concerns(run, d, g))
			words = hidden_words(buf, run, d, NULL);
	}
	return words;
}

/* By name, and by every SID that the login has had, so that a renamed or restored user is found too. */
static const struct observed_user *user_left(
	const struct visit_run *run, const struct grant *g, const struct observed_database **where)
{
	const struct login_of_client who = {g->client, g->user->login};
	const struct observed_server *o = &run->observed;

	for (size_t i = 0; i < o->n_databases; i++)
		for (size_t k = 0; k < o->databases[i].n_users; k++) {
			const struct observed_database *d = &o->databases[i];
			const struct observed_user *u = &d->users[k];
			if (u->type == 'R' ||
				(strcasecmp(u->name, who.login) != 0 &&
					!claims_have_sid_of(&run->claims, run->visit->server->name,
						who.login, &u->sid)))
				continue;
			if (user_is_namesake(o, &run->visit->wanted, &run->claims, d, u, &who))
				continue;
			*where = d;
			return u;
		}
	return NULL;
}

/* A pass removes a user by the login's SID. What has the name alone, it leaves to whoever made it. */
static const char *user_left_text(
	char buf[RECORD_TEXT_MAX], const struct visit_run *run, const struct grant *g)
{
	const struct observed_database *d;
	const struct observed_user *u = user_left(run, g, &d);
	char owner[DATABASE_OWNER_MAX];

	if (!u)
		return NULL;
	int n = snprintf(buf, RECORD_TEXT_MAX, "its user [%.128s] still exists in [%.128s]",
		u->name, d->name);
	if (claims_have_sid_of(&run->claims, run->visit->server->name, g->user->login, &u->sid))
		return buf;
	database_owner_words(owner, &run->observed, d);
	snprintf(buf + n, RECORD_TEXT_MAX - (size_t)n,
		", %s: by its name, not by the login's SID, so Curfew does not remove it; a DBA runs DROP USER there",
		owner);
	return buf;
}

/* Why the login still has a session; NULL: it has none. */
static const char *session_left(const struct visit_run *run, const char *login)
{
	const struct observed_server *o = &run->observed;

	for (size_t i = 0; i < o->n_sessions; i++) {
		const struct observed_session *s = &o->sessions[i];

		if (names_equal(s->login, login) ||
			claims_have_sid_of(
				&run->claims, run->visit->server->name, login, &s->key.sid))
			return "a session of the login is still open";
		if (names_equal(s->acting, login))
			return "a session of another login still acts as the login (EXECUTE AS)";
	}
	return NULL;
}

static void tell(struct visit_run *run, size_t number, enum verification result, const char *words)
{
	verdict_tell(run, number, &(struct grant_place){0}, result, STATE_OK, words);
}

/* The login still exists for another database, but must have no user in this one. */
static void user_gone_tell(struct visit_run *run, size_t number, const struct observed_database *d,
	const struct observed_login *l)
{
	char buf[RECORD_TEXT_MAX];
	const char *hidden = d ? hidden_words(buf, run, d, NULL) : NULL;

	if (d && observed_user_of(d, l))
		tell(run, number, VERIFICATION_EXCESS, "the user still exists in the database");
	else if (d && !d->absent && !d->read)
		verdict_tell(run, number, &(struct grant_place){0}, VERIFICATION_UNVERIFIED,
			is_replica(run, d) ? STATE_WAITING : STATE_UNREAD,
			"the database could not be read");
	else if (!d || d->absent)
		tell(run, number, VERIFICATION_VERIFIED, "the server has no database of this name");
	else if (hidden)
		tell(run, number, VERIFICATION_UNVERIFIED, hidden);
	else if (!l && observed_is_partial(&run->observed))
		tell(run, number, VERIFICATION_UNVERIFIED,
			"the login may be hidden from Curfew, and its user is known by the login");
	else
		tell(run, number, VERIFICATION_VERIFIED,
			"sys.database_principals read: no user with the login's SID");
}

/* What still exists of a login that must be gone everywhere; NULL: nothing was found. */
static const char *left_text(char buf[RECORD_TEXT_MAX], const struct visit_run *run,
	const struct observed_login *l, const struct grant *g)
{
	const char *login = g->user->login, *session;

	if (l && !names_equal(l->name, login)) {
		snprintf(buf, RECORD_TEXT_MAX,
			"the login still exists: somebody renamed it to [%.128s]", l->name);
		return buf;
	}
	if (l)
		return "the login still exists";
	session = session_left(run, login);
	return session ? session : user_left_text(buf, run, g);
}

/* Nothing is left, in what was read. */
static void nothing_left_tell(
	struct visit_run *run, size_t number, const struct observed_database *d)
{
	const struct grant *g = run->visit->wanted.grants[number];
	/* The database was renamed, detached, or dropped. Its former users may still be in it. */
	bool has_left = !d || d->absent;
	char evidence[RECORD_TEXT_MAX];

	snprintf(evidence, sizeof(evidence),
		"%s%.128s%ssys.server_principals, sys.dm_exec_sessions, and sys.database_principals of %zu databases "
		"read: no login, no session, no user",
		has_left ? "the server has no database [" : "", has_left ? g->database->name : "",
		has_left ? "] now, so its users were not read, and are removed if it comes back; "
			 : "",
		databases_read(run));
	databases_tell(evidence, sizeof(evidence) - UNREAD_FORGOTTEN_MAX, run, g, DOUBT_OTHERS,
		"; " UNREAD_OTHERS);
	databases_tell(evidence, sizeof(evidence), run, g, DOUBT_FORGOTTEN, "; " UNREAD_FORGOTTEN);
	tell(run, number, VERIFICATION_VERIFIED, evidence);
}

/* The grant has ended: check that nothing of it is left. */
void gone_tell(struct visit_run *run, size_t number)
{
	const struct grant *g = run->visit->wanted.grants[number];
	const struct observed_server *o = &run->observed;
	const struct observed_login *l =
		observed_find_claimed(o, &run->claims, g->server->name, g->user->login);
	const struct observed_database *d = observed_find_database(o, g->database->name);
	const struct login_of_client who = {g->client, g->user->login};
	char evidence[RECORD_TEXT_MAX];

	if (wanted_find(&run->visit->wanted, g->user->login)) {
		user_gone_tell(run, number, d, l);
		return;
	}
	size_t unreadable = unreadable_for(o, &run->visit->wanted, &run->claims, &who);
	size_t replicas = databases_count(run, g, DOUBT_REPLICA);
	const char *left = left_text(evidence, run, l, g), *hidden;
	if (left) {
		tell(run, number, VERIFICATION_EXCESS, left);
	} else if ((hidden = databases_hide(evidence, run, g)) != NULL) {
		tell(run, number, VERIFICATION_UNVERIFIED, hidden);
	} else if (o->n_unseen) {
		snprintf(evidence, sizeof(evidence),
			"no login, session, or user found, but the result is incomplete: %s",
			o->unseen[0].text);
		tell(run, number, VERIFICATION_UNVERIFIED, evidence);
	} else if (o->n_missing_rights || unreadable || databases_count(run, g, DOUBT_UNREAD)) {
		snprintf(evidence, sizeof(evidence),
			"no login, session, or user found, but the result is incomplete: parts of the catalog not read: %zu, "
			"missing permissions: %zu",
			unreadable, o->n_missing_rights);
		databases_tell(evidence, sizeof(evidence), run, g, DOUBT_UNREAD, ", " UNREAD_NAMES);
		tell(run, number, VERIFICATION_UNVERIFIED, evidence);
	} else if (replicas) {
		snprintf(evidence, sizeof(evidence),
			"no login, no session, and no user in what can be read; secondary replicas that cannot: %zu",
			replicas);
		verdict_tell(run, number, &(struct grant_place){0}, VERIFICATION_UNVERIFIED,
			STATE_WAITING, evidence);
	} else {
		nothing_left_tell(run, number, d);
	}
}
