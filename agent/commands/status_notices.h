/* The outbox in `curfew status`. */
#ifndef CURFEW_COMMANDS_STATUS_NOTICES_H
#define CURFEW_COMMANDS_STATUS_NOTICES_H

#include "commands/command.h"

void notices_print(const struct context *c);

#endif
