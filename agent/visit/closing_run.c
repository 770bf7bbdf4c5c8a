/* The removals that come first: one batch disables logins, then batches end sessions until each is gone or rolling
 * back. Where disabling takes seconds, sessions are ended in between. Nothing here waits for the journal, for another
 * agent's lock, or for a reading. If the server aborts a batch, the statement without an answer has failed, and those
 * behind it are sent again. */
#include "visit/closing_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "sql/rows.h"
#include "sql/session_settings.h"
#include "visit/visit.h"
#include "sql/question.h"

/* The rollback of one client must not delay the removals of others. */
#define PATIENCE_MS	5000
#define PAUSE_MS	20
#define MAX_KILL_ROUNDS 20
#define MAX_PAUSE_MS	400

/* A session id is a smallint. An orphaned distributed transaction has -2 in its place, and no KILL of that form. */
#define SESSION_ID_MAX INT16_MAX

/* Negative: the session is lost, and nothing more can be done. An answer of the wrong form counts as no answer. */
static bool is_lost(int rc)
{
	return rc < 0 && rc != -EBADMSG && rc != -EOVERFLOW && rc != -ENOMEM;
}

static int disables_send(
	struct closing_run *c, struct visit_run *run, struct sql_error *error, const bool *wanted)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	if (!c->before_asked && !c->alone)
		closing_before_write(batch.to, c->closings, c->n);
	c->before_asked = true;
	closing_disables_write(batch.to, c->closings, wanted, c->n);
	/* Their sessions in the same batch; where that fails they are asked for by themselves. */
	c->select = session_select;
	c->no_progress = false;
	if (!c->alone)
		closing_sessions_question_write(batch.to, c);
	c->any_row = false;
	int rc = closing_batch_ask(c, run, error, &batch);
	c->asked = !rc && !c->alone;
	return rc;
}

/* Without a single row the batch was not even compiled: perhaps for a question that stood beside the disables. Those go by
 * themselves then, since closing needs no reading. True: they are to be sent again. */
static bool goes_alone(struct closing_run *c, int rc)
{
	const bool first = rc == SQL_SERVER_ERROR && !c->any_row && !c->alone;

	c->alone = c->alone || first;
	return first;
}

/* Those without an answer yet. True: there is one to disable. */
static bool disables_choose(bool *wanted, struct closing_run *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		if (c->disables[i].code == CLOSING_LATER)
			c->disables[i].code = NOT_TOLD_YET;
		wanted[i] = closing_keeps_login(&c->closings[i])
				    ? !c->disables[i].sid.size
				    : c->disables[i].code == NOT_TOLD_YET;
		any = any || (wanted[i] && !closing_keeps_login(&c->closings[i]));
	}
	return any;
}

/* Some were not tried, since those before them took seconds. What was disabled when this began needs no second time. */
static bool is_slow(struct closing_run *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		if (c->disables[i].code == CLOSING_LATER && closing_was_disabled(c, i))
			c->disables[i].code = 0;
		any = any || c->disables[i].code == CLOSING_LATER;
	}
	return any;
}

static void unanswered_fail(struct closing_run *c, int rc, const struct sql_error *error)
{
	for (size_t i = 0; i < c->n; i++) {
		struct disable *d = &c->disables[i];
		if (d->code != NOT_TOLD_YET)
			continue;
		d->code = rc == SQL_SERVER_ERROR && error->number ? error->number : -EIO;
		snprintf(d->words, sizeof(d->words), "%.200s", error->text);
		return;
	}
}

static int disables_run(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	_cleanup_free_ bool *wanted = calloc(c->n, sizeof(*wanted));

	if (!wanted)
		return -ENOMEM;
	disables_choose(wanted, c);
	do {
		int rc = disables_send(c, run, error, wanted);
		if (is_lost(rc))
			return rc;
		if (!goes_alone(c, rc))
			unanswered_fail(c, rc, error);
	} while (!is_slow(c) && disables_choose(wanted, c));
	return 0;
}

/* The server may return a text that is not an address (shared memory): treat it as unknown, and end the session. */
static bool is_from(const struct observed_session *s, const struct source *source)
{
	uint8_t address[16];
	int family = strchr(s->address, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, s->address, address) != 1 ||
	       source_contains(source, family, address);
}

static bool closing_means(const struct sql_closing *c, const struct observed_session *s)
{
	return (!c->source || is_from(s, c->source)) &&
	       (!c->session || session_key_equal(c->session, &s->key));
}

static size_t closing_of(const struct closing_run *c, const struct observed_session *s)
{
	size_t i = 0;

	while (i < c->n && !(observed_session_is_of(s, closing_sid(c, i)) &&
				   closing_means(&c->closings[i], s)))
		i++;
	return i;
}

/* A KILL that was refused will be refused again, and one that was not need not be sent again where the server does not
 * tell who is rolling back. Do not spend the others' time on it. */
static bool is_killed_enough(const struct closing_run *c, const struct session_key *key)
{
	for (size_t i = 0; i < c->n_kills; i++)
		if ((c->kills[i].code > 0 || (c->kills[i].code == 0 && c->no_progress)) &&
			session_key_equal(&c->kills[i].key, key))
			return true;
	return false;
}

/* Selects the sessions of this round. True: there are some. */
static bool kills_choose(struct closing_run *c, struct visit_run *run)
{
	c->round = c->n_kills;
	for (size_t i = 0; i < c->n_sessions; i++) {
		const struct observed_session *s = &c->sessions[i];
		size_t closing = closing_of(c, s);
		/* Without memory for it, the readings that follow fail too. */
		entry_note(run, s);
		if (closing == c->n || s->ending || s->key.id > SESSION_ID_MAX ||
			is_killed_enough(c, &s->key))
			continue;
		struct kill *k = ARRAY_MORE(c->kills, c->n_kills);
		if (!k)
			break;
		*k = (struct kill){.key = s->key, .closing = closing, .code = NOT_TOLD_YET};
	}
	return c->n_kills > c->round;
}

static int kills_send(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	size_t n = c->n_kills - c->round;
	_cleanup_free_ struct session_key *keys = calloc(n + 1, sizeof(*keys));
	struct text batch;

	if (!keys || !text_begin(&batch))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		keys[i] = c->kills[c->round + i].key;
	closing_kills_write(batch.to, keys, n);
	closing_sessions_question_write(batch.to, c);
	int rc = closing_batch_ask(c, run, error, &batch);
	for (size_t i = c->round; i < c->n_kills; i++)
		if (c->kills[i].code == NOT_TOLD_YET) {
			c->kills[i].code = rc == SQL_SERVER_ERROR ? error->number : -EIO;
			snprintf(c->kills[i].words, sizeof(c->kills[i].words), "%.200s",
				error->text);
			break;
		}
	return rc;
}

/* Reports that sessions could not be read. A lost session goes to the caller. */
static int kills_end(const struct visit_run *run, const struct sql_error *error, int rc)
{
	if (is_lost(rc))
		return rc;
	closing_sessions_unread_tell(run, rc, error);
	return 0;
}

static bool session_is_there(const struct closing_run *c, const struct session_key *key)
{
	for (size_t i = 0; i < c->n_sessions; i++)
		if (session_key_equal(&c->sessions[i].key, key))
			return true;
	return false;
}

/* The server says that they do not exist, and the sessions that were read behind that show none. */
static void gone_mark(struct closing_run *c)
{
	for (size_t i = 0; i < c->n_kills; i++)
		if (c->kills[i].code == ERROR_NO_SUCH_SESSION &&
			!session_is_there(c, &c->kills[i].key))
			c->kills[i].code = CLOSING_SESSION_GONE;
}

static int kills_run(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	long pause = PAUSE_MS;

	if (!c->end)
		c->end = monotonic_ms() + PATIENCE_MS;
	int rc = c->asked ? 0 : closing_sessions_ask(c, run, error);

	if (rc)
		return kills_end(run, error, rc);
	for (int round = 0; kills_choose(c, run) && (!round || monotonic_ms() < c->end) &&
			    round < MAX_KILL_ROUNDS;
		round++) {
		if (c->round)
			pause_ms(pause);
		rc = kills_send(c, run, error);
		if (is_lost(rc))
			return rc;
		/* The server aborted the batch before its last question. */
		if (rc && (rc = closing_sessions_ask(c, run, error)))
			return kills_end(run, error, rc);
		pause = pause * 2 < MAX_PAUSE_MS ? pause * 2 : MAX_PAUSE_MS;
	}
	/* Drop the kills of a round that was never sent. */
	while (c->n_kills && c->kills[c->n_kills - 1].code == NOT_TOLD_YET)
		c->n_kills--;
	gone_mark(c);
	return 0;
}

/* Locked, perhaps by its own session, which is ended by now. True: there is such a login, to be disabled again. */
static bool locked_forget(struct closing_run *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++)
		if (!closing_keeps_login(&c->closings[i]) &&
			c->disables[i].code == ERROR_LOCK_TIMEOUT) {
			c->disables[i].code = NOT_TOLD_YET;
			any = true;
		}
	return any;
}

/* Somebody may log in while others are being disabled, so sessions are ended behind each part. */
static int parts_make(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	int rc;

	do {
		rc = disables_run(c, run, error);
		disables_tell(run, c, false);
		if (!rc)
			rc = kills_run(c, run, error);
	} while (!rc && is_slow(c));
	return rc;
}

static int removals_make(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	int rc = parts_make(c, run, error);

	return rc || !locked_forget(c) ? rc : parts_make(c, run, error);
}

static void kills_mark(struct closing_run *c)
{
	for (size_t i = 0; i < c->n_kills; i++)
		if (c->kills[i].code == NOT_TOLD_YET)
			c->kills[i].code = -ECONNRESET;
}

/* A session that waited for its instant may have died meanwhile: what has no answer yet goes over a new one. */
static int removals_make_again(
	struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	kills_mark(c);
	c->asked = false;
	return removals_make(c, run, error);
}

/* The connection was lost: statements without an answer may have run, or not. */
static void unanswered_mark(struct closing_run *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->disables[i].code == NOT_TOLD_YET || c->disables[i].code == CLOSING_LATER)
			c->disables[i].code = -ECONNRESET;
	kills_mark(c);
}

int closings_run(struct visit_run *run, struct sql_error *error, const struct sql_closing *closings,
	size_t n)
{
	struct closing_run c = {.closings = closings, .n = n};
	int rc = 0;

	if (!c.n)
		return 0;
	c.disables = calloc(c.n, sizeof(*c.disables));
	if (!c.disables)
		return -ENOMEM;
	for (size_t i = 0; i < c.n; i++)
		c.disables[i].code =
			closing_keeps_login(&c.closings[i]) ? CLOSING_NOT_OURS : NOT_TOLD_YET;
	rc = removals_make(&c, run, error);
	if (is_lost(rc) && !visit_connect_again(run, error))
		rc = removals_make_again(&c, run, error);
	if (rc)
		unanswered_mark(&c);
	disables_tell(run, &c, true);
	kills_tell(run, &c);
	sessions_free(&c.sessions, &c.n_sessions);
	free(c.disables);
	free(c.before);
	free(c.kills);
	return rc;
}
