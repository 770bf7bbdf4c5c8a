/* Writes a client file completely or not at all, and never over another process's change. */
#ifndef PROGRAM_FILE_WRITE_H
#define PROGRAM_FILE_WRITE_H

#include "curfew/base.h"

/* Replaces the content of the file, which must still be `expected`; keeps mode and owner. With `expected` NULL the
 * file must not exist; it gets mode 0640 and the directory's owner and group. Returns 0 or negative errno: -ESTALE:
 * the content is no longer `expected`; -EEXIST; -EBUSY: another command is writing in this directory; -ELOOP: a
 * symbolic link. */
int file_replace(const char *path, const char *text, const char *expected);

#endif
