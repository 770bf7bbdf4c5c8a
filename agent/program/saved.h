/* Reads last known good versions: the current generation, and the one before for what is damaged in it. Private to
 * program/. */
#ifndef PROGRAM_SAVED_H
#define PROGRAM_SAVED_H

#include "program/file.h"
#include "program/saved_index.h"

#define SAVED_CURRENT  "current.tar"
#define SAVED_PREVIOUS "previous.tar"

struct generation {
	int fd; /* the archive, or an older version's folder of files; -1: none */
	bool is_folder;
	const char *name; /* of the archive */
	uid_t owner;	  /* who owns the folder */
	struct saved_index index;
};

struct saved {
	struct generation base;	    /* says which versions there are */
	struct generation previous; /* only for entries that are damaged in the base */
	int damage; /* why the base is not the current generation: a negative errno, or 0 */
};

/* Whether there is one of this name, sound or not. */
bool saved_has(const struct saved *s, const char *name);
/* Opens the versions in a folder. 0; -ENOENT: there are none; -EBADMSG: none is readable; or another negative errno. */
int saved_open(struct saved **out, const char *folder);
void saved_close(struct saved *s);

enum { SAVED_SOUND, SAVED_OLDER };
/* Reads one version, which the caller frees; it ends with a zero byte. SAVED_SOUND; SAVED_OLDER: the current one is
 * damaged, so this is from the generation before; -ENOENT: there is none; -EBADMSG: it is damaged, and so is the one
 * before; -ENOMEM. */
int saved_read(char **text, size_t *size, const struct saved *s, const char *name);
/* The same for a file that is being loaded; reports what is damaged. NULL after reporting, or with r->failure set. */
char *saved_text(struct reading *r, size_t *size, const struct saved *s, const char *folder,
	const char *name);
/* Whether it is an archive, the current one, and every entry is sound. */
bool saved_is_sound(const struct saved *s);

/* The index of an archive. 0, -ENOMEM, or -EBADMSG. */
int archive_index_read(struct saved_index *out, int fd);
/* One entry's content, checked against its digest. 0, -ENOMEM, or -EBADMSG. */
int archive_entry_read(char **text, int fd, const struct saved_entry *e);

#endif
