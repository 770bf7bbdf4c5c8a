/* Used only by sql/: pieces of T-SQL. Each writes one statement or block without a semicolon, so that it can follow an
 * IF. 0, or -ENOTSUP for a name that Curfew cannot write. */
#ifndef CURFEW_SQL_STATEMENT_H
#define CURFEW_SQL_STATEMENT_H

#include "curfew/sql.h"

int statement_write_grant(
	FILE *to, const struct permission *p, const char *verb, const char *grantee);
/* Of several statements each has its guard directly before it, if there is a database to be guarded. */
int statement_write_revoke(
	FILE *to, const struct change *c, const struct observed_database *guarded);
int statement_write_owner(
	FILE *to, const struct change *c, const struct observed_database *guarded, bool as_owner);

/* Who a change is made as inside of a database. */
enum change_identity {
	RUNS_AS_AGENT,
	RUNS_AS_OWNER,
	RUNS_AS_USER_LOGIN,
};
enum change_identity change_identity(enum change_kind kind);
/* The statement stands in its database, in a batch that declares the variables once. */
void statement_write_as_owner(FILE *to, const char *statement);
/* The same as USER_LOGIN, which gets what the change needs, and gives it back. */
void statement_write_as_user_login(FILE *to, const struct change *c, const char *statement);
/* A condition: the login is as bootstrap makes it. */
void user_login_fitness_write(FILE *to);
/* Makes the session the agent's again. Nothing in it makes somebody else's code run, so a syntax error says that the
 * server does not know the statements by which a change runs as the owner. */
void statement_write_owner_end(FILE *to);
/* Of the variables, the agent's user in the database. */
#define AGENT_USER "@agent"

/* Whether the session waits for locks, for as long as LOCK_PATIENCE, or not at all. */
void statement_write_patience(FILE *to, bool waits);
/* Ends the batch, or its TRY block, unless the enabled DDL triggers of the database are those that were read. From here
 * on the session waits for no lock until statement_write_patience(). 0 or -ENOMEM. */
int statement_write_guard(FILE *to, const struct observed_database *d);
/* The same inside of a transaction that stands in its database. d NULL: nothing. */
void statement_write_inner_guard(FILE *to, const struct observed_database *d);
/* The same for the server's triggers, of which those that `known` refuses may not be there. */
void statement_write_server_guard(
	FILE *to, const struct observed_server *o, const struct strings *known);
/* The same for a login that is enabled or removed: the name must still have this SID. Size 0: nothing. */
void statement_write_login_guard(FILE *to, const char *login, const struct sid *sid);

#endif
