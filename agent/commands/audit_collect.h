/* Gathers what an audit shows: one observing pass, the packet filter, the journal. */
#ifndef CURFEW_COMMANDS_AUDIT_COLLECT_H
#define CURFEW_COMMANDS_AUDIT_COLLECT_H

#include "commands/command.h"
#include "curfew/report.h"

/* The finding's name of what could not be looked at. */
#define AUDIT_NOT_SHOWN "not-shown"

struct history_copy { /* entries whose texts are owned */
	struct journal_entry *items;
	size_t n;
};
int history_keep(void *copy, const struct journal_entry *e);
void history_free(struct history_copy *h);

struct collected {
	struct audit_report report; /* points into the rest */
	struct pass_result result;
	struct records records;
	struct grants grants;
	struct overrides overrides;
	struct firewall_state network;
	bool network_seen;
	struct journal *journal;
	struct history_copy history;
	struct audit_server *servers;
	struct audit_grant *audit_grants;
	struct audit_session *sessions;
	struct audit_finding *findings;
	struct audit_proof *proofs;
	char **details; /* of sessions; owned */
	char **texts;	/* of findings; owned */
	size_t n_texts;
};
/* 0 or the exit code. Changes nothing anywhere. */
int collect(struct collected *out, struct cli *cli, const struct program *p,
	const struct client *client, instant_t now);
void collected_free(struct collected *c);

#endif
