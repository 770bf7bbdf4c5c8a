/* Denied packets: from the service, or from the packet filter itself. */
#ifndef CURFEW_COMMANDS_DENIED_READ_H
#define CURFEW_COMMANDS_DENIED_READ_H

#include "commands/command.h"

/* For a user who may ask the service but not read the packet filter. 0 or negative errno; prints nothing. */
int denied_by_service(struct firewall_state *out, const struct program *p);
/* The configured server with this endpoint, or NULL. */
const struct server *denied_server(const struct program *p, const struct endpoint *e);
/* For qsort(): newest first. */
int denied_compare(const void *a, const void *b);

#endif
