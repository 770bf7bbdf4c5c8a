/* Whom it concerns that something of a database is not known: all of it (it is not read), some of it (a question that the
 * server refused), or who is in it (a denial may hide users). This is the one rule, for states, proofs of ends, and certificates.
 *
 * A database that only files of other clients name concerns of a client
 *   - a login to which access was given there, by the journal, and whose access there is not verified to be gone,
 *   - a login that has a user there, or of which this pass saw a session there,
 *   - everybody, where records of the journal were lost, now or once: nobody knows to whom access was given.
 *
 * Any other database concerns everybody who has or had access on the server. The client's own file names it, or no file does:
 * then it may be a copy of any client's, with all of its users, or one that somebody renamed.
 *
 * Nobody says of others that they have no user there. While a login exists, a verification is about the databases of its own
 * client, and says nothing of this one; unread.c and hidden.c keep the login shut where the same signs point at it. When a login
 * is gone, a user that somebody made for it there lets nobody in, because a user is entered by a login with its SID. The pass
 * that reads the database again removes it (user_changes.c). So the end is verified, and its evidence names the database.
 *
 * A user that bears only the name of a login, in a database to which access was never given to it, was made there by somebody
 * else. No login enters as that user, so it is a matter of that database alone (residual_namesake.c). */
#include <stdlib.h>
#include <string.h>

#include "access/difference.h"

static bool is_named(const struct client *c, const struct observed_database *d)
{
	for (size_t i = 0; i < c->n_databases; i++)
		if (names_equal(c->databases[i].name, d->name))
			return true;
	return false;
}

bool database_is_anothers(const struct observed_database *d, const struct client *c)
{
	return d->managed && c && !is_named(c, d);
}

/* By the name, or under another one by the id. sys.databases.create_date is no help, for renaming changes it
 * (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-databases-transact-sql). */
static bool was_given(
	const struct wanted_server *w, const struct observed_database *d, const char *login)
{
	for (size_t i = remembered_from(w, login);
		i < w->n_remembered && names_equal(w->remembered[i].login, login); i++) {
		const struct remembered *r = &w->remembered[i];
		bool gone = r->level == LEVEL_NONE && !r->excess && r->verified;
		if (!gone &&
			(names_equal(r->database, d->name) || (d->id && r->database_id == d->id)))
			return true;
	}
	return false;
}

static bool sid_was_seen(
	const struct observed_server *o, const struct observed_database *d, const struct sid *sid)
{
	for (size_t i = 0; i < d->n_users; i++)
		if (d->users[i].type != 'R' && sid_equal(&d->users[i].sid, sid))
			return true;
	for (size_t i = 0; d->id && i < o->n_entries; i++)
		if (o->entries[i].database == d->id && sid_equal(&o->entries[i].sid, sid))
			return true;
	return false;
}

/* By every SID that the login has had. They are few, and whoever controls the database can make very many users. */
static bool was_seen(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct observed_database *d, const char *login)
{
	const struct observed_login *l = observed_find_login(o, login);

	if (l && sid_was_seen(o, d, &l->sid))
		return true;
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->items[i].server, w->server->name) &&
			names_equal(c->items[i].login, login) &&
			sid_was_seen(o, d, &c->items[i].sid))
			return true;
	return false;
}

bool database_concerns(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct observed_database *d,
	const struct login_of_client *who)
{
	return w->records_lost || !database_is_anothers(d, who->client) ||
	       was_given(w, d, who->login) || was_seen(o, w, c, d, who->login);
}

static bool has_known_sid(const struct wanted_server *w, const struct claims *c, const char *login)
{
	for (size_t i = 0; i < c->n; i++)
		if (streq(c->items[i].server, w->server->name) &&
			names_equal(c->items[i].login, login) && c->items[i].sid.size)
			return true;
	return false;
}

bool user_is_namesake(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct observed_database *d, const struct observed_user *u,
	const struct login_of_client *who)
{
	const struct observed_login *l = observed_find_login(o, who->login);
	bool its_own = claims_have_sid_of(c, w->server->name, who->login, &u->sid) ||
		       (l && sid_equal(&l->sid, &u->sid));

	return u->type != 'R' && names_equal(u->name, who->login) && !its_own &&
	       has_known_sid(w, c, who->login) && !w->records_lost && who->client &&
	       !is_named(who->client, d) && !was_given(w, d, who->login);
}

bool database_is_partial(const struct observed_server *o, const struct observed_database *d)
{
	for (size_t i = 0; i < o->n_unreadable; i++)
		if (o->unreadable[i].database && names_equal(o->unreadable[i].database, d->name))
			return true;
	return false;
}

size_t unreadable_for(const struct observed_server *o, const struct wanted_server *w,
	const struct claims *c, const struct login_of_client *who)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n_unreadable; i++) {
		const char *name = o->unreadable[i].database;
		const struct observed_database *d = name ? observed_find_database(o, name) : NULL;
		n += !d || database_concerns(o, w, c, d, who);
	}
	return n;
}

bool unreadable_is_of_all(const struct observed_server *o)
{
	for (size_t i = 0; i < o->n_unreadable; i++) {
		const char *name = o->unreadable[i].database;
		const struct observed_database *d = name ? observed_find_database(o, name) : NULL;
		if (!d || !d->managed)
			return true;
	}
	return false;
}
