/* What a command prints, encrypted for one person by a tool that is installed: nothing of it is readable on the way. */
#ifndef CURFEW_COMMANDS_SEAL_H
#define CURFEW_COMMANDS_SEAL_H

#include "commands/command.h"

struct seal {
	pid_t pid; /* 0: nothing is encrypted */
	int to;
};
/* By --age or --gpg; nothing without them. Tries the recipient first, while nothing has happened yet, and starts the tool
 * as who this process still is: its keys are that user's. 0 or exit code. */
int seal_start(struct seal *s, const struct cli *cli);
/* From here on standard output goes to the tool. 0 or exit code. */
int seal_open(struct seal *s, const struct cli *cli);
/* Ends the tool. Without seal_open() it has printed nothing. Exit code. */
int seal_close(struct seal *s, const struct cli *cli);

#endif
