/* Collects what an audit shows: the records of a pass that only reads, the packet filter, the journal. */
#ifndef CURFEW_COMMANDS_AUDIT_COLLECT_H
#define CURFEW_COMMANDS_AUDIT_COLLECT_H

#include "commands/command.h"
#include "curfew/report.h"

struct collected {
	struct context context;
	struct audit_report report; /* points into the other members */
	struct records records;
	struct firewall_state network;
	bool network_seen;
	struct journal_entries history, handovers, accepted, found;
};
/* 0 or exit code; free it in either case. Changes nothing. */
int collect(struct collected *c, struct cli *cli);
void collected_free(struct collected *c);

#endif
