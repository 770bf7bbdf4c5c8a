/* The firewall process's own copy of the revocations and of the journal's head, as the service reported them, and the
 * guards of its table: lines in a directory that the service cannot write to. The service can only add lines. */
#ifndef FIREWALL_HELPER_RECORDS_H
#define FIREWALL_HELPER_RECORDS_H

#include "curfew/firewall_record.h"

struct helper_records;

/* `folder` NULL: nothing is remembered, and nobody counts as revoked. A line that cannot be read is skipped and counted.
 * 0 or negative errno; *out is set also then, with as much as could be read, but for -ENOMEM. */
int helper_records_open(struct helper_records **out, const char *folder, size_t *unreadable);
/* For tests: the process keeps them until it ends. */
void helper_records_close(struct helper_records *r);
/* Synced to disk when it returns. -EINVAL: the line is invalid, or about a guard. */
int helper_records_add(struct helper_records *r, const char *line);
/* The table has the guards of this list: saves those that it did not have before, and forgets the others. */
int helper_records_guards(struct helper_records *r, const struct allowlist *w, instant_t now);
/* All lines, the newest last; owned by the caller. NULL without memory. */
char *helper_records_text(const struct helper_records *r);
/* NULL: it has none. */
const struct firewall_memory *helper_records_memory(const struct helper_records *r);

#endif
