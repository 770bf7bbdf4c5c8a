/* System-call filters, one list a profile. Three answers besides "allowed":
 *  - what only injected code would call ends the process;
 *  - newer calls with an older way round fail with ENOSYS, so that the C library takes that way;
 *  - everything else fails with EPERM, which every library has a path for: a library that grows a new habit
 *    costs one failed call, not the process that must close access on time. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "process/sandbox_internal.h"

static const char *const every_process[] = {"read", "readv", "write", "writev", "pread64",
	"pwrite64", "close", "close_range", "lseek", "fstat", "newfstatat", "stat", "lstat",
	"statx", "fcntl", "dup", "dup2", "dup3", "poll", "ppoll", "select", "pselect6",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2", "timerfd_create",
	"timerfd_settime", "timerfd_gettime", "nanosleep", "clock_nanosleep", "clock_gettime",
	"clock_getres", "gettimeofday", "time", "getpid", "getppid", "gettid", "getuid", "geteuid",
	"getgid", "getegid", "getresuid", "getresgid", "getgroups", "uname", "sysinfo", "getrandom",
	"futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "brk", "mmap",
	"munmap", "mremap", "mprotect", "madvise", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"rt_sigtimedwait", "rt_sigpending", "sigaltstack", "restart_syscall", "exit", "exit_group",
	"getrusage", "getrlimit", "times", "capget", "membarrier", "sendto", "sendmsg", "sendmmsg",
	"recvfrom", "recvmsg", "recvmmsg", "getsockopt", "setsockopt", "getsockname", "getpeername",
	"shutdown", "getcwd", "readlink", "readlinkat", "access", "faccessat", "getdents64",
	"fadvise64", "arch_prctl", NULL};

/* Files, children and their sandboxes, the control socket. */
static const char *const service_process[] = {"open", "openat", "creat", "mkdir", "mkdirat",
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "ftruncate", "fallocate", "fsync",
	"fdatasync", "syncfs", "flock", "fchmod", "chmod", "fchown", "umask", "utimensat", "statfs",
	"fstatfs", "pipe", "pipe2", "accept", "accept4", "listen", "bind", "connect", "socketpair",
	"signalfd4", "wait4", "waitid", "kill", "pidfd_open", "pidfd_send_signal", "memfd_create",
	"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
	"capset", "setrlimit", "prlimit64", "prctl", "rt_sigsuspend", "inotify_init1",
	"inotify_add_watch", "inotify_rm_watch", NULL};

/* The library's configuration is a file in memory. Nothing on the file system is written. */
static const char *const worker_process[] = {"connect", "memfd_create", NULL};
static const char *const firewall_process[] = {"bind", "signalfd4", NULL};
static const char *const keeper_process[] = {"bind", "signalfd4", "open", "openat", "mkdir",
	"mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "fsync", "fdatasync",
	"syncfs", "fchmod", NULL};
static const char *const sender_process[] = {"connect", "bind", NULL};
static const char *const boot_process[] = {"bind", "connect", NULL};

/* Neither Curfew nor its libraries call these. */
static const char *const fatal[] = {"execve", "execveat", "vfork", "ptrace", "process_vm_readv",
	"process_vm_writev", "pidfd_getfd", "bpf", "perf_event_open", "userfaultfd",
	"io_uring_setup", "io_uring_enter", "io_uring_register", "mount", "umount2", "pivot_root",
	"chroot", "move_mount", "fsopen", "fsmount", "open_tree", "mount_setattr", "setns",
	"unshare", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
	"add_key", "request_key", "keyctl", "open_by_handle_at", "reboot", "swapon", "swapoff",
	"settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "iopl", "ioperm", "setuid",
	"setreuid", "setresuid", "setgid", "setregid", "setresgid", "setgroups", "setfsuid",
	"setfsgid", "mknod", "mknodat", "acct", "quotactl", "syslog", NULL};

static const char *const fallback[] = {"clone3", "openat2", "faccessat2", "fchmodat2", NULL};

static const char *const *const own_calls[] = {
	[SANDBOX_FIREWALL] = firewall_process,
	[SANDBOX_FIREWALL_KEEPER] = keeper_process,
	[SANDBOX_SERVICE] = service_process,
	[SANDBOX_SQL_WORKER] = worker_process,
	[SANDBOX_SENDER] = sender_process,
	[SANDBOX_BOOT] = boot_process,
};

static int filter_list(scmp_filter_ctx f, uint32_t action, const char *const *names)
{
	for (; *names; names++) {
		int nr = seccomp_syscall_resolve_name(*names);
		/* Not on this architecture, or newer than the library: the default action applies. */
		if (nr == __NR_SCMP_ERROR || nr < 0)
			continue;
		int rc = seccomp_rule_add(f, action, nr, 0);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The library's own macros omit a member, and some compilers warn. */
static struct scmp_arg_cmp argument(unsigned arg, scmp_datum_t mask, scmp_datum_t value)
{
	return (struct scmp_arg_cmp){
		.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

static int filter_equal(scmp_filter_ctx f, uint32_t action, int nr, unsigned arg, scmp_datum_t mask,
	scmp_datum_t value)
{
	const struct scmp_arg_cmp c = argument(arg, mask, value);

	return seccomp_rule_add_array(f, action, nr, 1, &c);
}

/* Read-only: any flag that could create or change a file fails. */
static int filter_open(scmp_filter_ctx f)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
	int rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, writes, 0);

	return rc < 0 ? rc : filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(open), 1, writes, 0);
}

static int filter_socket(scmp_filter_ctx f, int family)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		/* Flags such as SOCK_CLOEXEC are in the bits above the type. */
		const struct scmp_arg_cmp c[] = {argument(0, UINT32_MAX, (scmp_datum_t)family),
			argument(1, 0xf, (scmp_datum_t)types[i])};
		int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, c);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int filter_sockets(scmp_filter_ctx f, enum sandbox_profile profile)
{
	/* Name resolution tries these, and works without them. */
	static const int absent[] = {AF_UNIX, AF_NETLINK};
	const struct scmp_arg_cmp packet_filter[] = {
		argument(0, UINT32_MAX, AF_NETLINK), argument(2, UINT32_MAX, NETLINK_NETFILTER)};
	/* Where the sender of notices connects; made anew when they are switched on. */
	const struct scmp_arg_cmp packets[] = {
		argument(0, UINT32_MAX, AF_UNIX), argument(1, 0xf, SOCK_SEQPACKET)};
	int rc = 0;

	switch (profile) {
	case SANDBOX_SQL_WORKER:
		for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(absent); i++)
			rc = filter_equal(f, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 0,
				UINT32_MAX, (scmp_datum_t)absent[i]);
		break;
	case SANDBOX_SERVICE:
		rc = seccomp_rule_add_array(
			f, SCMP_ACT_ALLOW, SCMP_SYS(socket), ARRAY_SIZE(packets), packets);
		if (rc < 0)
			break;
		/* fall through */
	case SANDBOX_SENDER:
	case SANDBOX_BOOT: /* the system log */
		rc = filter_socket(f, AF_UNIX);
		break;
	case SANDBOX_FIREWALL:
	case SANDBOX_FIREWALL_KEEPER:
		break;
	}
	if (rc == 0 && (profile == SANDBOX_SQL_WORKER || profile == SANDBOX_SERVICE ||
			       profile == SANDBOX_SENDER)) {
		rc = filter_socket(f, AF_INET);
		if (rc == 0)
			rc = filter_socket(f, AF_INET6);
	}
	if (rc == 0 && profile != SANDBOX_SERVICE && profile != SANDBOX_SQL_WORKER)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(socket),
			ARRAY_SIZE(packet_filter), packet_filter);
	return rc;
}

static int filter_arguments(scmp_filter_ctx f, enum sandbox_profile profile, pid_t self)
{
	static const unsigned requests[] = {FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ};
	static const int harmless[] = {PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE,
		PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,
		0x53564d41 /* PR_SET_VMA */};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(requests); i++)
		rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, UINT32_MAX, requests[i]);
	/* FreeTDS asks for the hardware address. If that is refused, it copies uninitialized memory. */
	static const unsigned addresses[] = {SIOCGIFCONF, SIOCGIFHWADDR};
	bool worker = profile == SANDBOX_SQL_WORKER || profile == SANDBOX_SERVICE;
	for (size_t i = 0; worker && rc == 0 && i < ARRAY_SIZE(addresses); i++)
		rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, UINT32_MAX, addresses[i]);
	/* abort(): a process may signal only itself. */
	if (rc == 0 && profile != SANDBOX_SERVICE)
		rc = filter_equal(
			f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0, UINT32_MAX, (scmp_datum_t)self);
	if (profile == SANDBOX_SERVICE) {
		/* Its children are forked from it and must be able to abort too. */
		if (rc == 0)
			rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0);
		/* Allow fork, but no new namespaces. */
		const scmp_datum_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
						CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
						CLONE_NEWNET;
		if (rc == 0)
			rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0, namespaces, 0);
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(harmless); i++)
		rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 0, UINT32_MAX,
			(scmp_datum_t)harmless[i]);
	/* The thread that writes to a disk: see disk.c. */
	const scmp_datum_t thread = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
	if (rc == 0 && profile == SANDBOX_FIREWALL_KEEPER)
		rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 0, thread, thread);
	/* Limits may be read, not set. */
	if (rc == 0)
		rc = filter_equal(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, UINT64_MAX, 0);
	if (rc == 0 && profile != SANDBOX_FIREWALL_KEEPER)
		rc = filter_open(f);
	return rc;
}

int sandbox_filter_with(int (*use)(scmp_filter_ctx f, void *context), void *context,
	enum sandbox_profile profile, pid_t self)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (!f)
		return -ENOMEM;
	/* A system call of another architecture would bypass all rules below. */
	rc = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A binary tree instead of up to a hundred comparisons. */
	if (rc == 0)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = filter_list(f, SCMP_ACT_ALLOW, every_process);
	if (rc == 0)
		rc = filter_list(f, SCMP_ACT_ALLOW, own_calls[profile]);
	if (rc == 0)
		rc = filter_list(f, SCMP_ACT_KILL_PROCESS, fatal);
	if (rc == 0)
		rc = filter_list(f, SCMP_ACT_ERRNO(ENOSYS), fallback);
	if (rc == 0)
		rc = filter_sockets(f, profile);
	if (rc == 0)
		rc = filter_arguments(f, profile, self);
	if (rc == 0)
		rc = use(f, context);
	seccomp_release(f);
	return rc;
}
