/* Two versions of a text as a unified patch, which patch(1) and git take. Pure. */
#ifndef CURFEW_PATCH_H
#define CURFEW_PATCH_H

#include "curfew/base.h"

/* Nothing for equal texts. 0 or -ENOMEM. */
int patch_print(FILE *to, const char *name, const char *before, const char *after);
/* The lines that are only in `before` (`side` '-') or only in `after` ('+'), as one line. Owned; NULL without memory. */
char *patch_lines(const char *before, const char *after, char side);

#endif
