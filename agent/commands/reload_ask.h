/* Asks the running service to reload. */
#ifndef CURFEW_COMMANDS_RELOAD_ASK_H
#define CURFEW_COMMANDS_RELOAD_ASK_H

#include "commands/command.h"

/* Asks the service to reload and prints the result. Exit code, or -ENOENT: no service is running. */
int reload_ask(const struct cli *cli, const struct program *p);
/* Call after writing a file: like reload_ask(); without a service, prints when the change takes effect. */
int reload_after(const struct cli *cli, const struct program *p);

#endif
