/* When an audit saw a finding first: recorded, so that a later one can tell what is new. */
#ifndef COMMANDS_AUDIT_FIRST_SEEN_H
#define COMMANDS_AUDIT_FIRST_SEEN_H

#include "commands/audit_collect.h"

/* A record for each finding that no audit had. Without the right to write the journal, each stays new. */
void audit_first_seen_record(const struct collected *c);

#endif
