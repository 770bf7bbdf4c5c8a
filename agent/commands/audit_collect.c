/* Collects what an audit shows: the records of a pass that only reads, the packet filter, the journal. */
#include <errno.h>
#include <string.h>

#include "commands/audit_collect.h"

static int events_read(struct journal_entries *out, struct journal *j, const char *action)
{
	const struct journal_filter f = {.kind = JOURNAL_EVENT, .action = action};

	return journal_read(j, &f, journal_entries_keep, out);
}

static int history_read(struct collected *c)
{
	const struct journal_filter f = {.client = c->report.client, .kind = -1};
	int rc = journal_read(c->context.journal, &f, journal_entries_keep, &c->history);

	if (!rc)
		rc = events_read(&c->handovers, c->context.journal, "handover");
	if (!rc)
		rc = events_read(&c->accepted, c->context.journal, AUDIT_ACCEPT);
	if (!rc)
		rc = events_read(&c->found, c->context.journal, AUDIT_FOUND);
	uint8_t hash[JOURNAL_HASH_SIZE];
	if (!rc)
		rc = journal_anchor(hash, &c->report.archived, c->context.journal);
	if (!rc)
		rc = journal_head(c->report.head_hash, &c->report.head, c->context.journal);
	c->report.history = c->history.items;
	c->report.n_history = c->history.n;
	return rc;
}

/* 0: one says what the other says, or says it anew. */
static int said_compare(const struct record *a, const struct record *b)
{
	int c = (int)a->kind - (int)b->kind;

	if (!c)
		c = strcmp(a->server, b->server);
	if (!c)
		c = strcmp(a->client, b->client);
	if (!c)
		c = strcmp(a->login, b->login);
	if (!c)
		c = strcmp(a->database, b->database);
	/* The last verification of an access is in place of the others. */
	if (c || a->kind != RECORD_FINDING)
		return c;
	c = strcmp(a->finding.name, b->finding.name);
	if (!c)
		c = strcmp(a->detail, b->detail);
	return c ? c : strcmp(a->finding.remedy, b->finding.remedy);
}

/* Of equal ones the last comes first. */
static int said_order(const void *a, const void *b)
{
	const struct record *x = *(const struct record *const *)a;
	const struct record *y = *(const struct record *const *)b;
	int c = said_compare(x, y);

	return c ? c : (x < y) - (x > y);
}

/* A visit that lost its session is run again and says again what it had found by then: of that only the last is kept. 0 or
 * -ENOMEM. */
static int records_once(struct records *records)
{
	_cleanup_free_ const struct record **said = calloc(records->n + 1, sizeof(*said));
	_cleanup_free_ bool *again = calloc(records->n + 1, sizeof(*again));
	size_t n = 0, kept = 0;

	if (!said || !again)
		return -ENOMEM;
	for (size_t i = 0; i < records->n; i++)
		if (records->items[i].kind == RECORD_FINDING ||
			records->items[i].kind == RECORD_VERIFICATION)
			said[n++] = &records->items[i];
	array_sort(said, n, sizeof(*said), said_order);
	for (size_t i = 1; i < n; i++)
		again[said[i] - records->items] = !said_compare(said[i - 1], said[i]);
	for (size_t i = 0; i < records->n; i++)
		if (!again[i])
			records->items[kept++] = records->items[i];
	records->n = kept;
	return 0;
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
	if (cli_pass(&result, cli, &o) || (x->journal && history_read(c)) ||
		records_once(&c->records))
		return EXIT_FAILED;
	const struct audit_input in = {.records = c->records.items,
		.n_records = c->records.n,
		.grants = &x->grants,
		.network = c->network_seen ? &c->network : NULL,
		.network_refused = c->context.cli->unprivileged,
		.handovers = &c->handovers,
		.accepted = &c->accepted,
		.found = &c->found};
	return audit_build(&c->report, &in) ? EXIT_FAILED : 0;
}

void collected_free(struct collected *c)
{
	lost_records_free(&c->report.lost);
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
