/* Clients whose databases another client has now. */
#ifndef COMMANDS_FORMER_CLIENTS_H
#define COMMANDS_FORMER_CLIENTS_H

#include "commands/command.h"

/* Tells on stderr, once for each, which other clients had access to a database that the named client has now, and that
 * they have no longer: its own former name, perhaps. Of the `n` records of access it keeps one of each such client, in
 * front, and returns how many these are. */
size_t former_clients_tell(const struct cli *cli, const struct program *p,
	const struct journal_entry **access, size_t n);

#endif
