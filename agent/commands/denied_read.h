/* Denied packets: from the service, or from the packet filter itself. */
#ifndef CURFEW_COMMANDS_DENIED_READ_H
#define CURFEW_COMMANDS_DENIED_READ_H

#include "commands/command.h"
#include "curfew/denied.h"

/* For a user who may ask the service but not read the packet filter. 0 or negative errno; prints nothing. */
int denied_by_service(struct firewall_state *out, const struct program *p);
/* For qsort(): newest first. */
int denied_compare(const void *a, const void *b);

#endif
