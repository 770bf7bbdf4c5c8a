/* What a pass tells: its reports, why it grants nothing, the entries of its journal records, and the journal batch that
 * they are written in. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "pass/pass_internal.h"

void pass_tell(struct pass *p, const struct record *r)
{
	if (p->o.sink)
		p->o.sink(p->o.context, r);
}

void pass_hold(struct pass *p, const char *format, ...)
{
	va_list args;

	if (p->hold[0])
		return;
	va_start(args, format);
	vsnprintf(p->hold, sizeof(p->hold), format, args);
	va_end(args);
}

int pass_journal_begin(struct pass *p)
{
	if (!p->o.journal)
		return -ENODEV;
	/* A read-only pass may run beside one that writes to the same journal. It must not open a batch, which would
	 * block the other. */
	if (p->o.mode != PASS_APPLY && p->o.mode != PASS_HANDOVER)
		return -EROFS;
	if (!p->in_journal && !p->journal_error) {
		p->journal_error = journal_begin(p->o.journal);
		p->in_journal = !p->journal_error;
	}
	return p->journal_error;
}

static void batch_clear(struct pass *p, bool lost)
{
	for (size_t i = 0; i < p->n_batch; i++) {
		if (lost)
			p->o.unrecorded(p->o.context, &p->batch[i]);
		journal_entry_free(&p->batch[i]);
	}
	free(p->batch);
	p->batch = NULL;
	p->n_batch = 0;
}

int pass_journal_commit(struct pass *p)
{
	if (!p->in_journal)
		return p->journal_error;
	p->in_journal = false;
	int rc = journal_commit(p->o.journal);
	batch_clear(p, rc != 0);
	if (rc && !p->journal_error)
		p->journal_error = rc;
	return p->journal_error;
}

void pass_journal_drop(struct pass *p)
{
	if (p->in_journal)
		journal_rollback(p->o.journal);
	p->in_journal = false;
	batch_clear(p, true);
}

static int batch_keep(struct pass *p, const struct journal_entry *e)
{
	struct journal_entry copy;
	int rc = journal_entry_copy(&copy, e);

	if (rc)
		return rc;
	rc = ARRAY_ADD(p->batch, p->n_batch, copy);
	if (rc)
		journal_entry_free(&copy);
	return rc;
}

int pass_journal_write(struct pass *p, const struct journal_entry *e)
{
	int rc = pass_journal_begin(p);

	if (rc && p->o.unrecorded)
		p->o.unrecorded(p->o.context, e);
	if (!rc)
		rc = journal_write(NULL, p->o.journal, e);
	/* The entry lives or is lost with its batch. */
	if (p->in_journal && p->o.unrecorded)
		batch_keep(p, e);
	return rc;
}

/* Never before the instant that the pass is for; and seen, so that no later pass of this process begins before it, even if
 * the system clock is set back. */
instant_t pass_written_at(const struct pass *p)
{
	instant_t at = p->o.now;

	if (!p->o.clock)
		return at;
	clock_now(&at, NULL, p->o.clock);
	clock_see(p->o.clock, at);
	return at > p->o.now ? at : p->o.now;
}

int pass_time_save(struct pass *p)
{
	if (!p->o.clock || p->o.clock->saved >= p->o.now)
		return 0;
	clock_see(p->o.clock, p->o.now);
	int rc = clock_save(p->o.clock);
	if (rc)
		p->result.time_failed = true;
	return rc;
}

struct journal_entry pass_entry(const struct pass *p, enum journal_kind kind)
{
	return (struct journal_entry){
		.kind = kind,
		.at = pass_written_at(p),
		.actor = p->o.actor,
		.configuration = p->o.program->digest,
	};
}

struct journal_entry pass_access_entry(const struct pass *p, const struct grant *g)
{
	struct journal_entry e = pass_entry(p, JOURNAL_ACCESS);

	e.client = g->client->name;
	e.login = g->user->login;
	e.server = g->server->name;
	e.database = g->database->name;
	e.phase = phase_name(g->phase);
	return e;
}
