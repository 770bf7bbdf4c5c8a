/* Whether a text that was edited is what was meant: asked of libconfig, which knows nothing of how it was done. */
#ifndef PROGRAM_EDIT_CHECK_H
#define PROGRAM_EDIT_CHECK_H

#include "program/edit.h"

/* 0; -ENOMEM; -EBADMSG: `after` is not `before` with that edit alone, or one of the two is no configuration. */
int edit_check(const char *before, const char *after, const struct edit *e);

#endif
