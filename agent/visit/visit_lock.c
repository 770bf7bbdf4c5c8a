/* The application lock: one agent at a time changes a server. Its principal is a role that only agent logins are in, so
 * that nobody else can hold it. `curfew bootstrap` creates the role. Without it any login can hold the lock. */
#include <errno.h>
#include <string.h>

#include "visit/visit.h"

#define LOCK_NO_ROLE (-998)
#define LOCK(principal)                                                                            \
	"EXEC @held = sys.sp_getapplock @Resource = N'curfew', @LockMode = N'Exclusive',\n"        \
	"  @LockOwner = N'Session', @LockTimeout = %d" principal ";\n"                             \
	"SELECT N'lock' AS [part], @held;\n"

#define LOCK_OF_ROLE                                                                               \
	"DECLARE @held int = -998;\n"                                                              \
	"IF IS_ROLEMEMBER(N'" LOCK_ROLE "') = 1\n" LOCK(", @DbPrincipal = N'" LOCK_ROLE "'")
#define LOCK_OF_EVERYBODY "DECLARE @held int;\n" LOCK("")

/* The row's second column is the return value of sp_getapplock. */
static int lock_row(void *context, const struct sql_value *values, int n)
{
	if (n == 2 && values[1].data)
		*(int *)context = (int)strtol(values[1].data, NULL, 10);
	return 0;
}

static int lock_now_row(void *context, const struct sql_value *values, int n)
{
	struct visit_run *run = context;
	int answer = LOCK_NO_ROLE;

	if (n != 2 || !values[0].data || !streq(values[0].data, "lock"))
		return -EBADMSG;
	lock_row(&answer, values, n);
	run->locked = answer >= 0;
	return 0;
}

struct sql_head lock_head(struct visit_run *run)
{
	snprintf(run->lock_text, sizeof(run->lock_text), LOCK_OF_ROLE, 0);
	return (struct sql_head){
		.batch = run->lock_text, .row = lock_now_row, .context = run, .hasty = true};
}

int lock_take(struct visit_run *run, struct sql_error *error, bool wait)
{
	int answer = -999, milliseconds = wait ? 15000 : 0, rc;
	char text[512];

	/* In master, so that all agents use the same lock. The lock ends with the session. */
	snprintf(text, sizeof(text), LOCK_OF_ROLE, milliseconds);
	rc = sql_session_run(run->session, error, text, lock_row, &answer);
	if (!rc && answer == LOCK_NO_ROLE) {
		snprintf(text, sizeof(text), LOCK_OF_EVERYBODY, milliseconds);
		rc = sql_session_run(run->session, error, text, lock_row, &answer);
	}
	if (rc == SQL_SERVER_ERROR) {
		struct record r;
		record_of(&r, run->visit, RECORD_NOTE, NULL, NULL, NULL);
		r.state = STATE_UNVERIFIED;
		RECORD_PRINTF(&r, detail,
			"this server has no application lock (%d: %.200s); run only one agent against it",
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
