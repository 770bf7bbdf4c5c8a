/* curfew audit --from --to: everybody who had access between two times, from the journal and its archives. */
#include "commands/audit_population.h"

#include <errno.h>
#include <string.h>

#include "commands/former_clients.h"
#include "commands/past_records.h"
#include "curfew/calendar.h"
#include "curfew/clock_resets.h"
#include "curfew/population.h"
#include "curfew/report.h"

static int write_html(const struct cli *cli, const struct population *p, const char *zone)
{
	FILE *to = cli_output(cli, cli->html);

	if (!to)
		return EXIT_FAILED;
	int rc = population_html(p, zone, to);
	if (to != stdout && fclose(to))
		rc = -EIO;
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot write %s: %s", cli->html, strerror(-rc)) : 0;
}

static int show(const struct cli *cli, const struct population *p, const char *zone)
{
	int code = cli->html ? write_html(cli, p, zone) : 0;

	if (code || (cli->html && !cli->json && !cli->csv))
		return code;
	if (cli->json)
		return json_print(population_json(p), stdout) ? EXIT_FAILED : 0;
	return population_print(p, cli->csv, stdout) ? EXIT_FAILED : 0;
}

static int times_read(struct population *p, struct context *c)
{
	const struct cli *cli = c->cli;
	const char *zone = cli_zone(cli, c->program);
	int code = cli_now(&p->at, cli, c->program, NULL);

	p->to = p->at;
	if (!code && !cli->from)
		code = cli_fail(cli, EXIT_USAGE, "--to needs --from: access between two times");
	if (!code)
		code = cli_instant(&p->from, cli, "from", cli->from, zone);
	if (!code && cli->to)
		code = cli_instant(&p->to, cli, "to", cli->to, zone);
	if (!code && p->from >= p->to)
		code = cli_fail(cli, EXIT_USAGE, "--from '%s' must be before --to '%s'", cli->from,
			cli->to ? cli->to : "now");
	return code;
}

/* Access before the first record is unknown: without a row nobody can say that there was none. */
static int begin_check(struct population *p, const struct cli *cli, struct journal *j,
	const struct journal_entries *h)
{
	uint8_t hash[JOURNAL_HASH_SIZE];
	char begins[INSTANT_TEXT_MAX];
	struct journal *of = j;
	int64_t before = 0;
	instant_t last;

	for (size_t i = 0; i < h->n; i++)
		if (!p->begins || h->items[i].at < p->begins)
			p->begins = h->items[i].at;
	int code = past_journal(&of, cli, j, p->from);
	if (code)
		return code;
	int rc = journal_anchor(hash, &before, of);
	if (!rc && !before)
		rc = journal_bounds(&p->first, &last, of);
	if (of != j)
		journal_close(of);
	if (rc && rc != -ENOENT)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	p->unrecorded = rc == -ENOENT || (!before && p->first > p->from);
	if (rc == -ENOENT)
		cli_fail(cli, 0, "warning: the journal has no records");
	else if (p->unrecorded)
		cli_fail(cli, 0,
			"warning: the journal begins at %s; earlier access is not recorded",
			instant_format(begins, p->first));
	return 0;
}

/* Nobody knows who will have had access. Practice may record future times. */
static int future_check(struct population *p, const struct cli *cli, struct journal *j)
{
	char text[INSTANT_TEXT_MAX];
	instant_t first, known = p->at, last = p->at;
	int rc = journal_bounds(&first, &last, j);

	if (rc && rc != -ENOENT)
		return cli_fail(cli, EXIT_FAILED, "%s", journal_problem(rc));
	if (!rc && p->practice && last > known)
		known = last;
	if (p->from > known)
		return cli_fail(cli, EXIT_USAGE,
			"%s is in the future; for scheduled access, run `curfew schedule --at %s`",
			instant_format(text, p->from), cli->from);
	if (p->to > known) {
		cli_fail(cli, 0, "warning: --to is in the future; showing access until %s",
			instant_format(text, known));
		p->to = known;
	}
	return 0;
}

static int client_check(
	const struct cli *cli, const struct context *c, const struct journal_entries *h)
{
	const struct client *client;

	if (!cli->n_operands || program_client(c->program, cli->operands[0]))
		return 0;
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].client && names_equal(h->items[i].client, cli->operands[0]))
			return 0;
	return cli_client(&client, cli, c->program);
}

struct population_read {
	struct journal_entries access, proofs, events;
};

static int read_kind(struct journal_entries *out, const struct context *c, enum journal_kind kind,
	instant_t from)
{
	const struct journal_filter f = {.kind = (int)kind};

	return past_read(out, c->cli, c->journal, &f, from);
}

/* What a clock recorded that was ahead by mistake says of no time what was there; practice may record future times. */
static int refuted_drop(struct population_read *r)
{
	struct clock_resets resets;

	if (clock_resets_find(&resets, &r->events))
		return EXIT_FAILED;
	clock_resets_drop(&r->access, &resets);
	clock_resets_drop(&r->proofs, &resets);
	clock_resets_drop(&r->events, &resets);
	free(resets.items);
	return 0;
}

/* Which other clients had a database of this one in that period. 0 or exit code. */
static int formers_find(
	struct population *p, const struct context *c, const struct population_records *records)
{
	struct population all = {
		.from = p->from, .to = p->to, .at = p->at, .practice = p->practice};

	if (!p->client)
		return 0;
	if (population_make(&all, records))
		return EXIT_FAILED;
	p->former = calloc(all.n + 1, sizeof(*p->former));
	for (size_t i = 0; p->former && i < all.n; i++)
		p->former[i] = all.items[i].last;
	if (p->former)
		p->n_former = former_clients_tell(c->cli, c->program, p->former, all.n);
	population_free(&all);
	return p->former ? 0 : EXIT_FAILED;
}

static int population(struct population *p, struct context *c, struct population_read *r)
{
	const struct population_records records = {&r->access, &r->proofs, &r->events, c->program};
	struct cli *cli = c->cli;
	int code = future_check(p, cli, c->journal);

	if (!code)
		code = read_kind(&r->access, c, JOURNAL_ACCESS, p->from);
	if (!code)
		code = past_lost(&p->lost, cli, c->journal, p->from, p->to);
	if (!code)
		code = read_kind(&r->proofs, c, JOURNAL_PROOF, p->from);
	if (!code)
		code = read_kind(&r->events, c, JOURNAL_EVENT, p->from);
	if (!code && !p->practice)
		code = refuted_drop(r);
	if (!code)
		code = client_check(cli, c, &r->access);
	if (!code)
		code = begin_check(p, cli, c->journal, &r->access);
	if (!code &&
		(journal_head(p->head_hash, &p->head, c->journal) || population_make(p, &records)))
		code = EXIT_FAILED;
	if (!code)
		code = formers_find(p, c, &records);
	return code;
}

int audit_population(struct cli *cli)
{
	struct population_read read = {0};
	struct population p = {.client = cli->n_operands ? cli->operands[0] : NULL};
	struct context c;
	int code = context_open(&c, cli, 0);

	if (!code)
		code = times_read(&p, &c);
	if (!code)
		code = cli_journal_required(&c.journal, cli, c.program);
	if (!code) {
		p.practice = c.program->settings.practice;
		code = population(&p, &c, &read);
	}
	if (!code)
		code = show(cli, &p, cli_zone(cli, c.program));
	if (!code && (population_is_late(&p) || p.lost.n || p.unrecorded || p.n_former))
		code = EXIT_DIFFERENT;
	population_free(&p);
	journal_entries_free(&read.access);
	journal_entries_free(&read.proofs);
	journal_entries_free(&read.events);
	context_close(&c);
	return code;
}
