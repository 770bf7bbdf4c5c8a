/* curfew history verify. */
#ifndef COMMANDS_HISTORY_VERIFY_H
#define COMMANDS_HISTORY_VERIFY_H

#include "commands/command.h"

/* Prints whether the chain is intact. Exit code. */
int history_verify(const struct cli *cli, struct journal *j);

#endif
