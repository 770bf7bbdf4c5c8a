/* What a certificate reads from the journal and its archives. */
#ifndef COMMANDS_CERTIFICATE_JOURNAL_H
#define COMMANDS_CERTIFICATE_JOURNAL_H

#include "commands/audit_collect.h"

/* Replaces the history, which is of the journal alone, by all records since the client's start; *events gets the events of
 * all clients since then. 0 or exit code: an archive that cannot be read is an error, because without it a place where
 * access was given would be missing. */
int certificate_history(struct collected *c, struct journal_entries *events, const struct cli *cli);
/* The last record of a DROP LOGIN that was done; 0: none. By login only, because it may have no client. */
int64_t certificate_drop(const struct collected *c, const char *login, const char *server);
/* The name of this host, whose packet filter alone was read. Static buffer; NULL: it has none. */
const char *certificate_host(void);

#endif
