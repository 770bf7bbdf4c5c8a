#ifndef COMMANDS_AUDIT_POPULATION_H
#define COMMANDS_AUDIT_POPULATION_H

#include "commands/command.h"

/* `audit --from A --to B`: the journal and its archives alone; contacts no server. */
int audit_population(struct cli *cli);

#endif
