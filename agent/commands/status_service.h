/* The state of the service in `curfew status`. */
#ifndef COMMANDS_STATUS_SERVICE_H
#define COMMANDS_STATUS_SERVICE_H

#include "commands/command.h"

/* Prints the service's own description: running since, last pass, next change; or that it is not running. `filters`: the
 * firewall is enabled on this host; `blocks`: it was seen to guard the servers. */
void status_service_print(const struct cli *cli, bool filters, bool blocks, instant_t now,
	const char *zone, FILE *to);
struct json_t *status_service_json(const struct cli *cli);

#endif
