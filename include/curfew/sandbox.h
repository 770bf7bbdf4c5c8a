/* Privileges that a process drops before it reads untrusted data. None can be regained. */
#ifndef CURFEW_SANDBOX_H
#define CURFEW_SANDBOX_H

#include "curfew/base.h"

enum sandbox_profile {
	SANDBOX_FIREWALL, /* CAP_NET_ADMIN, netlink, no access to the file system */
	SANDBOX_SERVICE,  /* no capability; writes only below the given paths; may fork workers */
	SANDBOX_SQL_WORKER, /* no capability; internet sockets; reads only the given paths, writes nothing */
	SANDBOX_FIREWALL_KEEPER, /* as FIREWALL, and writes only below the given paths */
	SANDBOX_SENDER,		 /* as SQL_WORKER, and the system log */
	SANDBOX_BOOT,		 /* CAP_NET_ADMIN; reads the configuration; no internet sockets */
};

struct sandbox_paths {
	const char *const *read;  /* NULL-terminated, or NULL; missing paths are skipped */
	const char *const *write; /* NULL-terminated, or NULL */
	/* SQL_WORKER: TCP ports, besides 53, to which it may connect; 0 ends the list. NULL: any. Enforced by Landlock
	 * ABI 4 (kernel 6.7) and newer. */
	const uint16_t *connect;
};

/* no_new_privs, not dumpable, no core, capabilities (all sets, ambient and bounding included as far as the kernel
 * lets), Landlock where the kernel has it, system-call filter. 0, or negative errno with nothing half-trusted: the
 * caller must end the process. A kernel without Landlock is not an error: *landlocked (may be NULL) says so.
 *
 * A filter is inherited by every child, so SANDBOX_SERVICE cannot shut out the internet sockets that the workers
 * forked from it need; that the service itself opens none is seen by test, not enforced by it.
 * What no code of ours ever calls (exec, ptrace, mount, module loading, bpf, ...) ends the process at once; what
 * libraries merely try (newer calls with an older fallback) fails with ENOSYS. */
int sandbox_enter(
	bool *landlocked, enum sandbox_profile profile, const struct sandbox_paths *paths);

/* In a process whose children will enter the profile: makes the filter that each would make. 0, or negative errno:
 * each makes its own. */
int sandbox_prepare(enum sandbox_profile profile);

#endif
