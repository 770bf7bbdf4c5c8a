/* Changes of the packet filter in the journal: intents, outcomes, and removals that were made before they were recorded. */
#include <errno.h>
#include <string.h>

#include "curfew/comment.h"
#include "curfew/text.h"
#include "pass/pass_internal.h"

static bool change_concerns(const struct firewall_change *c, const struct grant *g)
{
	bool source = false, endpoint = false;

	for (size_t i = 0; i < g->user->n_sources && !source; i++)
		source = !source_compare(&g->user->sources[i], &c->source);
	for (size_t i = 0; i < g->server->n_endpoints && !endpoint; i++)
		endpoint = !endpoint_compare(&g->server->endpoints[i], &c->endpoint);
	return source && endpoint && g->phase != PHASE_PENDING &&
	       (g->level != LEVEL_NONE || c->kind == FIREWALL_ALLOW_REMOVE);
}

/* The full text of a cut comment: its complete names, and the other users of the entry by the schedule. NULL without
 * memory. */
static char *names_text(const struct pass *p, const struct firewall_change *c)
{
	char whole[ALLOW_COMMENT_MAX + 1];
	struct text text;
	size_t n = 0;

	if (!text_begin(&text))
		return NULL;
	for (const char *at = c->comment; (at = strstr(at, ", ")); at++)
		n = (size_t)(at - c->comment);
	snprintf(whole, sizeof(whole), "%.*s", (int)n, c->comment);
	fputs(whole, text.to);
	const struct user *last = NULL;
	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];
		if (g->user == last || !change_concerns(c, g) ||
			comment_names(whole, g->client->name, g->user->login))
			continue;
		fprintf(text.to, "%s%s/%s", n++ ? ", " : "", g->client->name, g->user->login);
		last = g->user;
	}
	return text_end(&text);
}

static int change_journal(
	struct pass *p, struct journal_entry *e, const struct firewall_change *c, int64_t *id)
{
	_cleanup_free_ char *full = comment_is_cut(c->comment) ? names_text(p, c) : NULL;
	_cleanup_free_ char *client = NULL, *login = NULL;
	const char *names = full ? full : c->comment;
	char text[NETWORK_TEXT_MAX];
	int rc = comment_only(&client, &login, names);

	if (rc)
		return rc;
	e->server = PASS_NETWORK;
	e->action = firewall_change_name(c->kind);
	e->statement = network_text(text, c->kind, &c->source, &c->endpoint);
	e->client = client;
	e->login = login;
	if (!e->detail && *names)
		e->detail = names;
	e->until = c->until;
	return id ? journal_write(id, p->o.journal, e) : pass_journal_write(p, e);
}

/* Sets ids[i] to the record of each intent that was written. */
int pass_intents_journal(struct pass *p, const struct firewall_changes *c, int64_t *ids)
{
	int error = c->n ? pass_journal_begin(p) : 0;

	for (size_t i = 0; i < c->n && !error; i++) {
		struct journal_entry e = pass_entry(p, JOURNAL_INTENT);
		e.reason = p->o.reason;
		error = change_journal(p, &e, &c->items[i], &ids[i]);
	}
	return error;
}

static int outcome_journal(struct pass *p, const struct firewall_change *c, int64_t intent,
	const char *outcome, const char *detail)
{
	struct journal_entry e = pass_entry(p, JOURNAL_OUTCOME);

	e.intent = intent;
	e.outcome = outcome;
	e.detail = detail;
	return change_journal(p, &e, c, NULL);
}

/* What is written is kept in memory too until it is committed, to be recorded later if that fails: of a list of 60,000
 * changes that was half of this process's memory. Each outcome stands for itself. */
#define OUTCOMES_AT_ONCE 8192

static void outcomes_settle(struct pass *p)
{
	if (p->n_batch >= OUTCOMES_AT_ONCE)
		pass_journal_commit(p);
}

/* Writes the outcome of every intent. A change that was needed because another program changed the table has no intent.
 * */
void pass_outcomes_journal(struct pass *p, const struct firewall_changes *planned, int64_t *ids,
	const struct firewall_changes *done, int rc)
{
	int error = 0;

	for (size_t i = 0; i < done->n; i++) {
		const struct firewall_change *c = &done->items[i], *intent = NULL;
		int64_t *id = NULL;

		if (planned->n)
			intent = bsearch(c, planned->items, planned->n, sizeof(*planned->items),
				firewall_change_compare);
		if (intent)
			id = &ids[intent - planned->items];
		bool made = !rc || rc == FIREWALL_UNCONFIRMED;
		outcomes_settle(p);
		int failed = outcome_journal(p, c, id ? *id : 0, made ? "done" : "failed", NULL);
		error = error ? error : failed;
		if (id)
			*id = 0;
	}
	const char *why = rc == -ECANCELED ? "skipped: the schedule changed during the pass"
			  : rc == FIREWALL_UNCONFIRMED ? "the firewall process cannot confirm it"
			  : rc			       ? "cannot change the packet filter"
						       : "nothing left to change";
	/* After an error too: what cannot be recorded is kept to be recorded later. */
	for (size_t i = 0; i < planned->n; i++)
		if (ids[i]) {
			outcomes_settle(p);
			int failed = outcome_journal(
				p, &planned->items[i], ids[i], rc ? "failed" : "done", why);
			error = error ? error : failed;
		}
}

void pass_record_network(struct pass *p)
{
	struct network_closed c = p->closed;

	p->closed = (struct network_closed){0};
	if (!c.waits)
		return;
	/* A process that locks the journal must not keep access open. */
	int patience = journal_patience(p->o.journal, CLOSING_PATIENCE);
	_cleanup_free_ int64_t *ids = calloc(c.planned.n + 1, sizeof(*ids));
	int rc = ids ? pass_intents_journal(p, &c.planned, ids) : -ENOMEM;
	if (rc && c.planned.n)
		p->result.journal_failed = true;
	/* What could not be announced gets its own record. */
	for (size_t i = 0; rc && ids && i < c.planned.n; i++)
		ids[i] = 0;
	if (ids)
		pass_outcomes_journal(p, &c.planned, ids, &c.done, c.result);
	if (pass_journal_commit(p) && c.planned.n)
		p->result.journal_failed = true;
	journal_patience(p->o.journal, patience);
	firewall_changes_free(&c.planned);
	firewall_changes_free(&c.done);
}
