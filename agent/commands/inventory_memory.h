/* What an inventory takes from the journal, and leaves there. */
#ifndef COMMANDS_INVENTORY_MEMORY_H
#define COMMANDS_INVENTORY_MEMORY_H

#include "commands/command.h"
#include "curfew/inventory.h"

struct inventory_memory {
	struct journal *journal; /* NULL: there is none */
	struct samples samples;
};
/* Becomes the owner of the state. Samples and decisions of the client's databases, and of their servers. 0 or exit code;
 * then nothing is known. */
int inventory_memory_open(struct inventory_memory *m, const struct cli *cli,
	const struct program *p, const struct client *c, bool write);
/* Keeps the decisions, database by database, and records that. 0 or exit code. */
int inventory_memory_decide(struct inventory_memory *m, const struct cli *cli,
	const struct client *c, const struct inventory *v);
void inventory_memory_close(struct inventory_memory *m);
/* Adds what is known of the client's databases, and of their servers. 0 or negative errno. */
int client_samples_read(
	struct samples *out, struct journal *j, const struct program *p, const struct client *c);

#endif
