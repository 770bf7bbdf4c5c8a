/* The output of `curfew revoke`: what is blocked, what may still be open, what is recorded. */
#ifndef COMMANDS_REVOKE_TEXT_H
#define COMMANDS_REVOKE_TEXT_H

#include "commands/command.h"
#include "curfew/control.h"
#include "curfew/report.h"

/* Prints the result for network entries, which are removed whatever the SQL servers do; to stdout. */
void revoke_network_print(const struct program *p, const struct records *k);
/* Grants that the pass did not find as scheduled; nobody is admitted on them. */
size_t grants_still_blocked(const struct records *k, const char *client, const char *login);
/* Whether everything was done and recorded. */
bool revoke_is_done(const struct pass_result *r);
/* Prints to stderr what was not done. */
void revoke_incomplete_print(const struct cli *cli, const struct program *p,
	const struct pass_result *r, const struct records *k, enum recorded recorded);

#endif
