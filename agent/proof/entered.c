/* Which database the session is in. An error of severity 20 or more ends the connection, and damage to one database is
 * enough for it: such a database must not keep the others of its server from being read and narrowed. The worker has
 * forgotten its password by then, so it names the database and ends, and the pass runs the visit again without it.
 *
 * A question that takes for ever counts as such an end. Whoever controls a database can make one, by very much that the
 * question has to look at, and no lock is in its way that LOCK_TIMEOUT would see. So an answer must come while the visit
 * has time left to say which database it was. */
#include <string.h>

#include "proof/visit_run.h"

void entered_note(struct visit_run *run, const char *database)
{
	run->entered.any = true;
	record_set(run->entered.database, sizeof(run->entered.database), database ? database : "");
}

/* Parts of the visit's time, for one answer: about all databases together, and about one. */
enum { PART_TOGETHER = 2, PART_APART = 4 };

void entered_ask(struct visit_run *run, const char *database)
{
	const struct sql_visit *v = run->visit;

	entered_note(run, database);
	sql_session_limit(
		run->session, v->seconds * 1000 / (v->apart ? PART_APART : PART_TOGETHER));
}

int entered_leave(struct visit_run *run, int rc)
{
	run->entered.any = run->entered.any && rc < 0;
	sql_session_limit(run->session, 0);
	return rc;
}

const struct sql_ender *entered_ender(const struct visit_run *run, const char *database)
{
	char name[sizeof(run->entered.database)];

	record_set(name, sizeof(name), database);
	for (size_t i = 0; i < run->visit->n_enders; i++)
		if (streq(run->visit->enders[i].database, name))
			return &run->visit->enders[i];
	return NULL;
}

bool entered_goes_again(const struct visit_run *run, int rc)
{
	/* Once more anyway, since a connection may be lost for any reason: then with one database at a time. */
	return rc < 0 && run->session && sql_session_is_lost(run->session) && run->entered.any &&
	       (!run->visit->apart || run->entered.database[0]);
}
