/* What `curfew revoke` says: first what is closed, then what may be open, then what is recorded. */
#ifndef COMMANDS_REVOKE_TEXT_H
#define COMMANDS_REVOKE_TEXT_H

#include "commands/command.h"
#include "curfew/control.h"
#include "curfew/report.h"

/* What became of the network's entries, which are closed whatever the SQL servers do; to stdout. */
void revoke_network_print(const struct program *p, const struct records *k);
/* Whether everything was done, and recorded. */
bool revoke_is_done(const struct pass_result *r);
/* To stderr, where it was not. */
void revoke_incomplete_print(const struct cli *cli, const struct program *p,
	const struct pass_result *r, const struct records *k, enum recorded recorded);

#endif
