/* The service's own health, and what is known of passwords: two things that `status` says beside access. */
#ifndef COMMANDS_STATUS_SERVICE_H
#define COMMANDS_STATUS_SERVICE_H

#include "commands/command.h"

/* Of what the service said when the configuration was loaded: running since, last pass, next change; or that none runs. */
void status_service_print(const struct cli *cli, instant_t now, const char *zone, FILE *to);
struct json_t *status_service_json(const struct cli *cli);
/* "set", "must change", "not handed over", "locked", "expired", "login disabled"; NULL: nothing is known. */
const char *status_password(const struct records *k, const struct journal_entries *handovers,
	bool archived, const struct grant *g);
/* The journal's handovers, and whether older ones may be in an archive. 0 or negative errno. */
int status_handovers(struct journal_entries *out, bool *archived, struct journal *j);

#endif
