/* Gathers what an audit shows: one observing pass, the packet filter, the journal. */
#ifndef CURFEW_COMMANDS_AUDIT_COLLECT_H
#define CURFEW_COMMANDS_AUDIT_COLLECT_H

#include "commands/command.h"
#include "curfew/report.h"

struct collected {
	struct audit_report report; /* points into the rest */
	struct records records;
	struct grants grants;
	struct overrides overrides;
	struct firewall_state network;
	bool network_seen;
	struct journal *journal;
	struct journal_entries history, handovers;
};
/* 0 or the exit code. Changes nothing anywhere. */
int collect(struct collected *out, struct cli *cli, const struct program *p,
	const struct client *client, instant_t now);
void collected_free(struct collected *c);

#endif
