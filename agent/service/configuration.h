/* The loaded configuration: the files, and the last known good versions of those that have errors. */
#ifndef SERVICE_CONFIGURATION_H
#define SERVICE_CONFIGURATION_H

#include "curfew/last_good.h"

struct configuration {
	struct program *program;
	struct strings kept; /* client files loaded from their last known good version */
	char *left_out; /* a client file with errors and no such version: not loaded; owned, or NULL */
	bool main_kept; /* curfew.conf has errors, so everything is its last known good version */
	struct last_good saved;
};

/* Some files have errors and were replaced or left out. */
bool configuration_is_partial(const struct configuration *c);

/* Loads FILE or, if curfew.conf itself has errors, its last known good version. `report`: log the errors of client
 * files too. Returns 0, -EINVAL if there is no good version either, or another negative errno. */
int configuration_open(struct configuration *out, const char *file, bool report);
/* As configuration_open(), but with the last known good versions below `folder`, which the owner of the state directory
 * cannot change. */
int configuration_open_own(struct configuration *out, const char *file, const char *folder);
/* Loads FILE with the last known good versions in `saved`, which is copied. Returns -EINVAL if FILE has errors; they
 * are logged. */
int configuration_load(struct configuration *out, const char *file, const struct last_good *saved);
/* last_good_save(), but waits only a bounded time for a disk that hangs: -ETIMEDOUT. */
int configuration_save(const struct last_good *saved, const struct program *p,
	const struct strings *kept, const char *file);
void configuration_free(struct configuration *c);

#endif
