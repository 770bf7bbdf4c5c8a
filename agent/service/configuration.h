/* What the service has loaded: the files as they are, and last known good versions of those that have errors. */
#ifndef SERVICE_CONFIGURATION_H
#define SERVICE_CONFIGURATION_H

#include "curfew/last_good.h"

struct configuration {
	struct program *program;
	struct strings kept; /* client files loaded from their last known good version */
	bool left_out; /* a client file has errors and no such version: nothing of it is loaded */
	struct last_good saved;
};

/* FILE, or, when that itself has errors, its last known good version. `report`: what is wrong with client files goes to
 * the log too. 0, -EINVAL when there is nothing to go by, other negative errno. */
int configuration_open(struct configuration *out, const char *file, bool report);
/* The same by last known good versions below `folder`, whoever may write the state directory. */
int configuration_open_own(struct configuration *out, const char *file, const char *folder);
/* FILE as it is now, with the versions kept at `saved`, which is copied. -EINVAL: it has errors, which are logged. */
int configuration_load(struct configuration *out, const char *file, const struct last_good *saved);
void configuration_free(struct configuration *c);

#endif
