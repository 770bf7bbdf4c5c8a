/* Used only by process/: the two kernel mechanisms of sandbox_enter(). */
#ifndef ENGINE_SANDBOX_INTERNAL_H
#define ENGINE_SANDBOX_INTERNAL_H

#include "curfew/sandbox.h"

/* Landlock; *locked is false if the kernel does not have it. */
int sandbox_lock_paths(
	bool *locked, enum sandbox_profile profile, const struct sandbox_paths *paths);
/* seccomp; the last step, because it forbids the others. */
int sandbox_filter_calls(enum sandbox_profile profile);

#endif
