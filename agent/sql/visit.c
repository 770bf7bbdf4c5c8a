/* A pass on one server, in its worker: observe, compare, and, when asked to apply, change under the server's application
 * lock, observing again after every round until nothing is left to do.
 *
 * A quiet pass is one observation. Nothing is concluded from an error number: a change counts as done when the next
 * observation does not ask for it any more. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "curfew/owner.h"
#include "sql/closing.h"
#include "sql/residual.h"
#include "sql/proof.h"

/* Rounds of changes: create, enable, and a few for sessions that end slowly. */
#define MAX_ROUNDS 8
/* Attempts at one statement that lost a deadlock (1205) or waited too long for a lock (1222). */
#define MAX_ATTEMPTS 4
/* Changes announced, and put on record, together. */
#define CHUNK 32
/* SQL Server's own limit for a password, in bytes of UTF-8 with room to spare. */
#define PASSWORD_MAX 512

int sql_visit_prepare(void *context)
{
	struct sql_visit *p = context;
	struct stat st;
	ssize_t n;

	int fd = credential_held(p->server->credential)
			 ? WORKER_SECRET_FD
			 : credential_open(&p->program->settings, p->server->credential);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		(st.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)S_IRGRP) || sodium_init() < 0 ||
		!(p->password = sodium_malloc(PASSWORD_MAX))) {
		close(fd);
		return -EPERM;
	}
	do
		n = pread(fd, p->password, PASSWORD_MAX - 1, 0);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	p->password[n] = '\0';
	p->password[strcspn(p->password, "\r\n")] = '\0';
	return 0;
}

/* sp_getapplock's return value arrives as the second column of the one row. */
static int lock_row(void *context, const struct sql_value *values, int n)
{
	if (n == 2 && values[1].data)
		*(int *)context = (int)strtol(values[1].data, NULL, 10);
	return 0;
}

static int lock_take(struct visit_run *run, struct sql_error *error)
{
	int answer = -999, rc;

	/* In master, so that all agents mean the same lock; it ends with the session. */
	rc = sql_session_run(run->session, error,
		"USE [master];\n"
		"SET LOCK_TIMEOUT 10000;\n"
		"DECLARE @held int;\n"
		"EXEC @held = sys.sp_getapplock @Resource = N'curfew', @LockMode = N'Exclusive',\n"
		"  @LockOwner = N'Session', @LockTimeout = 15000;\n"
		"SELECT N'lock' AS [part], @held;\n",
		lock_row, &answer);
	if (rc == SQL_SERVER_ERROR) {
		struct record r;
		record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, NULL);
		r.state = STATE_UNVERIFIED;
		RECORD_PRINTF(&r, detail,
			"no application lock on this server (%d: %.200s): let one agent alone serve it",
			error->number, error->text);
		worker_tell(run->worker, &r);
		return 0;
	}
	if (!rc && answer < 0) {
		snprintf(error->text, sizeof(error->text),
			"another agent holds the lock `curfew` on this server (%d)", answer);
		return -EBUSY;
	}
	return rc;
}

static int observe(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *v = run->visit;

	observed_free(&run->observed);
	difference_free(&run->difference);
	int rc = sql_observe_server(&run->observed, error, run->session, &v->wanted, &run->claims);
	if (rc)
		return rc;
	observed_claim(
		&run->observed, &v->wanted, &run->claims, v->program->settings.server_deadline);
	rc = sql_observe_databases(
		&run->observed, error, run->session, &v->wanted, &run->claims, &run->blocked);
	if (rc)
		return rc;
	return difference_build(&run->difference, &v->wanted, &run->observed, &run->claims, v->now);
}

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static int change_run(struct visit_run *run, struct sql_error *error, const struct change *c)
{
	char *password = NULL, *text = NULL;
	size_t size;
	int rc = -ENOMEM;

	if (c->kind == CHANGE_LOGIN_CREATE && !(password = sql_password_new()))
		return -ENOMEM;
	FILE *to = open_memstream(&text, &size);
	if (to) {
		rc = sql_write_change(to, c, password);
		if (fclose(to))
			rc = -ENOMEM;
	}
	for (int attempt = 1; !rc && attempt <= MAX_ATTEMPTS; attempt++) {
		rc = sql_session_run(run->session, error, text, NULL, NULL);
		if (rc != SQL_SERVER_ERROR || (error->number != 1205 && error->number != 1222) ||
			attempt == MAX_ATTEMPTS)
			break;
		pause_ms(50L << attempt);
		rc = 0;
	}
	/* A transaction that the server ended leaves its setting behind. */
	if (rc == SQL_SERVER_ERROR && (c->kind == CHANGE_OWNER || c->n_regrants)) {
		struct sql_error ignored;
		int lost = sql_session_run(run->session, &ignored,
			"IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\nSET XACT_ABORT OFF;\n", NULL,
			NULL);
		rc = lost < 0 ? lost : rc;
	}
	/* No error text of a statement that carried a secret is passed on with a piece of it. */
	if (rc && password && strstr(error->text, password))
		snprintf(error->text, sizeof(error->text),
			"the server's message is withheld: it repeats a secret");
	if (text) {
		sodium_memzero(text, size);
		free(text);
	}
	sodium_free(password);
	return rc;
}

/* What failed already, in this round: nothing that widens goes on top of it. */
static bool change_is_moot(const struct visit_run *run, const bool *failed, size_t i)
{
	const struct change *c = &run->difference.changes[i];

	/* What cannot be put on record closes all the same, and opens nothing. */
	if (run->unrecorded && !change_closes(c->kind))
		return true;
	for (size_t k = 0; k < i; k++) {
		const struct change *f = &run->difference.changes[k];
		/* A closing is tried whatever failed, but for a login that could not even be made. */
		if (!failed[k] || (change_closes(c->kind) && f->kind != CHANGE_LOGIN_CREATE))
			continue;
		if (f->login ? c->login && names_equal(f->login, c->login)
			     : c->database && f->database && names_equal(f->database, c->database))
			return true;
	}
	return false;
}

static void outcome_tell(const struct visit_run *run, struct record *r, int rc,
	const struct sql_error *error, bool moot)
{
	r->kind = RECORD_OUTCOME;
	r->code = rc == SQL_SERVER_ERROR ? error->number : rc;
	r->state = rc || moot ? STATE_DRIFT : STATE_OK;
	if (moot)
		RECORD_SET(r, detail,
			run->unrecorded ? "not tried: it could not be put on record"
					: "not tried: something before it failed");
	else if (rc == -ENOTSUP)
		RECORD_SET(r, detail,
			"Curfew does not know how to name this kind of thing: a DBA has to do it");
	else if (rc)
		RECORD_PRINTF(r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, r);
}

/* One more claim: on a login that this session has just made. */
static int login_claim(struct visit_run *run, const struct change *c)
{
	struct claim *items = reallocarray(run->claims.items, run->claims.n + 1, sizeof(*items));
	const struct wanted_login *l = wanted_find(&run->visit->wanted, c->login);

	if (!items || !l)
		return -ENOMEM;
	run->claims.items = items;
	/* The wanted set's name outlives the change's. */
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

/* One round: announces a chunk, waits until it is on record, carries it out. Negative: the session is lost. */
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
		/* The server's clock, for the ledger: a login created from now on within the deadline is ours. */
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

static bool work_is_left(const struct visit_run *run)
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

static int apply(struct visit_run *run, struct sql_error *error)
{
	int rc = lock_take(run, error);
	uint64_t before = 0;

	if (!rc)
		rc = observe(run, error);
	for (int i = 0; !rc && i < MAX_ROUNDS && work_is_left(run); i++) {
		/* The same list again: it does not help to repeat it for ever. */
		if (run->failed && difference_digest(&run->difference) == before)
			break;
		before = difference_digest(&run->difference);
		run->failed = false;
		rc = round_run(run, error);
		if (rc)
			break;
		rc = observe(run, error);
		/* Before a login is let in again: looked at twice, for a session that was just being made. */
		if (!rc && only_enables(&run->difference)) {
			pause_ms(50);
			rc = observe(run, error);
		}
		if (!rc && run->failed)
			pause_ms(200);
	}
	return rc;
}

static void plans_tell(struct visit_run *run)
{
	for (size_t i = 0; i < run->difference.n_changes; i++) {
		struct record r;
		if (pass_is_for(run->visit, run->difference.changes[i].client)) {
			change_record(&r, run, &run->difference.changes[i]);
			worker_tell(run->worker, &r);
		}
	}
}

static int handover(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *p = run->visit;
	const struct wanted_login *w = wanted_find(&p->wanted, p->handover_login);
	const struct observed_login *l = observed_find_login(&run->observed, p->handover_login);
	char *text = NULL;
	size_t size;
	struct record r;

	record_of(&r, p, RECORD_PLAN, w ? w->client : NULL, p->handover_login, NULL);
	r.change.number = ++run->numbers;
	r.change.kind = CHANGE_HANDOVER;
	RECORD_SET(&r, change.reason, "a one-time password was asked for");
	FILE *to = open_memstream(&text, &size);
	if (!to)
		return -ENOMEM;
	sql_write_handover(to, p->handover_login, NULL, p->server->must_change);
	fclose(to);
	RECORD_SET(&r, change.statement, text);
	free(text);
	if (!w || !l || !l->ours) {
		snprintf(error->text, sizeof(error->text), "%s",
			!w   ? "no access is scheduled here now"
			: !l ? "the login is not there yet: `curfew apply` makes it"
			     : "the login was not made by Curfew");
		return -ENOENT;
	}
	worker_tell(run->worker, &r);
	struct record intent;
	record_of(&intent, p, RECORD_INTENT, NULL, NULL, NULL);
	intent.intent.number = run->numbers;
	if (worker_ask(run->worker, &intent))
		return -ECANCELED;
	to = open_memstream(&text, &size);
	if (!to)
		return -ENOMEM;
	sql_write_handover(to, p->handover_login, p->handover_password, p->server->must_change);
	fclose(to);
	int rc = sql_session_run(run->session, error, text, NULL, NULL);
	sodium_memzero(text, size);
	free(text);
	if (rc && strstr(error->text, p->handover_password))
		snprintf(error->text, sizeof(error->text),
			"the server's message is withheld: it repeats a secret");
	outcome_tell(run, &r, rc, error, false);
	return rc;
}

static void end_tell(const struct visit_run *run, int rc, const struct sql_error *error)
{
	struct record r;

	record_of(&r, run->visit, RECORD_END, NULL, NULL, NULL);
	r.code = rc == SQL_SERVER_ERROR ? error->number : rc;
	r.end.round_trips = run->session ? sql_session_round_trips(run->session) : 0;
	r.state = work_is_left(run) ? STATE_DRIFT : STATE_OK;
	if (rc)
		RECORD_PRINTF(&r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, &r);
}

static int work(struct visit_run *run, struct sql_error *error)
{
	int rc = closings_run(run, error);

	if (!rc)
		rc = observe(run, error);

	if (rc)
		return rc;
	switch (run->visit->mode) {
	case SQL_APPLY:
		rc = work_is_left(run) ? apply(run, error) : 0;
		/* A closing is finished when the server itself says so. */
		if (!rc && run->touched.n)
			rc = proofs_tell(run, error, &run->touched);
		if (!rc)
			rc = baselines_tell(run, error, run->visit->baselines);
		return rc;
	case SQL_AUDIT:
		rc = proofs_tell(run, error, NULL);
		if (!rc)
			rc = leftovers_tell(run, error);
		if (!rc)
			rc = baselines_tell(run, error, run->visit->baselines);
		return rc;
	case SQL_PLAN:
		plans_tell(run);
		return 0;
	case SQL_HANDOVER:
		return handover(run, error);
	case SQL_STATUS:
		return 0;
	}
	return 0;
}

int sql_visit_run(struct worker *w, void *context)
{
	struct sql_visit *p = context;
	struct visit_run run = {.worker = w, .visit = p};
	struct sql_error error = {0};
	struct sql_session_options o = {
		.host = p->server->host,
		.port = p->server->port,
		.ca_file = p->server->ca_file,
		.login = p->server->login,
		.password = p->password,
		.connect_timeout = p->program->settings.connect_timeout,
		.read_timeout = p->program->settings.server_deadline,
	};
	int rc = 0;

	run.claims = (struct claims){
		.items = calloc(p->claims.n + 1, sizeof(struct claim)), .n = p->claims.n};
	if (!run.claims.items)
		rc = -ENOMEM;
	else if (p->claims.n)
		memcpy(run.claims.items, p->claims.items, p->claims.n * sizeof(struct claim));
	if (!rc)
		rc = sql_session_open(&run.session, &error, &o);

	sodium_free(p->password);
	p->password = NULL;
	if (!rc)
		rc = work(&run, &error);
	if (rc && !run.observed.version) {
		tell_unreachable(&run, error.text[0] ? error.text : strerror(rc < 0 ? -rc : EIO));
	} else if (rc < 0 && rc != -ENOENT) {
		/* The session was lost on the way: what was seen last is not what is there now. */
		tell_unreachable(&run, error.text[0] ? error.text : strerror(-rc));
	} else {
		tell_server(&run,
			run.observed.n_missing_rights || run.observed.n_unreadable
				? STATE_UNVERIFIED
				: STATE_OK,
			"");
		tell_obstacles(&run);
		tell_grants(&run);
		tell_remnants(&run);
		tell_logins(&run);
		tell_sessions(&run);
	}
	end_tell(&run, rc, &error);
	sql_session_close(run.session);
	for (size_t i = 0; i < run.touched.n; i++)
		free(run.touched.logins[i]);
	free(run.touched.logins);
	free(run.claims.items);
	sql_blocked_free(&run.blocked);
	observed_free(&run.observed);
	difference_free(&run.difference);
	return 0;
}
