/* `curfew complete WORD...`: what the scripts in completions/ ask. */
#ifndef CURFEW_COMMANDS_COMPLETE_H
#define CURFEW_COMMANDS_COMPLETE_H

#include "commands/usage.h"

/* A line of its own: names of files belong here, which the shell knows best. */
#define COMPLETE_FILES ":files"

/* `words` is what stands behind "curfew", the last of them being typed and possibly empty. Prints each candidate that
 * begins like it: WORD, tab, description. */
int complete_run(int n, char *const *words);

#endif
