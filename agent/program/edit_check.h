/* Checks that an edited text has the intended content: parses it with libconfig, independent of how it was edited. */
#ifndef PROGRAM_EDIT_CHECK_H
#define PROGRAM_EDIT_CHECK_H

#include "program/edit.h"

/* 0; -ENOMEM; -EBADMSG: `after` is not `before` with exactly this edit, or one of them cannot be parsed. */
int edit_check(const char *before, const char *after, const struct edit *e);

#endif
