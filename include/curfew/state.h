/* Opens the state on disk as the settings say. */
#ifndef CURFEW_STATE_H
#define CURFEW_STATE_H

#include "curfew/journal.h"

/* Opens the journal of the state directory, with a key if `journal_key` is set. `write` creates missing directory and
 * file. Results as of journal_open(); -ENOKEY also for a key file that is missing, unreadable, or too short. */
int state_journal_open(struct journal **out, const struct settings *s, bool write);

/* Opens an archive or a copy to read, with the key if `journal_key` is set and its credential can be read. */
int state_archive_open(struct journal **out, const struct settings *s, const char *path);

/* Closes the intents of processes that died, with outcome "unknown"; the next pass observes what exists now. Call it
 * only if no other process can be making changes. 0 or the journal's error. */
int state_settle(struct journal *j, instant_t now);

#endif
