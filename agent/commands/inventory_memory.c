/* Reads and saves the inventory's samples and decisions in the journal. */
#include "commands/inventory_memory.h"
#include "curfew/client_samples.h"

#include <string.h>

int inventory_memory_open(struct inventory_memory *m, const struct cli *cli,
	const struct program *p, const struct client *c, bool write)
{
	int code = cli_journal(&m->journal, cli, p, write);
	int rc = m->journal ? client_samples_read(&m->samples, m->journal, p, c) : 0;

	if (!rc)
		return code;
	inventory_memory_close(m);
	return cli_fail(cli, EXIT_FAILED, "cannot read earlier samples and decisions: %s",
		journal_problem(rc));
}

static int place_decide(struct journal *j, const struct inventory *v, const char *server,
	const char *database, size_t *n)
{
	struct sample s;
	int rc = inventory_decisions(&s, v, server, database);

	if (rc)
		return rc;
	*n += s.n_decisions;
	rc = sample_decide(j, &s);
	inventory_sample_clear(&s);
	return rc;
}

static int all_decide(struct journal *j, const struct inventory *v, size_t *n)
{
	int rc = 0;

	/* Databases that were not read keep their decisions. */
	for (size_t i = 0; i < v->n_databases && !rc; i++)
		if (v->databases[i].read)
			rc = place_decide(
				j, v, v->databases[i].server, v->databases[i].database, n);
	for (size_t i = 0; i < v->n_coverage && !rc; i++)
		if (!*v->coverage[i].database && streq(v->coverage[i].part, "whole") &&
			v->coverage[i].seen == ANSWER_YES)
			rc = place_decide(j, v, v->coverage[i].server, "", n);
	return rc;
}

int inventory_memory_decide(struct inventory_memory *m, const struct cli *cli,
	const struct client *c, const struct inventory *v)
{
	char detail[128];
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = v->at,
		.actor = cli_actor(),
		.client = c->name,
		.action = "inventory-decisions",
		.outcome = "done",
		.detail = detail};
	size_t n = 0;
	int rc = journal_begin(m->journal);

	if (!rc) {
		rc = all_decide(m->journal, v, &n);
		snprintf(detail, sizeof(detail), "%zu decisions from %.60s", n,
			base_name(cli->decisions));
		if (!rc)
			rc = journal_write(NULL, m->journal, &e);
		rc = journal_end(m->journal, rc);
	}
	return rc ? cli_fail(cli, EXIT_FAILED, "cannot keep the decisions in the journal: %s",
			    journal_problem(rc))
		  : 0;
}

void inventory_memory_close(struct inventory_memory *m)
{
	samples_free(&m->samples);
	journal_close(m->journal);
	*m = (struct inventory_memory){0};
}
