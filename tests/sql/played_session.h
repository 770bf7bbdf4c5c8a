/* A session without a server, for tests that play sql_session_run(): nothing is opened, every setting is as it must be. */
#ifndef TESTS_SQL_PLAYED_SESSION_H
#define TESTS_SQL_PLAYED_SESSION_H

#include "curfew/sql.h"

static unsigned questions; /* batches that were sent */

int sql_session_open(
	struct sql_session **out, struct sql_error *error, const struct sql_session_options *o)
{
	static char session;

	(void)error, (void)o;
	*out = (struct sql_session *)&session;
	return 0;
}

void sql_session_watch(struct sql_session *s, bool on)
{
	(void)s, (void)on;
}

void sql_session_close(struct sql_session *s)
{
	(void)s;
}

void sql_session_limit(struct sql_session *s, unsigned milliseconds)
{
	(void)s, (void)milliseconds;
}

bool sql_session_is_lost(const struct sql_session *s)
{
	(void)s;
	return false;
}

const char *sql_session_unsettled(const struct sql_session *s)
{
	(void)s;
	return NULL;
}

unsigned sql_session_round_trips(const struct sql_session *s)
{
	(void)s;
	return questions;
}

#endif
