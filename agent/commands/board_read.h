/* The board, and what the journal tells of it: whether a client's logins have been made. */
#ifndef CURFEW_COMMANDS_BOARD_READ_H
#define CURFEW_COMMANDS_BOARD_READ_H

#include "commands/command.h"
#include "curfew/board.h"

/* The board of all clients, or of c->client. 0 or exit code. */
int board_read(struct board *out, const struct context *c);

#endif
