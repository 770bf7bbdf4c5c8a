/* Last known good versions: what the service keeps of the configuration that it has loaded, so that a file with errors
 * neither ends nor prolongs what it said before. Laid out as the files are: curfew.conf, and the clients beside it. */
#ifndef CURFEW_LAST_GOOD_H
#define CURFEW_LAST_GOOD_H

#include "curfew/program.h"

struct last_good {
	char *folder;  /* below the state directory */
	char *config;  /* its curfew.conf */
	char *clients; /* its folder of client files */
};

/* Where they lie. NULL: below the state directory that the service manager names, or the usual one, for when no
 * configuration can say. 0 or -ENOMEM. */
int last_good_locate(struct last_good *out, const char *state_directory);
void last_good_free(struct last_good *g);

/* As program_load(), but a client file that has errors is read from its last known good version. *kept are the names
 * of those that were; a file that is gone is gone. Set on success only. */
int last_good_complete(struct program **out, struct problems *problems, struct strings *kept,
	const char *file, const struct last_good *g, instant_t now);
/* The whole of what is kept: what the service goes by when curfew.conf itself has errors. The files may belong to the
 * folder's owner, who is the service's user. */
int last_good_load(
	struct program **out, struct problems *problems, const struct last_good *g, instant_t now);

/* Keeps the files that `p` was loaded from, but for the client files in `kept`. A file that is gone is kept no longer:
 * its access ends. The service's group may read them. 0 or negative errno. */
int last_good_save(const struct last_good *g, const struct program *p, const struct strings *kept,
	const char *file);

void strings_clear(struct strings *s);

#endif
