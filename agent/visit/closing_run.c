/* The removals that come first: one batch disables logins, then batches end sessions until each is gone or rolling
 * back. Nothing here waits for the journal, for another agent's lock, or for a reading. If the server aborts a batch,
 * the statement without an answer has failed, and those behind it are sent again. */
#include "visit/closing_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "sql/rows.h"
#include "sql/session_settings.h"
#include "visit/visit.h"
#include "sql/question.h"

/* The rollback of one client must not delay the removals of others. */
#define PATIENCE_MS	5000
#define PAUSE_MS	20
#define MAX_KILL_ROUNDS 20
#define MAX_PAUSE_MS	400

static void words_take(char *to, size_t size, const struct sql_value *v)
{
	record_set(to, size, v->data ? v->data : "");
}

static int disable_row(struct closing_run *c, const struct sql_value *v, int n)
{
	size_t i = (size_t)row_number(&v[1]);

	if (n != 5 || i >= c->n)
		return -EBADMSG;
	struct disable *d = &c->disables[i];
	d->code = (int)row_number(&v[2]);
	words_take(d->words, sizeof(d->words), &v[3]);
	if (v[4].data)
		row_sid(&d->sid, &v[4]);
	return 0;
}

static int before_row(struct closing_run *c, const struct sql_value *v, int n)
{
	if (n != 2)
		return -EBADMSG;
	struct sid *sid = ROW_MORE(c->before, c->n_before);
	if (!sid)
		return -ENOMEM;
	row_sid(sid, &v[1]);
	return 0;
}

static int kill_row(struct closing_run *c, const struct sql_value *v, int n)
{
	size_t i = c->round + (size_t)row_number(&v[1]);

	if (n != 4 || i < c->round || i >= c->n_kills)
		return -EBADMSG;
	c->kills[i].code = (int)row_number(&v[2]);
	words_take(c->kills[i].words, sizeof(c->kills[i].words), &v[3]);
	return 0;
}

static int closing_row(void *context, const struct sql_value *v, int n)
{
	struct closing_run *c = context;

	if (row_is(&v[0], "before"))
		return before_row(c, v, n);
	if (row_is(&v[0], "disable"))
		return disable_row(c, v, n);
	if (row_is(&v[0], "kill"))
		return kill_row(c, v, n);
	struct observed_session *s = ROW_MORE(c->sessions, c->n_sessions);
	return s ? row_session(s, v, n) : -ENOMEM;
}

static void sessions_question_write(FILE *to, const struct closing_run *c)
{
	_cleanup_free_ struct sid *sids = calloc(c->n + 1, sizeof(*sids));
	size_t n = 0;

	for (size_t i = 0; sids && i < c->n; i++)
		if (c->closings[i].sid.size)
			sids[n++] = c->closings[i].sid;
	closing_patience_write(to, CLOSING_PATIENCE);
	closing_sessions_write(to, c->select, c->closings, c->by_sid ? 0 : c->n, sids, n);
	closing_patience_write(to, LOCK_PATIENCE);
}

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
	if (!c->before_asked)
		closing_before_write(batch.to, c->closings, c->n);
	c->before_asked = true;
	closing_disables_write(batch.to, c->closings, wanted, c->n);
	/* Their sessions in the same batch; where that fails they are asked for by themselves. */
	sessions_free(&c->sessions, &c->n_sessions);
	c->select = session_select;
	sessions_question_write(batch.to, c);
	int rc = question_ask(run->session, error, &batch, closing_row, c);
	c->asked = !rc;
	return rc;
}

static int sessions_ask(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	const struct {
		const char *select;
		bool by_sid;
	} ways[] = {{session_select, false}, {session_select_plain, false}, {session_select, true},
		{session_select_plain, true}};
	int rc = SQL_SERVER_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(ways) && rc == SQL_SERVER_ERROR; i++) {
		struct text batch;
		if (!text_begin(&batch))
			return -ENOMEM;
		sessions_free(&c->sessions, &c->n_sessions);
		c->select = ways[i].select;
		c->by_sid |= ways[i].by_sid;
		sessions_question_write(batch.to, c);
		rc = question_ask(run->session, error, &batch, closing_row, c);
	}
	return rc;
}

/* Those without an answer yet. True: there is one to disable. */
static bool disables_choose(bool *wanted, const struct closing_run *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		wanted[i] = closing_keeps_login(&c->closings[i])
				    ? !c->disables[i].sid.size
				    : c->disables[i].code == NOT_TOLD_YET;
		any = any || (wanted[i] && !closing_keeps_login(&c->closings[i]));
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
		unanswered_fail(c, rc, error);
	} while (disables_choose(wanted, c));
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

/* A KILL that was refused will be refused again. Do not spend the others' time on it. */
static bool was_refused(const struct closing_run *c, const struct session_key *key)
{
	for (size_t i = 0; i < c->n_kills; i++)
		if (c->kills[i].code > 0 && session_key_equal(&c->kills[i].key, key))
			return true;
	return false;
}

/* Selects the sessions of this round. True: there are some. */
static bool kills_choose(struct closing_run *c)
{
	c->round = c->n_kills;
	for (size_t i = 0; i < c->n_sessions; i++) {
		const struct observed_session *s = &c->sessions[i];
		size_t closing = closing_of(c, s);
		if (closing == c->n || s->ending || was_refused(c, &s->key))
			continue;
		struct kill *k = ROW_MORE(c->kills, c->n_kills);
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
	sessions_free(&c->sessions, &c->n_sessions);
	sessions_question_write(batch.to, c);
	int rc = question_ask(run->session, error, &batch, closing_row, c);
	for (size_t i = c->round; i < c->n_kills; i++)
		if (c->kills[i].code == NOT_TOLD_YET) {
			c->kills[i].code = rc == SQL_SERVER_ERROR ? error->number : -EIO;
			snprintf(c->kills[i].words, sizeof(c->kills[i].words), "%.200s",
				error->text);
			break;
		}
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int kills_run(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	long pause = PAUSE_MS;

	if (!c->end)
		c->end = now_ms() + PATIENCE_MS;
	int rc = c->asked ? 0 : sessions_ask(c, run, error);

	if (rc == SQL_SERVER_ERROR)
		closing_sessions_unread_tell(run, error);
	if (rc)
		return is_lost(rc) ? rc : 0;
	for (int round = 0;
		kills_choose(c) && (!round || now_ms() < c->end) && round < MAX_KILL_ROUNDS;
		round++) {
		if (c->round)
			nanosleep(&(struct timespec){.tv_nsec = pause * 1000000}, NULL);
		rc = kills_send(c, run, error);
		if (is_lost(rc))
			return rc;
		/* The server aborted the batch before its last question. */
		if (rc && (rc = sessions_ask(c, run, error)))
			return is_lost(rc) ? rc : 0;
		pause = pause * 2 < MAX_PAUSE_MS ? pause * 2 : MAX_PAUSE_MS;
	}
	/* Drop the kills of a round that was never sent. */
	while (c->n_kills && c->kills[c->n_kills - 1].code == NOT_TOLD_YET)
		c->n_kills--;
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

static int removals_make(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	int rc = disables_run(c, run, error);

	if (!rc)
		rc = kills_run(c, run, error);
	if (rc || !locked_forget(c))
		return rc;
	rc = disables_run(c, run, error);
	/* Somebody may have logged in since. */
	return rc ? rc : kills_run(c, run, error);
}

/* The connection was lost: statements without an answer may have run, or not. */
static void unanswered_mark(struct closing_run *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->disables[i].code == NOT_TOLD_YET)
			c->disables[i].code = -ECONNRESET;
	for (size_t i = 0; i < c->n_kills; i++)
		if (c->kills[i].code == NOT_TOLD_YET)
			c->kills[i].code = -ECONNRESET;
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
	if (rc)
		unanswered_mark(&c);
	closings_tell(run, &c);
	sessions_free(&c.sessions, &c.n_sessions);
	free(c.disables);
	free(c.before);
	free(c.kills);
	return rc;
}
