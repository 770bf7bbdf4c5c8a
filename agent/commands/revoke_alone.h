/* `curfew revoke` and `curfew reinstate` where no service runs. */
#ifndef COMMANDS_REVOKE_ALONE_H
#define COMMANDS_REVOKE_ALONE_H

#include "commands/command.h"
#include "curfew/control.h"

/* 0, or the exit code. */
int revoke_alone(struct pass_result *out, enum recorded *recorded, struct context *c, bool revoke,
	struct records *k);

#endif
