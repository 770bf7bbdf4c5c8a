/* A login that stays shut for a user in a database where it has no access by the schedule. Whoever may alter users
 * there can make one for anybody's login, and keep it from being removed: who must put that right is named. */
#include <string.h>

#include "curfew/access.h"

void database_owner_words(char buf[DATABASE_OWNER_MAX], const struct observed_server *o,
	const struct observed_database *d)
{
	for (size_t i = 0; d->owner.size && i < o->n_logins; i++)
		if (sid_equal(&o->logins[i].sid, &d->owner)) {
			snprintf(buf, DATABASE_OWNER_MAX, "owned by login [%.128s]",
				o->logins[i].name);
			return;
		}
	/* A Windows user who logs in as a member of a group has no login; nor has an owner who is gone. */
	snprintf(buf, DATABASE_OWNER_MAX, "whose owner has no login on this server");
}

static bool was_given(const struct wanted_server *w, const char *login, const char *database)
{
	for (size_t i = 0; i < w->n_remembered; i++)
		if (names_equal(w->remembered[i].login, login) &&
			names_equal(w->remembered[i].database, database))
			return true;
	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, login) &&
			names_equal(w->grants[i]->database->name, database))
			return true;
	return false;
}

void user_elsewhere_words(char *buf, size_t size, const struct wanted_server *w,
	const struct observed_server *o, const struct observed_database *d, const char *login)
{
	char owner[DATABASE_OWNER_MAX];

	database_owner_words(owner, o, d);
	snprintf(buf, size,
		"login [%.128s] stays disabled because of a user in database [%.128s], %s: %s%.64s%s%s",
		login, d->name, owner,
		d->unwritable ? "it cannot be removed there (" : "it is not removed yet",
		d->unwritable ? d->unwritable : "",
		d->unwritable
			? "); a DBA makes the database writable for one pass (`curfew apply`), or drops it"
			: " (`curfew history` has the reason)",
		was_given(w, login, d->name)
			? ""
			: "; Curfew never gave access there: an administrator of that "
			  "database made the user");
}

const struct observed_database *user_elsewhere(const struct observed_server *o,
	const struct difference *difference, const struct observed_login *l)
{
	for (size_t i = 0; i < difference->n_changes; i++) {
		const struct change *c = &difference->changes[i];
		const struct observed_database *d =
			c->kind == CHANGE_USER_DROP && names_equal(c->login, l->name)
				? observed_find_database(o, c->database)
				: NULL;
		if (d && observed_user_of(d, l))
			return d;
	}
	return NULL;
}
