/* The last change that failed for one login, and its last verification, by the journal. */
#ifndef COMMANDS_LAST_FAILURE_H
#define COMMANDS_LAST_FAILURE_H

#include "curfew/journal.h"

/* Intents, outcomes and proofs of a login, oldest first. 0 or the journal's error. */
int login_changes_read(
	struct journal_entries *out, struct journal *j, const char *client, const char *login);

/* What failed on the server when its access was changed last; NULL: nothing, or it was put right since then. What was
 * skipped because something failed before it is no failure of its own. */
const struct journal_entry *last_failure(const struct journal_entries *changes, const char *server);
/* The T-SQL of every change that failed then, as a DBA would run it: "A; B;". Owned; NULL: none on record. */
char *last_failure_statements(const struct journal_entries *changes, const char *server);

/* The last verification of the database, if it is not good; NULL: it is, or there is none. */
const struct journal_entry *last_doubt(
	const struct journal_entries *changes, const char *server, const char *database);

#endif
