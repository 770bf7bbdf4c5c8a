/* Last known good versions as older versions of Curfew saved them: a folder of files. Private to program/. */
#ifndef PROGRAM_SAVED_FOLDER_H
#define PROGRAM_SAVED_FOLDER_H

#include "program/saved.h"

/* Opens what an older version left in the folder. -ENOENT: nothing. */
int folder_generation_open(struct generation *out, int folder, uid_t owner);
int folder_entry_read(char **text, size_t *size, const struct generation *g, const char *name);
/* Deletes those files, and new versions that a process did not live to put in their place. */
void folder_generation_remove(int folder);

#endif
