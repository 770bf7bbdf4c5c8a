/* The passwords of logins, and whether they were handed over, in `curfew status`. */
#ifndef COMMANDS_STATUS_PASSWORD_H
#define COMMANDS_STATUS_PASSWORD_H

#include "commands/command.h"

/* "set", "must change", "not handed over", "locked", "expired", "login disabled"; NULL: unknown. */
const char *status_password(const struct records *k, const struct journal_entries *handovers,
	bool archived, const struct grant *g);
/* The journal's handovers, and whether an archive may have older ones. 0 or negative errno. */
int status_handovers(struct journal_entries *out, bool *archived, struct journal *j);

#endif
