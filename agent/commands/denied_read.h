/* Denied packets: from the service, or from the packet filter itself. */
#ifndef CURFEW_COMMANDS_DENIED_READ_H
#define CURFEW_COMMANDS_DENIED_READ_H

#include "commands/command.h"

/* From the service, for whoever may ask it and not read the packet filter: 0 or negative errno, silently. */
int denied_by_service(struct firewall_state *out, const struct program *p);
/* The server of the configuration that has the endpoint, or NULL. */
const struct server *denied_server(const struct program *p, const struct endpoint *e);
/* For qsort(): the last seen first. */
int denied_compare(const void *a, const void *b);

#endif
