/* Users that may be in a database without being seen. Whoever controls a database hides a user by one denial, which
 * takes no right away from that user, and none from its login: that no user is seen there then proves nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "curfew/access.h"

static int hidden_mark(struct observed_database *d, const struct observed_user *agent)
{
	const struct permission *by;
	int rc = observed_hides(&by, d, agent, true);

	if (rc > 0 &&
		asprintf(&d->hidden,
			"%s is denied to [%s] in [%s], so users may be hidden: revoke that denial",
			by->name, by->grantee, d->name) < 0) {
		d->hidden = NULL;
		return -ENOMEM;
	}
	if (!rc && d->missed)
		d->hidden = strdup(USERS_MISSED);
	return rc < 0 ? rc : !d->missed || d->hidden ? 0 : -ENOMEM;
}

int observed_mark_hidden(struct observed_server *o, const struct server *s)
{
	const struct observed_login *agent = s->login ? observed_find_login(o, s->login) : NULL;
	int rc = 0;

	for (size_t i = 0; i < o->n_databases && !rc; i++) {
		struct observed_database *d = &o->databases[i];
		free(d->hidden);
		d->hidden = NULL;
		if (d->read)
			rc = hidden_mark(d, observed_user_of(d, agent));
	}
	return rc;
}

const char *observed_user_hidden(const struct observed_server *o, const struct observed_database *d,
	const struct observed_login *l, const char *login)
{
	if (!d || !d->read || observed_user_of(d, l))
		return NULL;
	for (size_t i = 0; i < o->n_unseen_users; i++)
		if (names_equal(o->unseen_users[i].login, login) &&
			names_equal(o->unseen_users[i].database, d->name))
			return "the server says that the login has a user there already, and hides it from the agent login: "
			       "a DBA must revoke what is denied on that user";
	return d->hidden;
}
