/* Who revoked, by the journal. */
#ifndef CURFEW_COMMANDS_REVOCATION_H
#define CURFEW_COMMANDS_REVOCATION_H

#include "curfew/journal.h"

/* The actor of the last revocation of the client (login NULL) or of one of its users; owned. NULL: the journal does not
 * say. */
char *revocation_actor(struct journal *j, const char *client, const char *login);

#endif
