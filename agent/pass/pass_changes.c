/* Changes that a worker announces and makes: an intent is recorded before, and the outcome after. */
#include <errno.h>
#include <string.h>

#include "pass/pass_again.h"
#include "pass/pass_internal.h"

static const char *text_or_null(const char *text)
{
	return *text ? text : NULL;
}

struct journal_entry pass_record_entry(
	const struct pass *p, const struct record *r, enum journal_kind kind)
{
	struct journal_entry e = pass_entry(p, kind);

	e.client = text_or_null(r->client);
	e.login = text_or_null(r->login);
	e.server = text_or_null(r->server);
	e.database = text_or_null(r->database);
	e.detail = text_or_null(r->detail);
	return e;
}

/* The worker knows only configured users. For a former user, look up the client in the journal. NULL: none, or unknown;
 * the change does not wait for it. */
static char *former_client(const struct pass *p, const struct record *r)
{
	char *client = NULL;

	if (*r->login && !*r->client && p->o.journal)
		journal_client_of(
			&client, p->o.journal, r->server, r->login, text_or_null(r->database));
	return client;
}

/* Records the intent before the change is made. A failure shows when the worker asks for approval. */
void pass_plan_take(struct pass *p, struct server_work *w, const struct record *r)
{
	struct told_plan *plans;
	struct journal_entry e = pass_record_entry(p, r, JOURNAL_INTENT);

	e.action = change_name(r->change.kind);
	e.reason = text_or_null(r->change.reason);
	e.statement = text_or_null(r->change.statement);
	p->result.planned++;
	if (p->o.mode != PASS_APPLY && p->o.mode != PASS_HANDOVER)
		return;
	_cleanup_free_ char *client = former_client(p, r);
	if (client)
		e.client = client;
	plans = reallocarray(w->plans, w->n_plans + 1, sizeof(*plans));
	if (!plans) {
		p->journal_error = -ENOMEM;
		return;
	}
	w->plans = plans;
	plans[w->n_plans] = (struct told_plan){.number = r->change.number};
	if (r->change.kind == CHANGE_LOGIN_CREATE && !(plans[w->n_plans].login = strdup(r->login)))
		p->journal_error = -ENOMEM;
	if (!pass_journal_begin(p)) {
		int rc = journal_write(&plans[w->n_plans].id, p->o.journal, &e);
		if (rc)
			p->journal_error = rc;
	}
	w->n_plans++;
}

/* The worker asks whether everything that it announced is recorded. */
int pass_intent_take(struct pass *p, struct server_work *w, const struct record *r)
{
	/* Then the changes are on record with the outcome that they were left out. */
	const int unsaved = pass_time_save(p);
	int rc = pass_journal_begin(p);

	for (size_t i = 0; i < w->n_plans && !rc && !unsaved; i++) {
		if (!w->plans[i].login)
			continue;
		rc = pass_made_take(p, w, w->plans[i].login, r->intent.clock);
		if (!rc)
			rc = ledger_intend(
				p->o.journal, w->server->name, w->plans[i].login, r->intent.clock);
		free(w->plans[i].login);
		w->plans[i].login = NULL;
	}
	/* What was verified is on record before anybody is let in by it: it tells what a later instant has to close. */
	if (!rc)
		rc = pass_verified_save(p);
	if (!rc)
		rc = pass_journal_commit(p);
	if (!rc)
		return unsaved;
	/* Forget the announced changes. One that is made anyway gets a record of its own. */
	for (size_t i = 0; i < w->n_plans; i++)
		w->plans[i].id = 0;
	p->result.journal_failed = true;
	return rc;
}

void pass_outcome_take(struct pass *p, struct server_work *w, const struct record *r)
{
	struct journal_entry e = pass_record_entry(p, r, JOURNAL_OUTCOME);
	_cleanup_free_ char *client = former_client(p, r);

	w->unended |= r->change.kind == CHANGE_SESSION_KILL && r->code;
	if (client)
		e.client = client;
	for (size_t i = w->n_plans; i-- > 0;)
		if (w->plans[i].number == r->change.number) {
			e.intent = w->plans[i].id;
			w->plans[i].id = 0;
			break;
		}
	/* The intent has the statement and the reason. */
	e.action = change_name(r->change.kind);
	e.outcome = r->state == STATE_OK ? "done" : "failed";
	/* Removals that come first have no number, because they were not announced. */
	p->result.planned += r->change.number == 0;
	if (r->state == STATE_OK) {
		p->result.done++;
	} else {
		p->result.failed++;
		w->failed++;
	}
	if (!e.intent) {
		e.statement = text_or_null(r->change.statement);
		e.reason = text_or_null(r->change.reason);
	}
	if (pass_journal_write(p, &e))
		p->result.journal_failed = true;
	pass_refused_note(p, r);
}

/* Closes the intents of a dead worker, or of a lost session, with outcome "unknown". An open intent could never be
 * archived. */
void pass_unfinished_take(struct pass *p, struct server_work *w, const struct record *end)
{
	for (size_t i = 0; i < w->n_plans; i++) {
		struct journal_entry e = pass_record_entry(p, end, JOURNAL_OUTCOME);
		if (!w->plans[i].id)
			continue;
		e.intent = w->plans[i].id;
		e.outcome = "unknown";
		w->plans[i].id = 0;
		if (pass_journal_write(p, &e))
			p->result.journal_failed = true;
	}
}
