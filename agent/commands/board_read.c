/* Reads the journal for the board. */
#include "commands/board_read.h"
#include "curfew/client_samples.h"

#include <errno.h>
#include <string.h>

static int access_found(void *context, const struct journal_entry *e)
{
	*(bool *)context |= e->level && !streq(e->level, level_name(LEVEL_NONE));
	return 0;
}

static int progress_add(struct board_card *card, const struct context *c)
{
	struct samples samples = {0};
	int rc = client_tallies_read(&samples, c->journal, c->program, card->client);

	if (!rc)
		rc = progress_make(&card->progress, &samples, NULL);
	samples_free(&samples);
	return rc;
}

static int journal_fail(const struct cli *cli, int rc)
{
	return cli_fail(cli, EXIT_FAILED, "cannot read the journal: %s", journal_problem(rc));
}

int board_read(struct board *out, const struct context *c)
{
	const struct program *p = c->program;
	_cleanup_free_ bool *accounts = calloc(p->n_clients + 1, sizeof(*accounts));
	size_t kept = 0;

	for (size_t i = 0; accounts && c->journal && i < p->n_clients; i++) {
		const struct journal_filter f = {
			.client = p->clients[i].name, .kind = JOURNAL_ACCESS};

		/* If the journal cannot be read, accounts are unknown. */
		if (!p->clients[i].has_milestones || (c->client && c->client != &p->clients[i]))
			continue;
		int rc = journal_read(c->journal, &f, access_found, &accounts[i]);
		if (rc)
			return journal_fail(c->cli, rc);
	}
	if (!accounts || board_make(out, p, &c->grants, &c->overrides, accounts, c->now))
		return cli_fail(c->cli, EXIT_FAILED, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < out->n && c->client; i++)
		if (out->cards[i].client == c->client)
			out->cards[kept++] = out->cards[i];
	out->n = c->client ? kept : out->n;
	for (size_t i = 0; i < out->n && c->journal; i++) {
		int rc = progress_add(&out->cards[i], c);
		if (rc)
			return journal_fail(c->cli, rc);
	}
	return 0;
}
