/* Finds users by name, in the configuration and among former users in the journal. */
#ifndef COMMANDS_HISTORY_PEOPLE_H
#define COMMANDS_HISTORY_PEOPLE_H

#include "commands/command.h"

struct logins {
	char **items; /* owned, no duplicates */
	size_t n;
};
/* In the configuration, and in the records `among`, or NULL: in the journal. Matches the login, the part of it after
 * the client's name, email address, first.last, and "First Last". `email`: only the email address. client NULL: any. 0
 * or negative errno; finding nobody is not an error. */
int people_find(struct logins *out, const struct program *p, struct journal *j,
	const struct journal_entries *among, const char *client, const char *name, bool email);
bool logins_have(const struct logins *l, const char *login);
void logins_free(struct logins *l);
/* Matches "acme.jane.doe" and "jane.doe". */
bool login_is_called(const char *login, const char *name);

#endif
