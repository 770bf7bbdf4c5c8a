/* curfew audit --from --to: everybody who had access between two times, from the journal and its archives. */
#include "commands/audit_population.h"

#include <errno.h>
#include <string.h>

#include "commands/past_records.h"
#include "curfew/calendar.h"
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
	const char *zone = c->program->settings.timezone;
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

/* Access before the first record is unknown; warn about it. */
static int begin_check(struct population *p, const struct cli *cli, const struct journal_entries *h)
{
	char begins[INSTANT_TEXT_MAX];

	for (size_t i = 0; i < h->n; i++)
		if (!p->begins || h->items[i].at < p->begins)
			p->begins = h->items[i].at;
	if (p->begins > p->from)
		cli_fail(cli, 0,
			"warning: the first record of access is of %s; earlier access is not recorded",
			instant_format(begins, p->begins));
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

static int population(struct population *p, struct context *c, struct journal_entries *access,
	struct journal_entries *proofs)
{
	const struct journal_filter accesses = {.kind = JOURNAL_ACCESS},
				    verifications = {.kind = JOURNAL_PROOF};
	struct cli *cli = c->cli;
	int code = past_read(access, cli, c->journal, &accesses, p->from);

	if (!code)
		code = past_read(proofs, cli, c->journal, &verifications, p->from);
	if (!code)
		code = client_check(cli, c, access);
	if (!code)
		code = begin_check(p, cli, access);
	if (!code && (journal_head(p->head_hash, &p->head, c->journal) ||
			     population_make(p, access, proofs)))
		code = EXIT_FAILED;
	return code;
}

int audit_population(struct cli *cli)
{
	struct journal_entries access = {0}, proofs = {0};
	struct population p = {.client = cli->n_operands ? cli->operands[0] : NULL};
	struct context c;
	int code = context_open(&c, cli, 0);

	if (!code)
		code = times_read(&p, &c);
	if (!code)
		code = cli_journal_required(&c.journal, cli, c.program);
	if (!code) {
		p.practice = c.program->settings.practice;
		code = population(&p, &c, &access, &proofs);
	}
	if (!code)
		code = show(cli, &p, c.program->settings.timezone);
	if (!code && population_is_late(&p))
		code = EXIT_DIFFERENT;
	population_free(&p);
	journal_entries_free(&access);
	journal_entries_free(&proofs);
	context_close(&c);
	return code;
}
