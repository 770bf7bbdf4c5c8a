/* What the firewall process remembers, for commands that write the journal while the service is not running. */
#ifndef COMMANDS_REMEMBERED_H
#define COMMANDS_REMEMBERED_H

#include "commands/command.h"

#define REMEMBERED_HOLD                                                                            \
	"cannot compare the records with what the firewall process remembers; no access is granted"

/* Opens it once. Only root can, so call this before root becomes the owner of the state directory. A descriptor that stays
 * open, or negative errno; -ENOENT: there is none. */
int remembered_open(const struct program *p);
/* Puts revocations back in force that only the firewall process has, also in `o` (may be NULL), detects a loss of
 * records, and while records are missing keeps the guards that it remembers. Does nothing while the service runs. 0 or
 * exit code, after printing the error: then no access may be granted. */
int remembered_take(struct overrides *o, const struct cli *cli, const struct program *p,
	struct journal *j, instant_t now);

#endif
