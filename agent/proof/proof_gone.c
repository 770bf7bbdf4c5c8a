/* Verifies that ended access is removed, by what was read from the server. */
#include <string.h>
#include <strings.h>

#include "proof/proof.h"

static bool is_unread(const struct observed_database *d)
{
	return !d->read && !d->system && !d->absent;
}

/* A secondary replica is read where its primary is. */
static bool is_replica(const struct visit_run *run, const struct observed_database *d)
{
	return run->visit->wanted.replicated && d->secondary && is_unread(d);
}

static size_t databases_unread(const struct visit_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->observed.n_databases; i++)
		n += is_unread(&run->observed.databases[i]) &&
		     !is_replica(run, &run->observed.databases[i]);
	return n;
}

static size_t databases_read(const struct visit_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->observed.n_databases; i++)
		n += run->observed.databases[i].read;
	return n;
}

static size_t databases_replicated(const struct visit_run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->observed.n_databases; i++)
		n += is_replica(run, &run->observed.databases[i]);
	return n;
}

static bool is_sid_of(const struct visit_run *run, const char *login, const struct sid *sid)
{
	for (size_t i = 0; i < run->claims.n; i++) {
		const struct claim *c = &run->claims.items[i];
		if (streq(c->server, run->visit->server->name) && !strcasecmp(c->login, login) &&
			sid_equal(&c->sid, sid))
			return true;
	}
	return false;
}

/* By name, and by every SID that the login has had, so that a renamed or restored user is found too. */
static const struct observed_user *user_left(
	const struct visit_run *run, const char *login, const char **where)
{
	const struct observed_server *o = &run->observed;

	for (size_t i = 0; i < o->n_databases; i++)
		for (size_t k = 0; k < o->databases[i].n_users; k++) {
			const struct observed_user *u = &o->databases[i].users[k];
			if (u->type == 'R' || (strcasecmp(u->name, login) != 0 &&
						      !is_sid_of(run, login, &u->sid)))
				continue;
			*where = o->databases[i].name;
			return u;
		}
	return NULL;
}

static bool session_is_left(const struct visit_run *run, const char *login)
{
	const struct observed_server *o = &run->observed;

	for (size_t i = 0; i < o->n_sessions; i++)
		if (names_equal(o->sessions[i].login, login) ||
			is_sid_of(run, login, &o->sessions[i].key.sid))
			return true;
	return false;
}

static void tell(struct visit_run *run, size_t number, enum verification result, const char *words)
{
	verdict_tell(run, number, &(struct grant_place){0}, result, STATE_OK, words);
}

/* The login still exists for another database, but must have no user in this one. */
static void user_gone_tell(struct visit_run *run, size_t number, const struct observed_database *d,
	const struct observed_login *l)
{
	if (d && observed_user_of(d, l))
		tell(run, number, VERIFICATION_EXCESS, "the user still exists in the database");
	else if (d && !d->absent && !d->read)
		verdict_tell(run, number, &(struct grant_place){0}, VERIFICATION_UNVERIFIED,
			is_replica(run, d) ? STATE_WAITING : STATE_UNREAD,
			"the database could not be read");
	else if (!d || d->absent)
		tell(run, number, VERIFICATION_VERIFIED, "the server has no database of this name");
	else
		tell(run, number, VERIFICATION_VERIFIED,
			"sys.database_principals read: no user with the login's SID");
}

/* What still exists of a login that must be gone everywhere; NULL: nothing was found. */
static const char *left_text(char buf[RECORD_TEXT_MAX], const struct visit_run *run,
	const struct observed_login *l, const char *login)
{
	const struct observed_user *u;
	const char *where;

	if (l && !names_equal(l->name, login)) {
		snprintf(buf, RECORD_TEXT_MAX,
			"the login still exists: somebody renamed it to [%.128s]", l->name);
		return buf;
	}
	if (l)
		return "the login still exists";
	if (session_is_left(run, login))
		return "a session of the login is still open";
	if (!(u = user_left(run, login, &where)))
		return NULL;
	snprintf(
		buf, RECORD_TEXT_MAX, "its user [%.128s] still exists in [%.128s]", u->name, where);
	return buf;
}

/* The grant has ended: check that nothing of it is left. */
void gone_tell(struct visit_run *run, size_t number)
{
	const struct grant *g = run->visit->wanted.grants[number];
	const struct observed_server *o = &run->observed;
	const struct observed_login *l =
		observed_find_claimed(o, &run->claims, g->server->name, g->user->login);
	const struct observed_database *d = observed_find_database(o, g->database->name);
	char evidence[RECORD_TEXT_MAX];

	if (wanted_find(&run->visit->wanted, g->user->login)) {
		user_gone_tell(run, number, d, l);
		return;
	}
	const char *left = left_text(evidence, run, l, g->user->login);
	if (left) {
		tell(run, number, VERIFICATION_EXCESS, left);
	} else if (o->n_missing_rights || o->n_unreadable || databases_unread(run)) {
		snprintf(evidence, sizeof(evidence),
			"no login, session, or user found, but the result is incomplete: databases not read: %zu, parts of "
			"the catalog not read: %zu, missing permissions: %zu",
			databases_unread(run), o->n_unreadable, o->n_missing_rights);
		tell(run, number, VERIFICATION_UNVERIFIED, evidence);
	} else if (databases_replicated(run)) {
		snprintf(evidence, sizeof(evidence),
			"no login, no session, and no user in what can be read; secondary replicas that cannot: %zu",
			databases_replicated(run));
		verdict_tell(run, number, &(struct grant_place){0}, VERIFICATION_UNVERIFIED,
			STATE_WAITING, evidence);
	} else {
		/* The database was renamed, detached, or dropped. Its former users may still be in it. */
		bool has_left = !d || d->absent;
		snprintf(evidence, sizeof(evidence),
			"%s%.128s%ssys.server_principals, sys.dm_exec_sessions, and sys.database_principals of %zu databases "
			"read: no login, no session, no user",
			has_left ? "the server has no database [" : "",
			has_left ? g->database->name : "",
			has_left
				? "] now, so its users were not read, and are removed if it comes back; "
				: "",
			databases_read(run));
		tell(run, number, VERIFICATION_VERIFIED, evidence);
	}
}
