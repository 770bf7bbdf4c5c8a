/* Gathers what an audit shows: the records of one observing pass, the packet filter, the journal. */
#include <string.h>

#include "commands/audit_collect.h"

static int handover_keep(void *handovers, const struct journal_entry *e)
{
	return e->action && streq(e->action, "handover") ? journal_entries_keep(handovers, e) : 0;
}

static int history_read(struct collected *c)
{
	const struct journal_filter f = {.client = c->report.client, .kind = -1},
				    events = {.kind = JOURNAL_EVENT};
	int rc = journal_read(c->journal, &f, journal_entries_keep, &c->history);

	if (!rc)
		rc = journal_read(c->journal, &events, handover_keep, &c->handovers);
	if (!rc)
		rc = journal_head(c->report.head_hash, &c->report.head, c->journal);
	c->report.history = c->history.items;
	c->report.n_history = c->history.n;
	return rc;
}

int collect(struct collected *c, struct cli *cli, const struct program *p,
	const struct client *client, instant_t now)
{
	struct network network = {0};

	*c = (struct collected){0};
	c->report = (struct audit_report){.at = now,
		.zone = client ? client->timezone : p->settings.timezone,
		.client = client ? client->name : NULL,
		.program = p,
		.overrides = &c->overrides};
	int code = cli_journal(&c->journal, cli, p, false);
	if (!code)
		code = cli_overrides(&c->overrides, cli, c->journal);
	if (!code && schedule_at(&c->grants, p, &c->overrides, now))
		code = EXIT_FAILED;
	if (code)
		return code;
	if (!cli_network_beside(&network, cli, p) && network.present)
		c->network_seen = !firewall_observe(&c->network, network.firewall, now);
	network_close(&network);
	struct pass_options o = {
		.mode = PASS_AUDIT,
		.program = p,
		.overrides = &c->overrides,
		.journal = c->journal,
		.now = now,
		.client = c->report.client,
		.sink = records_keep,
		.context = &c->records,
	};
	struct pass_result result;
	if (cli_pass(&result, cli, &o) || (c->journal && history_read(c)))
		return EXIT_FAILED;
	const struct audit_input in = {.records = c->records.items,
		.n_records = c->records.n,
		.grants = &c->grants,
		.network = c->network_seen ? &c->network : NULL,
		.handovers = &c->handovers};
	return audit_build(&c->report, &in) ? EXIT_FAILED : 0;
}

void collected_free(struct collected *c)
{
	audit_free(&c->report);
	journal_entries_free(&c->history);
	journal_entries_free(&c->handovers);
	firewall_state_free(&c->network);
	records_free(&c->records);
	grants_free(&c->grants);
	overrides_free(&c->overrides);
	journal_close(c->journal);
	*c = (struct collected){0};
}
