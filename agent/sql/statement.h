/* Used only by sql/: pieces of T-SQL. Each writes one statement or block without a semicolon, so that it can follow an
 * IF. 0, or -ENOTSUP for a name that Curfew cannot write. */
#ifndef CURFEW_SQL_STATEMENT_H
#define CURFEW_SQL_STATEMENT_H

#include "curfew/sql.h"

int statement_write_grant(
	FILE *to, const struct permission *p, const char *verb, const char *grantee);
int statement_write_revoke(FILE *to, const struct change *c);
int statement_write_owner(FILE *to, const struct change *c);

/* Ends the batch unless the enabled DDL triggers of the database are those that were read. 0 or -ENOMEM. */
int statement_write_guard(FILE *to, const struct observed_database *d);
/* The same for the server's triggers, of which those that `known` refuses may not be there. */
void statement_write_server_guard(
	FILE *to, const struct observed_server *o, const struct strings *known);

#endif
