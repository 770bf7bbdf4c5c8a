/* The board, with the accounts that the journal knows. */
#ifndef CURFEW_COMMANDS_BOARD_READ_H
#define CURFEW_COMMANDS_BOARD_READ_H

#include "commands/command.h"
#include "curfew/board.h"

/* All clients, or only c->client. 0 or exit code. */
int board_read(struct board *out, const struct context *c);

#endif
