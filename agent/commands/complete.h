/* `curfew complete WORD...`, for the scripts in completions/. */
#ifndef CURFEW_COMMANDS_COMPLETE_H
#define CURFEW_COMMANDS_COMPLETE_H

#include "commands/usage.h"

/* Printed on a line of its own: the shell completes file names. */
#define COMPLETE_FILES ":files"

/* `words` are the words after "curfew"; the last one is incomplete and may be empty. Prints each candidate: WORD,
 * tab, description. */
int complete_run(int n, char *const *words);

#endif
