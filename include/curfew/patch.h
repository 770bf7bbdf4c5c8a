/* Two versions of a text as a unified diff for patch(1) and git. Pure. */
#ifndef CURFEW_PATCH_H
#define CURFEW_PATCH_H

#include "curfew/base.h"

/* Prints nothing if the texts are equal. 0 or -ENOMEM. */
int patch_print(FILE *to, const char *name, const char *before, const char *after);
/* The lines that are only in `before` (`side` '-') or only in `after` ('+'), joined to one line. Owned; NULL without
 * memory. */
char *patch_lines(const char *before, const char *after, char side);

#endif
