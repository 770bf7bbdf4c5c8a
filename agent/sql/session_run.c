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

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	int rc = 0;

	*error = (struct sql_error){0};
	if (s->dead)
		return -ENOTCONN;
	s->error = error;
	s->broken_values = 0;
	s->round_trips++;
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
	bool answer_only = rc == -ENOMEM || rc == -EBADMSG || rc == -EOVERFLOW;
	if (rc < 0 && (s->dead || !answer_only))
		return session_give_up(s, error, rc);
	if (!rc && !error->number && error->library)
		return -EBADMSG; /* db-lib could not parse the answer */
	return rc ? rc : error->number ? SQL_SERVER_ERROR : 0;
}
