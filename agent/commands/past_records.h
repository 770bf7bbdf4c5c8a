/* Reads records of the journal and of the archives that it names. */
#ifndef COMMANDS_PAST_RECORDS_H
#define COMMANDS_PAST_RECORDS_H

#include "commands/command.h"

/* Adds the entries that the filter lets through, oldest archive first, as far back as `from` requires. An archive that is
 * needed and cannot be read is an error, because the answer would be incomplete. 0 or exit code. */
int past_read(struct journal_entries *out, const struct cli *cli, struct journal *j,
	const struct journal_filter *f, instant_t from);
/* The file with the records before the journal's first, as the journal names it. Owned; *out NULL: it names none. */
int past_path(char **out, struct journal *j);
/* The journal with the records at `at`: `j`, or an archive, which the caller closes. 0 or exit code. */
int past_journal(struct journal **out, const struct cli *cli, struct journal *j, instant_t at);

#endif
