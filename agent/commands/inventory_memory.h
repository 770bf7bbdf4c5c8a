/* The inventory's data in the journal: samples of use, and decisions. */
#ifndef COMMANDS_INVENTORY_MEMORY_H
#define COMMANDS_INVENTORY_MEMORY_H

#include "commands/command.h"
#include "curfew/inventory.h"

struct inventory_memory {
	struct journal *journal; /* NULL: there is none */
	struct samples samples;
};
/* Becomes the owner of the state. Reads samples and decisions of the client's databases and of their servers. 0 or
 * exit code; then no samples are available. */
int inventory_memory_open(struct inventory_memory *m, const struct cli *cli,
	const struct program *p, const struct client *c, bool write);
/* Saves the decisions, database by database, and records that. 0 or exit code. */
int inventory_memory_decide(struct inventory_memory *m, const struct cli *cli,
	const struct client *c, const struct inventory *v);
void inventory_memory_close(struct inventory_memory *m);

#endif
