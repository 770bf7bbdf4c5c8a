/* The state of the service and of passwords in `curfew status`. */
#ifndef COMMANDS_STATUS_SERVICE_H
#define COMMANDS_STATUS_SERVICE_H

#include "commands/command.h"

/* Prints the service's own description: running since, last pass, next change; or that it is not running. */
void status_service_print(const struct cli *cli, instant_t now, const char *zone, FILE *to);
struct json_t *status_service_json(const struct cli *cli);
/* "set", "must change", "not handed over", "locked", "expired", "login disabled"; NULL: unknown. */
const char *status_password(const struct records *k, const struct journal_entries *handovers,
	bool archived, const struct grant *g);
/* The journal's handovers, and whether an archive may have older ones. 0 or negative errno. */
int status_handovers(struct journal_entries *out, bool *archived, struct journal *j);

#endif
