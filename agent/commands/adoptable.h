/* Whether a login is one that `curfew adopt` is for. */
#ifndef CURFEW_COMMANDS_ADOPTABLE_H
#define CURFEW_COMMANDS_ADOPTABLE_H

#include "commands/command.h"

/* The operands are SERVER and LOGIN. Asks the server: a name that it does not show would be looked for ever after. 0 or
 * exit code. */
int adoptable_check(
	const struct cli *cli, const struct program *p, struct journal *j, instant_t now);

#endif
