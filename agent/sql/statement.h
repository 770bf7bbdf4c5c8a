/* Inside the statements: pieces of T-SQL. Each is one statement (or block) without its semicolon, so that it may stand
 * behind an IF. 0, or -ENOTSUP for what the agent cannot name. Not for other modules. */
#ifndef CURFEW_SQL_STATEMENT_H
#define CURFEW_SQL_STATEMENT_H

#include "curfew/sql.h"

int statement_write_grant(
	FILE *to, const struct permission *p, const char *verb, const char *grantee);
int statement_write_revoke(FILE *to, const struct change *c);
int statement_write_owner(FILE *to, const struct change *c);

#endif
