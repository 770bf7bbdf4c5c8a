/* One round of changes: announce them, wait until they are recorded, send them, and report what came of each. Changes
 * of one phase go in one batch (visit_batch.c), unless one of them failed or needs a batch of its own. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "curfew/text.h"
#include "sql/session_settings.h"
#include "sql/statement.h"
#include "visit/visit.h"

/* Attempts for a statement that was a deadlock victim (1205) or met a lock (1222), for which it does not wait: three
 * seconds in all. */
#define MAX_ATTEMPTS 6
/* Changes that are announced and recorded together. */
#define CHUNK 256
/* What may wait, in smaller ones: the time is looked at before each. */
#define WAITING_CHUNK 32

int statement_insist(struct visit_run *run, struct sql_error *error, const char *text)
{
	for (int attempt = 1;; attempt++) {
		int rc = sql_session_run(run->session, error, text, NULL, NULL);
		if (rc == SQL_SERVER_ERROR)
			rc = changes_leave(run, rc);
		if (rc != SQL_SERVER_ERROR || attempt == MAX_ATTEMPTS ||
			(error->number != ERROR_DEADLOCK && error->number != ERROR_LOCK_TIMEOUT))
			return rc;
		pause_ms(50L << attempt);
	}
}

static int change_send(struct visit_run *run, struct sql_error *error, const struct change *c,
	const char *password)
{
	struct text statement;
	int rc = text_begin(&statement) ? 0 : -ENOMEM;

	if (!rc && change_identity(c->kind) != RUNS_AS_AGENT && !run->as_agent)
		statement_write_variables(statement.to);
	if (!rc)
		rc = change_write(statement.to, run, c, password);
	char *text = text_end(&statement);
	if (!text && !rc)
		rc = -ENOMEM;
	if (!rc)
		rc = statement_insist(run, error, text);
	if (text) {
		sodium_memzero(text, statement.size);
		free(text);
	}
	return rc;
}

static int change_run(struct visit_run *run, struct sql_error *error, const struct change *c)
{
	bool as_other = change_identity(c->kind) != RUNS_AS_AGENT && !run->as_agent;
	char *password = NULL;

	visit_ahead_forget(run);
	if (c->kind == CHANGE_LOGIN_CREATE && !(password = sql_password_new()))
		return -ENOMEM;
	int rc = change_send(run, error, c, password);
	/* The server has refused the batch for what it does not know, before any of it ran. */
	if (rc == SQL_SERVER_ERROR && as_other && run->as_agent)
		rc = change_send(run, error, c, password);
	/* Withhold an error text that repeats a secret of its statement. */
	if (rc && sql_password_is_told(error->text, password))
		snprintf(error->text, sizeof(error->text),
			"the server's message is withheld, because it contains a password");
	sodium_free(password);
	return rc;
}

/* Adds a claim on a login that this session has just created. */
static int login_claim(struct visit_run *run, const struct change *c)
{
	struct claim *items = reallocarray(run->claims.items, run->claims.n + 1, sizeof(*items));
	const struct wanted_login *l = wanted_find(&run->visit->wanted, c->login);

	if (!items || !l)
		return -ENOMEM;
	run->claims.items = items;
	/* The name in `wanted` lives longer than that in the change. */
	items[run->claims.n++] = (struct claim){
		.server = run->visit->server->name, .login = l->login, .made_now = true};
	return 0;
}

static int login_touch(struct touched *t, const char *login)
{
	char **more;

	for (size_t i = 0; i < t->n; i++)
		if (names_equal(t->logins[i], login))
			return 0;
	more = reallocarray(t->logins, t->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->logins = more;
	more[t->n] = strdup(login);
	return more[t->n] ? (t->n++, 0) : -ENOMEM;
}

/* What may wait has had a quarter of the time that this server's worker has: the rest is for what others get, for what is
 * verified, and for the report. */
static bool time_is_for_others(const struct visit_run *run)
{
	return monotonic_ms() - run->began >=
	       (int64_t)run->visit->program->settings.server_deadline * 1000 / 4;
}

/* A chunk of one round's changes. */
struct chunk {
	struct visit_run *run;
	bool late; /* what may wait is left to the next pass */
	size_t from, to;
	bool *finished; /* of all changes of the round */
	/* Of those that failed the first of each login, and of each database: they may be very many. */
	size_t *failures, n_failures;
	struct record *plans; /* of the chunk */
	bool *unwritable;
	bool apart; /* this server does not take several changes in one batch */
};

/* What failed for a login concerns all that is about that login, and otherwise all that is in that database. */
static bool is_of_same(const struct change *f, const struct change *c)
{
	return f->login ? c->login && names_equal(f->login, c->login)
			: c->database && f->database && names_equal(f->database, c->database);
}

static void failure_note(struct chunk *k, size_t i)
{
	const struct change *changes = k->run->difference.changes, *c = &changes[i];

	for (size_t m = 0; m < k->n_failures; m++) {
		const struct change *f = &changes[k->failures[m]];
		if (!f->login != !c->login || !is_of_same(f, c) ||
			(f->kind == CHANGE_LOGIN_CREATE) != (c->kind == CHANGE_LOGIN_CREATE))
			continue;
		if (i < k->failures[m])
			k->failures[m] = i;
		return;
	}
	if (c->login || c->database)
		k->failures[k->n_failures++] = i;
}

/* Skip a change that depends on one that failed in this round: grant nothing on top of a failure. */
static bool change_is_moot(const struct chunk *k, size_t i)
{
	const struct visit_run *run = k->run;
	const struct change *c = &run->difference.changes[i];

	/* Without a journal record, remove access but do not grant any. */
	if (run->unrecorded && (!change_closes(c->kind) || c->before_opening))
		return true;
	for (size_t m = 0; m < k->n_failures; m++) {
		const struct change *f = &run->difference.changes[k->failures[m]];
		/* Try to remove access whatever failed before, except for a login that could not be created. */
		if (k->failures[m] < i &&
			(!change_closes(c->kind) || f->kind == CHANGE_LOGIN_CREATE) &&
			is_of_same(f, c))
			return true;
	}
	return false;
}

static bool is_due(const struct chunk *k, const struct change *c)
{
	return pass_is_for(k->run->visit, c->client) && !(k->late && c->may_wait);
}

static int chunk_announce(struct chunk *k)
{
	struct visit_run *run = k->run;
	struct record intent;
	bool any = false;

	k->late = false;
	for (size_t i = k->from; i < k->to && !k->late; i++)
		k->late = run->difference.changes[i].may_wait && time_is_for_others(run);
	for (size_t i = k->from; i < k->to; i++) {
		const struct change *c = &run->difference.changes[i];
		k->unwritable[i - k->from] = change_record(&k->plans[i - k->from], run, c) != 0;
		if (is_due(k, c))
			worker_tell(run->worker, &k->plans[i - k->from]);
		any = any || is_due(k, c);
		run->waits = run->waits || (k->late && c->may_wait);
	}
	run->changed = run->changed || any;
	if (!any)
		return 0;
	record_of(&intent, run->visit, RECORD_INTENT, NULL, NULL, NULL);
	intent.intent.number = run->numbers;
	/* The server's clock for the login inventory: a login that is created within the deadline from now on is
	 * managed. */
	intent.intent.clock = instant_within(run->observed.clock);
	run->unrecorded = worker_ask(run->worker, &intent) != 0;
	return 0;
}

/* The user that the server would not make is there. If the next reading does not show it, it is hidden
 * (https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors). */
static int unseen_note(struct visit_run *run, const struct change *c, int rc, int number)
{
	enum { NAME_IS_TAKEN = 15023, LOGIN_HAS_USER = 15063 };
	const struct wanted_server *w = &run->visit->wanted;

	if (rc != SQL_SERVER_ERROR || (number != NAME_IS_TAKEN && number != LOGIN_HAS_USER) ||
		(c->kind != CHANGE_USER_CREATE && c->kind != CHANGE_USER_REMAP))
		return 0;
	for (size_t i = 0; i < w->n_grants; i++) {
		const struct grant *g = w->grants[i];
		if (!names_equal(g->user->login, c->login) ||
			!names_equal(g->database->name, c->database))
			continue;
		struct unseen_user one = {g->user->login, g->database->name};
		return ARRAY_ADD(run->unseen_users, run->n_unseen_users, one);
	}
	return 0;
}

/* Reports the outcome of one change. Negative: the session is lost. */
static int change_finish(
	struct chunk *k, size_t i, int rc, const struct sql_error *error, bool moot)
{
	struct visit_run *run = k->run;
	const struct change *c = &run->difference.changes[i];

	k->finished[i] = true;
	bool failed = rc || moot;
	if (failed)
		failure_note(k, i);
	run->failed = run->failed || failed;
	if (unseen_note(run, c, rc, error->number))
		return -ENOMEM;
	if (c->login && change_closes(c->kind) && login_touch(&run->touched, c->login))
		return -ENOMEM;
	if (!failed && c->kind == CHANGE_LOGIN_CREATE && login_claim(run, c))
		return -ENOMEM;
	struct record *plan = &k->plans[i - k->from];
	if (!doubt_keep(run, plan, rc, error))
		outcome_tell(run, plan, rc, error, moot);
	return rc < 0 && rc != -ENOTSUP ? rc : 0;
}

/* A batch holds changes of one phase: removals, what grants access, or the enabling of logins. */
static int phase_of(const struct visit_run *run, const struct change *c)
{
	if (c->kind == CHANGE_LOGIN_ENABLE)
		return 2;
	/* A login is disabled right after it is created: that belongs to its creation. */
	bool is_new =
		c->kind == CHANGE_LOGIN_DISABLE && !observed_find_login(&run->observed, c->login);
	return change_closes(c->kind) && !is_new ? 0 : 1;
}

/* The changes from i on that can be sent together. */
static size_t batch_choose(struct change_batch *b, size_t *numbers, const struct chunk *k, size_t i)
{
	const struct visit_run *run = k->run;
	const struct change *changes = run->difference.changes;
	size_t m = i;

	for (; m < k->to && phase_of(run, &changes[m]) == phase_of(run, &changes[i]); m++) {
		if (k->finished[m] || !is_due(k, &changes[m]))
			continue;
		if (k->unwritable[m - k->from] || change_is_moot(k, m))
			break;
		numbers[b->n] = m;
		b->changes[b->n++] = &changes[m];
	}
	b->last = m == run->difference.n_changes;
	return b->n;
}

/* Sends changes from i on in one batch, and reports those that were done. The first that was not is reported with the error
 * that the server returned for it; without one, or if a lock was in the way, it is left to be sent by itself. */
static int batch_run(struct chunk *k, struct sql_error *error, size_t i)
{
	_cleanup_free_ const struct change **changes = calloc(k->to - i, sizeof(*changes));
	_cleanup_free_ bool *done = calloc(k->to - i, sizeof(*done));
	_cleanup_free_ size_t *numbers = calloc(k->to - i, sizeof(*numbers));
	struct change_batch b = {.changes = changes, .done = done};

	if (!changes || !done || !numbers)
		return -ENOMEM;
	if (k->apart || batch_choose(&b, numbers, k, i) < 2)
		return 0;
	int rc = changes_send(&b, k->run, error);
	k->apart = rc && !b.number && b.n && !done[b.n - 1];
	struct sql_error none = {0}, said = {.number = b.number};
	record_set(said.text, sizeof(said.text), b.words);
	size_t behind = b.n; /* the last that was done */
	while (behind && !done[behind - 1])
		behind--;
	bool blocked = b.number == ERROR_DEADLOCK || b.number == ERROR_LOCK_TIMEOUT;
	int finished = 0;
	for (size_t m = 0; m < b.n && !finished; m++) {
		if (done[m])
			finished = change_finish(k, numbers[m], 0, &none, false);
		else if (m == behind && b.number && !blocked)
			finished = change_finish(k, numbers[m], SQL_SERVER_ERROR, &said, false);
	}
	if (finished)
		return finished;
	return rc < 0 && rc != -EBADMSG && rc != -EOVERFLOW ? rc : 0;
}

static int chunk_run(struct chunk *k, struct sql_error *error)
{
	struct visit_run *run = k->run;

	for (size_t i = k->from; i < k->to; i++) {
		const struct change *c = &run->difference.changes[i];
		if (k->finished[i] || !is_due(k, c))
			continue;
		*error = (struct sql_error){0};
		entered_note(run, NULL);
		int rc = batch_run(k, error, i);
		if (!rc && !k->finished[i]) {
			bool moot = change_is_moot(k, i);
			*error = (struct sql_error){0};
			entered_note(run, c->database);
			run->entered.any = c->database;
			rc = k->unwritable[i - k->from] ? -ENOTSUP
			     : moot			? 0
							: change_run(run, error, c);
			rc = change_finish(k, i, rc, error, moot);
		}
		entered_leave(run, rc);
		if (rc)
			return rc;
	}
	return 0;
}

int round_run(struct visit_run *run, struct sql_error *error)
{
	size_t n = run->difference.n_changes;
	_cleanup_free_ size_t *failures = calloc(n + 1, sizeof(*failures));
	_cleanup_free_ bool *finished = calloc(n + 1, sizeof(*finished));
	_cleanup_free_ bool *unwritable = calloc(CHUNK, sizeof(*unwritable));
	_cleanup_free_ struct record *plans = calloc(CHUNK, sizeof(*plans));
	struct chunk k = {.run = run,
		.failures = failures,
		.finished = finished,
		.unwritable = unwritable,
		.plans = plans,
		.apart = run->visit->apart};
	int rc = 0;

	if (!failures || !finished || !unwritable || !plans)
		return -ENOMEM;
	for (; k.to < n && !rc; k.from = k.to) {
		size_t size = run->difference.changes[k.from].may_wait ? WAITING_CHUNK : CHUNK;
		k.to = k.from + size < n ? k.from + size : n;
		rc = chunk_announce(&k);
		if (!rc)
			rc = chunk_run(&k, error);
	}
	return rc;
}
