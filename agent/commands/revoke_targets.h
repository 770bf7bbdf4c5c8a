/* Whom `curfew revoke` and `curfew reinstate` mean. */
#ifndef COMMANDS_REVOKE_TARGETS_H
#define COMMANDS_REVOKE_TARGETS_H

#include "commands/command.h"

typedef int (*target_fn)(void *context, const char *client, const char *login);

/* Calls `each` for a client, one of its users, or (neither) a user's email address in every client, until it returns
 * other than 0. */
int targets_each(const struct context *c, target_fn each, void *context);
/* Opens the context, with at least one target. 0, or the exit code. */
int targets_open(struct context *c, struct cli *cli);

#endif
