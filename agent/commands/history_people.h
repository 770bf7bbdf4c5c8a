/* Whom a name means: of the configuration, and of whoever has left it, by what the records say of them. */
#ifndef COMMANDS_HISTORY_PEOPLE_H
#define COMMANDS_HISTORY_PEOPLE_H

#include "commands/command.h"

struct logins {
	char **items; /* owned, each once */
	size_t n;
};
/* By login, by what follows the client's name in it, email address, first.last, or "First Last". `email`: by email address
 * alone. client NULL: of any. 0 or negative errno; nobody is no error. */
int people_find(struct logins *out, const struct program *p, struct journal *j, const char *client,
	const char *name, bool email);
bool logins_have(const struct logins *l, const char *login);
void logins_free(struct logins *l);
/* "acme.jane.doe" by that name and by "jane.doe". */
bool login_is_called(const char *login, const char *name);

#endif
