/* What the journal knows of a time, and of a name. */
#ifndef COMMANDS_HISTORY_KNOWN_H
#define COMMANDS_HISTORY_KNOWN_H

#include "commands/command.h"

/* Says that nobody knows the name, and which archive may. EXIT_USAGE, or an exit code for a journal that cannot be read.
 * `client`: whose; NULL: anybody's. */
int history_unknown(const struct cli *cli, struct journal *j, const char *what, const char *name,
	const char *client);
/* If the result is empty because the name is unknown, say so. 0 or exit code. */
int history_nothing_explain(const struct cli *cli, const struct program *p, struct journal *j);
/* The journal's records cover that time. 0 or exit code. */
int history_instant_is_known(
	const struct cli *cli, const struct program *p, struct journal *j, instant_t at);
/* None of them is missing. 0 or exit code. */
int history_lost_check(const struct cli *cli, struct journal *j, instant_t at);

#endif
