/* The running service reads its files again. */
#ifndef CURFEW_COMMANDS_RELOAD_ASK_H
#define CURFEW_COMMANDS_RELOAD_ASK_H

#include "commands/command.h"

/* Asks the service that runs there to reload, and prints what came of it. Exit code, or -ENOENT: none runs. */
int reload_ask(const struct cli *cli, const struct program *p);
/* After a file was written: as reload_ask(), and without a service it says when the change takes effect. */
int reload_after(const struct cli *cli, const struct program *p);

#endif
