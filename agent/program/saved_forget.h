/* Last known good versions of removed client files, when they cannot be saved anew. Private to program/. */
#ifndef PROGRAM_SAVED_FORGET_H
#define PROGRAM_SAVED_FORGET_H

#include "program/saved.h"

/* Makes every version in the folder unreadable for which `stays` returns false. 0 or negative errno. */
int saved_forget(int folder, const struct saved *s,
	bool (*stays)(const void *context, const char *name), const void *context);

#endif
