/* Rights that a process sheds before its first untrusted byte. None of them comes back. */
#ifndef CURFEW_SANDBOX_H
#define CURFEW_SANDBOX_H

#include "base.h"

enum sandbox_profile {
	SANDBOX_FIREWALL,   /* CAP_NET_ADMIN, netlink, nothing of the file system */
	SANDBOX_ENGINE,	    /* no capability, no internet sockets; writes only below the paths given */
	SANDBOX_SQL_WORKER, /* no capability, internet sockets, reads only the paths given, writes nothing */
	SANDBOX_BOOT,	    /* CAP_NET_ADMIN, reads configuration, no internet sockets */
};

struct sandbox_paths {
	const char *const *read;  /* NULL-terminated */
	const char *const *write; /* NULL-terminated */
};

/* no_new_privs, not dumpable, capabilities (all sets, ambient and bounding included as far as the kernel lets),
 * Landlock where the kernel has it, system-call filter. 0, or negative errno with nothing half-trusted: the
 * caller must end the process. A kernel without Landlock is not an error: *landlocked says so. */
int sandbox_enter(bool *landlocked, enum sandbox_profile profile, const struct sandbox_paths *paths);

#endif
