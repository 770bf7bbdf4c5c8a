/* Client files that are gone while another, with errors, may be what became of them. Not for other modules. */
#ifndef PROGRAM_VANISHED_H
#define PROGRAM_VANISHED_H

#include "curfew/last_good.h"

/* Adds the names of those that stay in force by their last known good version. How many, or -ENOMEM. */
int vanished_find(struct strings *out, const struct program *p, const struct problems *problems,
	const char *config, const struct last_good *g);

#endif
