/* `audit --from A --to B`: who had access between two times, from the journal and its archives only. */
#ifndef COMMANDS_AUDIT_POPULATION_H
#define COMMANDS_AUDIT_POPULATION_H

#include "commands/command.h"

int audit_population(struct cli *cli);

#endif
