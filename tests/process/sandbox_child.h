/* A child in one profile of the sandbox, and two folders: what it may use, and what it may not. */
#ifndef TESTS_PROCESS_SANDBOX_CHILD_H
#define TESTS_PROCESS_SANDBOX_CHILD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "curfew/sandbox.h"

static char folder[64], inside[128], outside[128];

static const char *const names[] = {
	"firewall", "service", "sql worker", "firewall keeper", "sender", "boot"};

/* Runs in the child; 0, or the line of what went wrong. */
typedef int (*attempt_fn)(void);
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static int landlock_abi; /* of this kernel, asked before anything is shed; < 1: none */

static inline bool landlock_here(void)
{
	return landlock_abi >= 1;
}

static inline void enter_or_exit(enum sandbox_profile profile)
{
	const char *read[] = {inside, NULL}, *write[] = {inside, NULL};
	uint16_t ports[] = {1433, 0};
	struct sandbox_paths paths = {read, write, ports};
	bool landlocked = false;

	if (sandbox_enter(&landlocked, profile, &paths) < 0 || landlocked != landlock_here())
		_exit(255);
}

/* How the child ended after one attempt within one profile. */
static inline int attempt(enum sandbox_profile profile, attempt_fn f)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		enter_or_exit(profile);
		int line = f();
		if (line)
			dprintf(2, "%s, line %d: errno %d\n", names[profile], line, errno);
		_exit(line == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static inline bool is_fatal(enum sandbox_profile profile, attempt_fn f)
{
	int status = attempt(profile, f);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static inline bool is_well(enum sandbox_profile profile, attempt_fn f)
{
	int status = attempt(profile, f);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline int folders_make(void **state)
{
	char path[160];

	(void)state;
	landlock_abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
	print_message("Landlock ABI %d\n", landlock_abi);
	snprintf(folder, sizeof(folder), "/tmp/curfew-sandbox-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(inside, sizeof(inside), "%s/inside", folder);
	snprintf(outside, sizeof(outside), "%s/outside", folder);
	snprintf(path, sizeof(path), "%s/file", inside);
	if (mkdir(inside, 0700) < 0)
		return -1;
	close(open(path, O_CREAT | O_WRONLY, 0600));
	close(open(outside, O_CREAT | O_WRONLY, 0600));
	return 0;
}

static inline int folders_remove(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", inside);
	unlink(path);
	rmdir(inside);
	unlink(outside);
	return rmdir(folder);
}

#endif
