/* Makes changes in rounds: announce, wait for the journal, run, observe again, until no change is left. A change counts
 * as done when the next observation no longer asks for it, whatever its error number was. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "sql/residual.h"
#include "sql/statement.h"
#include "curfew/text.h"

/* Rounds: one to create, one to enable, and some for sessions that end slowly. */
#define MAX_ROUNDS 8
/* Attempts for a statement that was a deadlock victim (1205) or timed out on a lock (1222). */
#define MAX_ATTEMPTS 4
/* Changes that are announced and recorded together. */
#define CHUNK 32

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static int change_write(
	FILE *to, const struct visit_run *run, const struct change *c, const char *password)
{
	const struct observed_database *d =
		c->database ? observed_find_database(&run->observed, c->database) : NULL;
	int rc = d ? statement_write_guard(to, d) : 0;

	return rc ? rc : sql_write_change(to, c, password);
}

static int change_run(struct visit_run *run, struct sql_error *error, const struct change *c)
{
	char *password = NULL;
	struct text statement;

	if (c->kind == CHANGE_LOGIN_CREATE && !(password = sql_password_new()))
		return -ENOMEM;
	int rc = text_begin(&statement) ? change_write(statement.to, run, c, password) : -ENOMEM;
	char *text = text_end(&statement);
	if (!text && !rc)
		rc = -ENOMEM;
	for (int attempt = 1; !rc && attempt <= MAX_ATTEMPTS; attempt++) {
		rc = sql_session_run(run->session, error, text, NULL, NULL);
		if (rc != SQL_SERVER_ERROR || (error->number != 1205 && error->number != 1222) ||
			attempt == MAX_ATTEMPTS)
			break;
		pause_ms(50L << attempt);
		rc = 0;
	}
	/* A transaction that the server aborted leaves XACT_ABORT on. */
	if (rc == SQL_SERVER_ERROR && (c->kind == CHANGE_OWNER || c->n_regrants)) {
		struct sql_error ignored;
		int lost = sql_session_run(run->session, &ignored,
			"IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\nSET XACT_ABORT OFF;\n", NULL,
			NULL);
		rc = lost < 0 ? lost : rc;
	}
	/* Withhold an error text that repeats a secret of its statement. */
	if (rc && password && strstr(error->text, password))
		snprintf(error->text, sizeof(error->text),
			"the server's message is withheld, because it contains a password");
	if (text) {
		sodium_memzero(text, statement.size);
		free(text);
	}
	sodium_free(password);
	return rc;
}

/* Skip a change that depends on one that failed in this round: grant nothing on top of a failure. */
static bool change_is_moot(const struct visit_run *run, const bool *failed, size_t i)
{
	const struct change *c = &run->difference.changes[i];

	/* Without a journal record, remove access but do not grant any. */
	if (run->unrecorded && !change_closes(c->kind))
		return true;
	for (size_t k = 0; k < i; k++) {
		const struct change *f = &run->difference.changes[k];
		/* Try to remove access whatever failed before, except for a login that could not be created. */
		if (!failed[k] || (change_closes(c->kind) && f->kind != CHANGE_LOGIN_CREATE))
			continue;
		if (f->login ? c->login && names_equal(f->login, c->login)
			     : c->database && f->database && names_equal(f->database, c->database))
			return true;
	}
	return false;
}

void outcome_tell(const struct visit_run *run, struct record *r, int rc,
	const struct sql_error *error, bool moot)
{
	r->kind = RECORD_OUTCOME;
	r->code = rc == SQL_SERVER_ERROR ? error->number : rc;
	r->state = rc || moot ? STATE_DRIFT : STATE_OK;
	if (moot)
		RECORD_SET(r, detail,
			run->unrecorded ? "skipped: cannot write the journal"
					: "skipped: an earlier change failed");
	else if (rc == -ENOTSUP)
		RECORD_SET(r, detail, "unsupported object type; a DBA must make this change");
	else if (rc)
		RECORD_PRINTF(r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, r);
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

/* One round: announce a chunk, wait until it is recorded, run it. Negative: the session is lost. */
static int round_run(struct visit_run *run, struct sql_error *error)
{
	size_t n = run->difference.n_changes;
	_cleanup_free_ bool *failed = calloc(n + 1, sizeof(*failed));
	_cleanup_free_ struct record *plans = calloc(CHUNK, sizeof(*plans));

	if (!failed || !plans)
		return -ENOMEM;
	for (size_t from = 0; from < n; from += CHUNK) {
		size_t to = from + CHUNK < n ? from + CHUNK : n;
		int unwritable[CHUNK];
		for (size_t i = from; i < to; i++) {
			const struct change *c = &run->difference.changes[i];
			unwritable[i - from] = change_record(&plans[i - from], run, c);
			if (pass_is_for(run->visit, c->client))
				worker_tell(run->worker, &plans[i - from]);
		}
		struct record intent;
		record_of(&intent, run->visit, RECORD_INTENT, NULL, NULL, NULL);
		intent.intent.number = run->numbers;
		/* The server's clock for the login inventory: a login that is created within the deadline from now on
		 * is managed. */
		intent.intent.clock = instant_within(run->observed.clock);
		run->unrecorded = worker_ask(run->worker, &intent) != 0;
		for (size_t i = from; i < to; i++) {
			const struct change *c = &run->difference.changes[i];
			if (!pass_is_for(run->visit, c->client))
				continue;
			bool moot = change_is_moot(run, failed, i);
			*error = (struct sql_error){0};
			int rc = unwritable[i - from] ? -ENOTSUP
				 : moot		      ? 0
						      : change_run(run, error, c);
			failed[i] = rc || moot;
			if (c->login && change_closes(c->kind) &&
				login_touch(&run->touched, c->login))
				return -ENOMEM;
			run->failed = run->failed || failed[i];
			if (!failed[i] && c->kind == CHANGE_LOGIN_CREATE && login_claim(run, c))
				return -ENOMEM;
			outcome_tell(run, &plans[i - from], rc, error, moot);
			if (rc < 0 && rc != -ENOTSUP)
				return rc;
		}
	}
	return 0;
}

bool work_is_left(const struct visit_run *run)
{
	for (size_t i = 0; i < run->difference.n_changes; i++)
		if (pass_is_for(run->visit, run->difference.changes[i].client))
			return true;
	return false;
}

static bool only_enables(const struct difference *d)
{
	for (size_t i = 0; i < d->n_changes; i++)
		if (d->changes[i].kind != CHANGE_LOGIN_ENABLE)
			return false;
	return d->n_changes > 0;
}

static void lock_busy_tell(const struct visit_run *run, const char *text)
{
	struct record r;

	record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, NULL);
	r.state = STATE_DRIFT;
	RECORD_PRINTF(
		&r, detail, "%s; what must be removed was removed, no access was granted", text);
	worker_tell(run->worker, &r);
}

static int rounds_run(struct visit_run *run, struct sql_error *error)
{
	uint64_t before = 0;
	int rc = 0;

	for (int i = 0; !rc && i < MAX_ROUNDS && work_is_left(run); i++) {
		/* The same list again: repeating it does not help. */
		if (run->failed && difference_digest(&run->difference) == before)
			break;
		before = difference_digest(&run->difference);
		run->failed = false;
		rc = verify_before_enabling(run, error);
		if (!rc && !work_is_left(run))
			break;
		if (!rc)
			rc = round_run(run, error);
		if (rc)
			break;
		rc = visit_observe(run, error);
		/* Observe twice before enabling a login, because a session may have been starting. */
		if (!rc && only_enables(&run->difference)) {
			pause_ms(50);
			rc = visit_observe(run, error);
		}
		if (!rc && run->failed)
			pause_ms(200);
	}
	return rc;
}

/* Baselines after everything that closes, for closing waits for no reading; before anybody comes in, for what is changed
 * afterwards would pass for how it was. */
static int baselines_take(struct visit_run *run, struct sql_error *error)
{
	int rc = rounds_run(run, error);

	run->closing_only = false;
	if (!rc)
		rc = baselines_tell(run, error, run->visit->baselines);
	return rc ? rc : visit_observe(run, error);
}

/* Another agent at work keeps no closing waiting: what only takes away needs no lock. -EBUSY: it is at work still. */
static int lock_await(struct visit_run *run, struct sql_error *error)
{
	run->closing_only = true;
	int rc = visit_observe(run, error);

	if (!rc)
		rc = rounds_run(run, error);
	run->closing_only = false;
	return rc ? rc : lock_take(run, error, true);
}

int visit_apply(struct visit_run *run, struct sql_error *error)
{
	int rc = lock_take(run, error, false);

	if (rc == -EBUSY)
		rc = lock_await(run, error);
	if (rc == -EBUSY) {
		lock_busy_tell(run, error->text);
		*error = (struct sql_error){0};
		return visit_observe(run, error);
	}
	run->closing_only = !rc && baselines_are_due(run);
	if (!rc)
		rc = visit_observe(run, error);
	if (!rc && run->closing_only)
		rc = baselines_take(run, error);
	return rc ? rc : rounds_run(run, error);
}
