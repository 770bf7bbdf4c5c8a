/* Files of the configuration: opened once, then checked and read through that descriptor. */
#ifndef PROGRAM_FILE_H
#define PROGRAM_FILE_H

#include "curfew/secret.h"
#include "program/config_reader.h"

#include <sys/stat.h>
#include <sys/types.h>

/* A client file has a few kilobytes. A larger file is not one. */
#define MAX_FILE_BYTES (1024 * 1024)

/* The directory part of a path, and the path of a name in a directory. The caller frees them; NULL: see r->failure. */
char *path_folder(struct reading *r, const char *path);
char *path_join(struct reading *r, const char *folder, const char *name);
/* Opens a directory that only root or this user can write; -1 after reporting. The caller closes it. */
int folder_open(struct reading *r, const char *path);
/* Reads a regular file in the directory that only root or this user can write; the text ends with a zero byte. NULL
 * after reporting, or with r->failure set. The caller frees it. */
char *file_read(struct reading *r, int folder, const char *name, size_t *size);

/* Whether only root, this user, or `owner` could have written the file. */
bool file_is_trusted(const struct stat *st, uid_t owner);

/* Which permissions a file with a secret may have. */
enum secret_rule {
	SECRET_OURS, /* only its owner may read it */
	SECRET_MANAGED, /* provided by systemd: an access control list may appear as group permissions */
};
struct secret_kind {
	const char *words;  /* what it is for */
	const char *server; /* whose it is, for `curfew credential`; NULL: nobody's */
	enum secret_use use;
};
/* Reports the file of one credential that is missing, has too open permissions, or holds no secret as secret_line() reads
 * it. Only the last needs its text, which is wiped at once; the service, whose files systemd provides, never reads it. */
void credential_check(const struct settings *s, struct reading *r, int line, const char *name,
	enum secret_rule rule, const struct secret_kind *kind);
/* Reports a file of CA certificates that others could replace, or that contains none. */
void certificate_file_check(struct reading *r, int line, const char *path, const char *words);

#endif
