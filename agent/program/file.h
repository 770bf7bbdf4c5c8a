/* Files of the configuration: opened once, judged by that descriptor, read from it. */
#ifndef PROGRAM_FILE_H
#define PROGRAM_FILE_H

#include "program/config_reader.h"

#include <sys/types.h>

/* The folder that a path lies in, and a name's path below a folder. The caller frees them; NULL: r->failure. */
char *path_folder(struct reading *r, const char *path);
char *path_join(struct reading *r, const char *folder, const char *name);
/* A folder that only root or we can write; -1 after reporting. The caller closes it. */
int folder_open(struct reading *r, const char *path);
/* A regular file in the folder that only root or we can write, whole and ended by a zero byte; NULL after
 * reporting, or without a word to r->failure. The caller frees it. */
char *file_read(struct reading *r, int folder, const char *name, size_t *size);

/* Who may do what with a file that holds a secret. */
enum secret_rule {
	SECRET_OURS,	/* nobody but its owner may read it */
	SECRET_MANAGED, /* handed over by the service manager: an access list may show as group bits */
};
/* Reports a secret file that is missing or too open; `words` says what it is for. Never reads it. */
void secret_check(
	struct reading *r, int line, const char *path, enum secret_rule rule, const char *words);
/* Looks at the file of one credential; `words` says what it is for. */
void credential_check(const struct settings *s, struct reading *r, int line, const char *name,
	enum secret_rule rule, const char *words);
/* Reports a file that others could exchange, as a CA certificate. */
void trusted_file_check(struct reading *r, int line, const char *path, const char *words);

#endif
