/* Sends one batch and reads its answer. A session that timed out or whose answer was cut off is not used again. */
#include <errno.h>
#include <string.h>

#include "sql/session_internal.h"

/* The state of the session is unknown, so it must not be used again. */
static int session_give_up(struct sql_session *s, struct sql_error *error, int rc)
{
	if (!error->text[0])
		snprintf(error->text, sizeof(error->text), "%s", strerror(-rc));
	error->os_error = rc;
	s->dead = true;
	return rc;
}

/* The library says it in words of another product. */
static void limit_tell(const struct sql_session *s, struct sql_error *error)
{
	snprintf(error->text, sizeof(error->text), "no complete answer within %.3g seconds",
		s->limit / 1000.0);
}

static int batch_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	int rc = 0;

	*error = (struct sql_error){0};
	if (s->dead)
		return -ENOTCONN;
	s->error = error;
	s->broken_values = 0;
	s->round_trips++;
	s->end = monotonic_ms() + s->limit;
	dbfreebuf(s->process);
	if (dbcmd(s->process, batch) == FAIL || dbsqlsend(s->process) == FAIL)
		rc = s->dead ? -ECONNRESET : -EIO;
	if (!rc && !s->proved)
		rc = session_encryption_prove(s, error);
	/* dbsqlok() also fails if the answer contains an error; the rest must still be read. */
	if (!rc) {
		dbsqlok(s->process);
		rc = session_answer_read(s, error, each, context);
	}
	dbfreebuf(s->process);
	s->error = NULL;
	if (rc == -ECONNRESET && error->os_error)
		rc = error->os_error;
	if (rc == -ETIMEDOUT && s->limit)
		limit_tell(s, error);
	bool answer_only = rc == -ENOMEM || rc == -EBADMSG || rc == -EOVERFLOW;
	if (rc < 0 && (s->dead || !answer_only))
		return session_give_up(s, error, rc);
	if (!rc && !error->number && error->library)
		return -EBADMSG; /* db-lib could not parse the answer */
	return rc ? rc : error->number ? SQL_SERVER_ERROR : 0;
}

/* From this severity on the server ends most connections behind its message
 * (https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-error-severities). */
#define SEVERITY_FATAL_MIN 20

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	int rc = batch_run(s, error, batch, each, context);
	struct sql_error after;

	if (rc != SQL_SERVER_ERROR || error->severity < SEVERITY_FATAL_MIN)
		return rc;
	/* Whether it has shows at the next batch: at once, so that nothing else passes for what ended it. */
	int lost = batch_run(s, &after, "SELECT 1;", NULL, NULL);
	if (lost >= 0)
		return rc;
	error->os_error = lost;
	return lost;
}

bool sql_session_is_lost(const struct sql_session *s)
{
	return s->dead;
}
