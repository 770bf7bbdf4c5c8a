/* Drops privileges in this order: those that exec could bring back, capabilities, the file system, system calls. */
#include <errno.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "process/sandbox_internal.h"

static bool sandbox_keeps(enum sandbox_profile profile, cap_value_t cap)
{
	/* These profiles exist to change the packet filter. */
	return cap == CAP_NET_ADMIN && profile != SANDBOX_SERVICE && profile != SANDBOX_SQL_WORKER;
}

/* Compare permitted capabilities. Inheritable ones matter only for an exec, and no_new_privs makes them useless there.
 * */
static bool sandbox_holds_no_more(cap_t kept)
{
	cap_t held = cap_get_proc();
	bool no_more = held != NULL;

	for (cap_value_t c = 0; held && cap_get_bound(c) >= 0; c++) {
		cap_flag_value_t has = CAP_CLEAR, may = CAP_CLEAR;
		cap_get_flag(held, c, CAP_PERMITTED, &has);
		cap_get_flag(kept, c, CAP_PERMITTED, &may);
		no_more = no_more && has == may;
	}
	cap_free(held);
	return no_more;
}

static int sandbox_drop_capabilities(enum sandbox_profile profile)
{
	const cap_value_t kept = CAP_NET_ADMIN;
	int rc = 0;

	/* The bounding set limits what an exec can gain. Without CAP_SETPCAP it cannot be changed, and no_new_privs is
	 * enough. */
	for (cap_value_t c = 0; cap_get_bound(c) >= 0; c++)
		if (cap_get_bound(c) > 0 && cap_drop_bound(c) < 0 && errno != EPERM)
			return -errno;
	if (cap_reset_ambient() < 0 && errno != EINVAL)
		return -errno;

	cap_t caps = cap_init();
	if (!caps)
		return -errno;
	if (sandbox_keeps(profile, kept) &&
		(cap_set_flag(caps, CAP_PERMITTED, 1, &kept, CAP_SET) < 0 ||
			cap_set_flag(caps, CAP_EFFECTIVE, 1, &kept, CAP_SET) < 0))
		rc = -errno;
	/* If the system-call filter of the service manager forbids capset(), the process has no more than these. */
	if (rc == 0 && cap_set_proc(caps) < 0 && (errno != EPERM || !sandbox_holds_no_more(caps)))
		rc = -errno;
	cap_free(caps);
	return rc;
}

int sandbox_enter(bool *landlocked, enum sandbox_profile profile, const struct sandbox_paths *paths)
{
	static const struct sandbox_paths none;
	const struct rlimit no_core = {0, 0};
	bool locked;

	if (!paths)
		paths = &none;
	/* A core dump or a debugger could show a password. */
	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	int rc = sandbox_drop_capabilities(profile);
	if (rc == 0)
		rc = sandbox_lock_paths(&locked, profile, paths);
	if (rc == 0)
		rc = sandbox_filter_calls(profile);
	if (rc == 0 && landlocked)
		*landlocked = locked;
	return rc;
}
