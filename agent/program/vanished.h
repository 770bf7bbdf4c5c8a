/* Client files that are gone and may be what a file with errors was before. Private to program/. */
#ifndef PROGRAM_VANISHED_H
#define PROGRAM_VANISHED_H

#include "curfew/last_good.h"
#include "program/saved.h"

/* Adds the names of client files that stay loaded from their last known good version. Returns their number, or
 * -ENOMEM. */
int vanished_find(struct strings *out, const struct program *p, const struct problems *problems,
	const char *config, const struct saved *saved, const struct last_good *g);

#endif
