/* What Curfew keeps on disk, opened as the settings say. */
#ifndef CURFEW_STATE_H
#define CURFEW_STATE_H

#include "curfew/journal.h"

/* The journal of the state directory, keyed when `journal_key` is set; `write` makes folder and file when they are not
 * there. As journal_open(); -ENOKEY also for a key file that is missing, unreadable or too short. */
int state_journal_open(struct journal **out, const struct settings *s, bool write);

/* Changes that were announced and of which nothing was said: whoever made them died. On record as "unknown", for what is
 * there now is seen by the next pass. Only where nobody else can be in the midst of one. 0 or what the journal said. */
int state_settle(struct journal *j, instant_t now);

#endif
