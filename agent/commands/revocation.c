/* The operator of a revocation, from the journal: the current revocations have only reason and time. */
#include "commands/revocation.h"

#include <string.h>

struct revocation_search {
	const char *login;
	char *actor;
};

static int revocation_take(void *context, const struct journal_entry *e)
{
	struct revocation_search *s = context;

	if (!e->action || !streq(e->action, "revoke") || !e->actor || !e->login != !s->login ||
		(s->login && !names_equal(e->login, s->login)))
		return 0;
	free(s->actor);
	s->actor = strdup(e->actor);
	return 0;
}

char *revocation_actor(struct journal *j, const char *client, const char *login)
{
	const struct journal_filter f = {.client = client, .login = login, .kind = JOURNAL_EVENT};
	struct revocation_search s = {.login = login};

	if (j)
		journal_read(j, &f, revocation_take, &s);
	return s.actor;
}
