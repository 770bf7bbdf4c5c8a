/* Checks a server: one line for each thing tried. Changes nothing. After a failure the other checks still run, as long
 * as there is a session. */
#include "server_check/server_check.h"

#include <sodium.h>

int server_check_prepare(void *context)
{
	struct server_check *c = context;

	return sql_visit_prepare(&c->visit);
}

int server_check_run(struct worker *w, void *context)
{
	struct server_check *check = context;
	struct check_run c = {.worker = w, .check = check};
	int rc = check_session_open(&c);

	sodium_free(check->visit.password);
	check->visit.password = NULL;
	if (rc)
		return rc;
	rc = check_facts(&c);
	if (!rc)
		rc = check_reads(&c);
	for (size_t i = 0; i < check->n_databases && !rc; i++)
		rc = check_database(&c, i);
	if (rc) {
		char words[RECORD_TEXT_MAX];
		c.database = NULL;
		check_tell(&c, CHECK_FAIL, "connection",
			"look at the server's error log, then check again", "lost: %s",
			check_said(words, &c));
	}
	sql_session_close(c.session);
	return 0;
}
