/* Used only by process/: the two kernel mechanisms of sandbox_enter(). */
#ifndef PROCESS_SANDBOX_INTERNAL_H
#define PROCESS_SANDBOX_INTERNAL_H

#include <seccomp.h>
#include <sys/types.h>

#include "curfew/sandbox.h"

/* Landlock; *locked is false if the kernel does not have it. */
int sandbox_lock_paths(
	bool *locked, enum sandbox_profile profile, const struct sandbox_paths *paths);
/* seccomp; the last step, because it forbids the others. */
int sandbox_filter_calls(enum sandbox_profile profile);
/* Gives the profile's filter to `use`; `self` is the only process that may be signaled. 0 or negative errno. */
int sandbox_filter_with(int (*use)(scmp_filter_ctx f, void *context), void *context,
	enum sandbox_profile profile, pid_t self);

#endif
