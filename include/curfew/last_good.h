/* Last known good versions: copies of the configuration that the service has loaded, so that an error in a file
 * neither ends nor extends access. They are in one tar archive with an index of digests, current.tar; previous.tar is the
 * generation before, for what is damaged in the current one. */
#ifndef CURFEW_LAST_GOOD_H
#define CURFEW_LAST_GOOD_H

#include "curfew/program.h"

struct last_good {
	char *folder;  /* below the state directory */
	char *config;  /* name of its curfew.conf in messages: a path into the archive */
	char *clients; /* the same for its directory of client files */
};

/* Finds their directory. With NULL: below the state directory that systemd names, or the default, if no configuration
 * can be read. 0 or -ENOMEM. */
int last_good_locate(struct last_good *out, const char *state_directory);
void last_good_free(struct last_good *g);

/* Completes what program_load() read from `file`, if client files have errors: *program is replaced by one with the last
 * known good versions of those files. *kept are their names. A removed file stays removed. After an error, a negative
 * errno, *program is NULL and `problems` are freed. */
int last_good_complete(struct program **program, struct problems *problems, struct strings *kept,
	const char *file, const struct last_good *g, instant_t now);
/* Loads the complete saved configuration, for when curfew.conf itself has errors. The files may belong to the
 * directory's owner, the service's user. */
int last_good_load(
	struct program **out, struct problems *problems, const struct last_good *g, instant_t now);

/* Saves the files that `p` was loaded from; the client files in `kept` keep the version that they have, and removed files
 * have none: their access ends. Writes only if something differs, whole or not at all. The service's group may read it.
 * 0; -EAGAIN: a file has changed since it was loaded; or another negative errno. */
int last_good_save(const struct last_good *g, const struct program *p, const struct strings *kept,
	const char *file);

void strings_clear(struct strings *s);

#endif
