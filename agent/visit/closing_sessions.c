/* What a closing asks the server, and the rows of its answers. */
#include <errno.h>

#include "visit/closing_run.h"
#include "sql/rows.h"
#include "sql/session_settings.h"
#include "visit/visit.h"
#include "sql/question.h"

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
	struct sid *sid = ARRAY_MORE(c->before, c->n_before);
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

static int rollback_row(struct closing_run *c, const struct sql_value *v, int n)
{
	int rc = row_rollback(c->sessions, c->n_sessions, v, n);

	c->no_progress = c->no_progress || rc == ROLLBACK_UNTOLD;
	return rc < 0 ? rc : 0;
}

static int closing_row(void *context, const struct sql_value *v, int n)
{
	struct closing_run *c = context;

	c->any_row = true;
	if (row_is(&v[0], "before"))
		return before_row(c, v, n);
	if (row_is(&v[0], "disable"))
		return disable_row(c, v, n);
	if (row_is(&v[0], "kill"))
		return kill_row(c, v, n);
	if (row_is(&v[0], "rollback"))
		return rollback_row(c, v, n);
	struct observed_session *s = ARRAY_MORE(c->sessions, c->n_sessions);
	return s ? row_session(s, v, n) : -ENOMEM;
}

void closing_sessions_question_write(FILE *to, struct closing_run *c)
{
	_cleanup_free_ struct sid *sids = calloc(c->n + 1, sizeof(*sids));
	size_t n = 0;

	for (size_t i = 0; sids && i < c->n; i++)
		if (c->closings[i].sid.size)
			sids[n++] = c->closings[i].sid;
	sessions_free(&c->sessions, &c->n_sessions);
	closing_patience_write(to, CLOSING_PATIENCE);
	closing_sessions_write(to, c->select, c->closings, c->by_sid ? 0 : c->n, sids, n);
	if (!c->no_progress)
		closing_rollbacks_write(to, true);
	closing_patience_write(to, LOCK_PATIENCE);
}

/* From this severity on an error ends the session, though the server says so in an answer: a KILL (596) for one. A
 * session that waited is opened again then. In a session that did not wait, treat the error as the statement's: the
 * next batch shows whether the session is lost. */
#define SEVERITY_FATAL_MIN 20

int closing_batch_ask(
	struct closing_run *c, struct visit_run *run, struct sql_error *error, struct text *batch)
{
	int rc = question_ask(run->session, error, batch, closing_row, c);

	bool ended = rc == SQL_SERVER_ERROR && error->severity >= SEVERITY_FATAL_MIN;

	return ended && run->is_early ? -ECONNRESET : rc;
}

int closing_sessions_ask(struct closing_run *c, struct visit_run *run, struct sql_error *error)
{
	const struct {
		const char *select;
		bool no_progress, by_sid;
	} ways[] = {{session_select, false, false}, {session_select_plain, false, false},
		{session_select, true, false}, {session_select_plain, true, false},
		{session_select, true, true}, {session_select_plain, true, true}};
	int rc = SQL_SERVER_ERROR;

	for (size_t i = 0; i < ARRAY_SIZE(ways) && rc == SQL_SERVER_ERROR; i++) {
		struct text batch;
		if (!text_begin(&batch))
			return -ENOMEM;
		c->select = ways[i].select;
		c->no_progress = ways[i].no_progress;
		c->by_sid |= ways[i].by_sid;
		closing_sessions_question_write(batch.to, c);
		rc = closing_batch_ask(c, run, error, &batch);
	}
	return rc;
}
