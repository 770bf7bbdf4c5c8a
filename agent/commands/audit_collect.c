/* Collects what an audit shows: the records of a pass that only reads, the packet filter, the journal. */
#include <string.h>

#include "commands/audit_collect.h"

static int handover_keep(void *handovers, const struct journal_entry *e)
{
	return e->action && streq(e->action, "handover") ? journal_entries_keep(handovers, e) : 0;
}

static int accepted_keep(void *accepted, const struct journal_entry *e)
{
	return e->action && streq(e->action, AUDIT_ACCEPT) ? journal_entries_keep(accepted, e) : 0;
}

static int found_keep(void *found, const struct journal_entry *e)
{
	return e->action && streq(e->action, AUDIT_FOUND) ? journal_entries_keep(found, e) : 0;
}

static int history_read(struct collected *c)
{
	const struct journal_filter f = {.client = c->report.client, .kind = -1},
				    events = {.kind = JOURNAL_EVENT};
	int rc = journal_read(c->context.journal, &f, journal_entries_keep, &c->history);

	if (!rc)
		rc = journal_read(c->context.journal, &events, handover_keep, &c->handovers);
	if (!rc)
		rc = journal_read(c->context.journal, &events, accepted_keep, &c->accepted);
	if (!rc)
		rc = journal_read(c->context.journal, &events, found_keep, &c->found);
	if (!rc)
		rc = journal_head(c->report.head_hash, &c->report.head, c->context.journal);
	c->report.history = c->history.items;
	c->report.n_history = c->history.n;
	return rc;
}

int collect(struct collected *c, struct cli *cli)
{
	struct network network = {0};
	struct context *x = &c->context;

	*c = (struct collected){0};
	int code = context_open(x, cli, CONTEXT_LOADED | CONTEXT_CLIENT);
	if (!code && cli->at && !x->program->settings.practice)
		code = cli_fail(cli, EXIT_USAGE,
			"--at is not allowed; to test with another time, set `practice = true;`");
	if (!code)
		code = context_state(x, false);
	if (code)
		return code;
	c->report = (struct audit_report){.at = x->now,
		.zone = x->client ? x->client->timezone : x->program->settings.timezone,
		.client = x->client ? x->client->name : NULL,
		.program = x->program,
		.overrides = &x->overrides};
	if (cli->since)
		code = cli_instant(&c->report.since, cli, "since", cli->since, c->report.zone);
	if (code)
		return code;
	if (!cli_network_beside(&network, cli, x->program) && network.present)
		c->network_seen = !firewall_observe(&c->network, network.firewall, x->now);
	network_close(&network);
	struct pass_options o = {
		.mode = PASS_AUDIT,
		.program = x->program,
		.overrides = &x->overrides,
		.journal = x->journal,
		.now = x->now,
		.client = c->report.client,
		.sink = records_keep,
		.context = &c->records,
	};
	struct pass_result result;
	if (cli_pass(&result, cli, &o) || (x->journal && history_read(c)))
		return EXIT_FAILED;
	const struct audit_input in = {.records = c->records.items,
		.n_records = c->records.n,
		.grants = &x->grants,
		.network = c->network_seen ? &c->network : NULL,
		.handovers = &c->handovers,
		.accepted = &c->accepted,
		.found = &c->found};
	return audit_build(&c->report, &in) ? EXIT_FAILED : 0;
}

void collected_free(struct collected *c)
{
	audit_free(&c->report);
	journal_entries_free(&c->history);
	journal_entries_free(&c->handovers);
	journal_entries_free(&c->accepted);
	journal_entries_free(&c->found);
	firewall_state_free(&c->network);
	records_free(&c->records);
	context_close(&c->context);
	*c = (struct collected){0};
}
