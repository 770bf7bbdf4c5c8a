/* Sets the session options, because defaults differ: DB-Library starts with all ANSI options off, `user options` and
 * database options change them, and a session may even start inside a transaction that nobody would commit. */
#include "sql/session_settings.h"

#include <errno.h>
#include <string.h>

#include "sql/name.h"
#include "sql/session_internal.h"
#include "sql/question.h"

#define AS_TEXT(number)	   #number
#define NUMBER_TEXT(macro) AS_TEXT(macro)

/* Bits of @@OPTIONS. */
enum {
	IMPLICIT_TRANSACTIONS = 0x0002,
	CURSOR_CLOSE_ON_COMMIT = 0x0004,
	ANSI_WARNINGS = 0x0008,
	ANSI_PADDING = 0x0010,
	ANSI_NULLS = 0x0020,
	ARITHABORT = 0x0040,
	QUOTED_IDENTIFIER = 0x0100,
	ANSI_NULL_DFLT_ON = 0x0400,
	CONCAT_NULL_YIELDS_NULL = 0x1000,
	NUMERIC_ROUNDABORT = 0x2000,
	XACT_ABORT = 0x4000,
};
#define OPTIONS_ON                                                                                 \
	(ANSI_WARNINGS | ANSI_PADDING | ANSI_NULLS | ARITHABORT | QUOTED_IDENTIFIER |              \
		ANSI_NULL_DFLT_ON | CONCAT_NULL_YIELDS_NULL)
#define OPTIONS_OFF                                                                                \
	(IMPLICIT_TRANSACTIONS | CURSOR_CLOSE_ON_COMMIT | NUMERIC_ROUNDABORT | XACT_ABORT)

/* In a deadlock the lower priority loses, and any session may take up to 10 for itself: no user's must make the agent
 * lose (https://learn.microsoft.com/sql/t-sql/statements/set-deadlock-priority-transact-sql).
 *
 * The server may refuse a question whose estimated cost is above a limit (8649), and the longest ones look dear: each
 * session may lift it for itself
 * (https://learn.microsoft.com/sql/t-sql/statements/set-query-governor-cost-limit-transact-sql).
 *
 * The options that indexed views, filtered indexes, and XML methods require, so that no DDL trigger fails when Curfew
 * fires it. XACT_ABORT is off, because one refused statement must not abort the others; a statement that needs a
 * transaction sets it itself. */
const char *const session_settings[] = {
	"SET QUOTED_IDENTIFIER ON;\n",
	"SET ANSI_NULLS ON;\n",
	"SET ANSI_PADDING ON;\n",
	"SET ANSI_WARNINGS ON;\n",
	"SET ANSI_NULL_DFLT_ON ON;\n",
	"SET ARITHABORT ON;\n",
	"SET CONCAT_NULL_YIELDS_NULL ON;\n",
	"SET NUMERIC_ROUNDABORT OFF;\n",
	"SET IMPLICIT_TRANSACTIONS OFF;\n",
	"SET CURSOR_CLOSE_ON_COMMIT OFF;\n",
	"SET XACT_ABORT OFF;\n",
	"SET ROWCOUNT 0;\n",
	"SET QUERY_GOVERNOR_COST_LIMIT 0;\n",
	"SET TEXTSIZE 2147483647;\n",
	"SET LOCK_TIMEOUT " NUMBER_TEXT(LOCK_PATIENCE) ";\n",
	"SET DEADLOCK_PRIORITY 10;\n",
	"SET LANGUAGE us_english;\n",
	"SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n",
	"IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\n",
	NULL,
};

const char session_settings_question[] =
	"SELECT N'settings' AS [part], @@OPTIONS, @@TRANCOUNT, @@LOCK_TIMEOUT, @@LANGUAGE, DB_NAME(),\n"
	"  " NAME_BYTES("N'" SESSION_SAMPLE "'") ";\n";

static void text_take(char *to, size_t size, const struct sql_value *v)
{
	snprintf(to, size, "%s", v->data ? v->data : "");
}

static int number_of(const struct sql_value *v)
{
	return v->data ? (int)strtol(v->data, NULL, 10) : -1;
}

int session_state_row(void *state, const struct sql_value *v, int n)
{
	struct session_state *s = state;

	if (n != 7 || !v[0].data || !streq(v[0].data, "settings"))
		return -EBADMSG;
	s->options = number_of(&v[1]);
	s->transactions = number_of(&v[2]);
	s->lock_timeout = number_of(&v[3]);
	text_take(s->language, sizeof(s->language), &v[4]);
	text_take(s->database, sizeof(s->database), &v[5]);
	_cleanup_free_ char *sample = name_decode(v[6].data, v[6].size);
	if (sample)
		snprintf(s->sample, sizeof(s->sample), "%s", sample);
	s->told = true;
	return 0;
}

const char *session_state_problem(const struct session_state *s)
{
	if (!s->told)
		return "the server does not return the session options";
	if ((s->options & (OPTIONS_ON | OPTIONS_OFF)) != OPTIONS_ON)
		return "the server overrides SET options (@@OPTIONS)";
	if (s->transactions)
		return "the session starts inside a transaction that cannot be ended (@@TRANCOUNT)";
	if (s->lock_timeout != LOCK_PATIENCE)
		return "the server overrides the lock timeout (@@LOCK_TIMEOUT)";
	if (!streq(s->language, "us_english"))
		return "the server overrides the language (@@LANGUAGE)";
	if (!streq(s->database, "master"))
		return "the session is not in database master";
	if (!streq(s->sample, SESSION_SAMPLE))
		return "the server does not send names as UTF-16";
	return NULL;
}

/* One unknown option makes the server refuse the whole batch. */
static int settings_send_apart(struct sql_session *s, struct sql_error *error)
{
	for (const char *const *set = session_settings; *set; set++) {
		int rc = sql_session_run(s, error, *set, NULL, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The question can stand in the same batch: SET QUOTED_IDENTIFIER changes the session when the text is parsed, the
 * other SET statements when they run. */
static int settings_send(
	struct sql_session *s, struct sql_error *error, struct session_state *state)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (const char *const *set = session_settings; *set; set++)
		fputs(*set, batch.to);
	fputs(session_settings_question, batch.to);
	int rc = question_ask(s, error, &batch, session_state_row, state);
	if (rc != SQL_SERVER_ERROR)
		return rc;
	rc = settings_send_apart(s, error);
	return rc ? rc
		  : sql_session_run(s, error, session_settings_question, session_state_row, state);
}

int session_settle(struct sql_session *s, struct sql_error *error)
{
	struct session_state state = {0};
	int rc = settings_send(s, error, &state);

	if (rc == SQL_SERVER_ERROR) {
		/* Nothing is verified on a server that does not answer. Access there can still be removed. */
		snprintf(s->unsettled, sizeof(s->unsettled), "%s", error->text);
		*error = (struct sql_error){0};
		return 0;
	}
	if (rc)
		return rc;
	const char *problem = session_state_problem(&state);
	if (!problem)
		return 0;
	snprintf(error->text, sizeof(error->text), "%s; a DBA must check the server", problem);
	return -EPROTO;
}
