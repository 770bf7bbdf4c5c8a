/* Which database the session is in. An error of severity 20 or more ends the connection, and damage to one database is
 * enough for it: such a database must not keep the others of its server from being read and narrowed. The worker has
 * forgotten its password by then, so it names the database and ends, and the pass runs the visit again without it. */
#include <string.h>

#include "proof/visit_run.h"

void entered_note(struct visit_run *run, const char *database)
{
	run->entered.any = true;
	record_set(run->entered.database, sizeof(run->entered.database), database ? database : "");
}

int entered_leave(struct visit_run *run, int rc)
{
	run->entered.any = run->entered.any && rc < 0;
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
