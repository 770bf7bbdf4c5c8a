/* The operator of a revocation. */
#ifndef CURFEW_COMMANDS_REVOCATION_H
#define CURFEW_COMMANDS_REVOCATION_H

#include "curfew/journal.h"

/* Returns the actor of the last revocation of the client (login NULL) or of one of its users; owned. NULL: unknown. */
char *revocation_actor(struct journal *j, const char *client, const char *login);

#endif
