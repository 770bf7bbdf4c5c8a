/* Reads records of the journal and of the archives that it names. */
#ifndef COMMANDS_PAST_RECORDS_H
#define COMMANDS_PAST_RECORDS_H

#include "commands/command.h"
#include "curfew/lost_records.h"

/* A journal, or the file of --journal, that is broken is no source of a report. 0 or exit code. */
int past_verify(const struct cli *cli, struct journal *j);
/* Adds the entries that the filter lets through, oldest archive first, as far back as `from` requires. The journal is
 * verified. An archive that is needed and cannot be read, or is broken, is an error, because the answer would be
 * incomplete. 0 or exit code. */
int past_read(struct journal_entries *out, const struct cli *cli, struct journal *j,
	const struct journal_filter *f, instant_t from);
/* The times between `from` and `to` of which records are missing, also by the archives, and with --journal by that file
 * alone. Tells each on stderr. The caller frees it in any case. 0 or exit code. */
int past_lost(struct lost_records *out, const struct cli *cli, struct journal *j, instant_t from,
	instant_t to);
/* The same without reading an archive. */
int past_lost_here(struct lost_records *out, const struct cli *cli, struct journal *j,
	instant_t from, instant_t to);
/* The file with the records before the journal's first, as the journal names it. Owned; *out NULL: it names none. */
int past_path(char **out, struct journal *j);
/* Tells on stderr if the file's archive, which is not read, may have records that the filter lets through. 0 or exit code. */
int past_tell(const struct cli *cli, struct journal *j, const struct journal_filter *f);
/* The journal with the records at `at`: `j`, or an archive, which the caller closes. 0 or exit code. */
int past_journal(struct journal **out, const struct cli *cli, struct journal *j, instant_t at);

#endif
