/* Encrypts a command's output for one recipient with age or gpg, so that nobody else can read it. */
#ifndef CURFEW_COMMANDS_SEAL_H
#define CURFEW_COMMANDS_SEAL_H

#include "commands/command.h"

struct seal {
	pid_t pid; /* 0: no encryption */
	int to;
	int printed;   /* the former standard output while the tool reads the new one; else -1 */
	int encrypted; /* what the tool writes, with --mail; else -1 */
	char *text; /* with --mail, after seal_close(): the encrypted text, owned; NULL: there is none */
};
/* For --age or --gpg; does nothing without them. Checks the recipient before anything is changed, and starts the tool
 * as the current user, who owns the keys. 0 or exit code. */
int seal_start(struct seal *s, const struct cli *cli);
/* From here on the tool reads standard output. 0 or exit code. */
int seal_open(struct seal *s, const struct cli *cli);
/* Ends the tool. Without seal_open() it has printed nothing. With --mail its text is kept in s->text, not printed.
 * Exit code. */
int seal_close(struct seal *s, const struct cli *cli);

#endif
