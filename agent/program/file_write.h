/* A client file is written whole or not at all, and never over another's change. */
#ifndef PROGRAM_FILE_WRITE_H
#define PROGRAM_FILE_WRITE_H

#include "curfew/base.h"

/* Puts `text` in the place of the file, which must hold `expected` and keeps its mode and owner. `expected` NULL: there
 * must be no file of that name yet; it gets mode 0640, and the folder's owner and group. 0 or negative errno, among them
 * -ESTALE: it holds something else by now; -EEXIST; -EBUSY: another command is writing in that folder; -ELOOP: it is a
 * symbolic link. */
int file_replace(const char *path, const char *text, const char *expected);

#endif
