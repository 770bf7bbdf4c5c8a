/* Each profile, entered by a child that then tries what it must not be able to do. The parent reads
 * /proc/PID/status of the child and shows it. */
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

static const char *const names[] = {"firewall", "engine", "sql worker", "boot"};

/* Runs in the child; 0, or the line of what went wrong. */
typedef int (*attempt_fn)(void);
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__;                                                           \
	} while (0)

static int landlock_abi; /* of this kernel, asked before anything is shed; < 1: none */

static bool landlock_here(void)
{
	return landlock_abi >= 1;
}

static void enter_or_exit(enum sandbox_profile profile)
{
	const char *read[] = {inside, NULL}, *write[] = {inside, NULL};
	uint16_t ports[] = {1433, 0};
	struct sandbox_paths paths = {read, write, ports};
	bool landlocked = false;

	if (sandbox_enter(&landlocked, profile, &paths) < 0 || landlocked != landlock_here())
		_exit(255);
}

/* How the child ended after one attempt within one profile. */
static int attempt(enum sandbox_profile profile, attempt_fn f)
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

static bool is_fatal(enum sandbox_profile profile, attempt_fn f)
{
	int status = attempt(profile, f);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool is_well(enum sandbox_profile profile, attempt_fn f)
{
	int status = attempt(profile, f);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void status_field(char out[64], pid_t pid, const char *name)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	out[0] = '\0';
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			sscanf(line + strlen(name) + 1, "%63s", out);
	fclose(f);
	assert_string_not_equal(out, "");
}

static void the_kernel_confirms(enum sandbox_profile profile)
{
	static const char *const fields[] = {
		"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"};
	bool admin = profile == SANDBOX_FIREWALL || profile == SANDBOX_BOOT;
	char value[64];
	int pipes[2], status;
	char byte;

	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		enter_or_exit(profile);
		(void)!write(pipes[1], "", 1);
		for (;;)
			poll(NULL, 0, -1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	print_message("%s:", names[profile]);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		status_field(value, child, fields[i]);
		print_message(" %s %s", fields[i], value);
		bool held = i == 1 || i == 2;
		if (i >= 5)
			assert_string_equal(value, i == 5 ? "1" : "2");
		else if (i == 3 && geteuid() != 0)
			continue; /* the bounding set needs a privilege to be emptied */
		else
			assert_int_equal(strtoull(value, NULL, 16),
				held && admin ? 1ULL << CAP_NET_ADMIN : 0);
	}
	print_message("\n");
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(pipes[0]);
}

static int try_exec(void)
{
	char *argv[] = {(char *)"true", NULL};
	execv("/bin/true", argv);
	return 0;
}
static int try_ptrace(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	return 0;
}
static int try_mount(void)
{
	mount("none", "/mnt", "tmpfs", 0, NULL);
	return 0;
}
static int try_setns(void)
{
	setns(0, 0);
	return 0;
}
static int try_unshare(void)
{
	unshare(CLONE_NEWUSER);
	return 0;
}
static int try_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
	return 0;
}
static int try_io_uring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
	return 0;
}
static int try_setuid(void)
{
	(void)!setuid(0);
	return 0;
}
static int try_peek(void)
{
	syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
	return 0;
}
static int try_clock(void)
{
	syscall(SYS_clock_settime, 0, NULL);
	return 0;
}

/* Everything that no profile has. */
static int nothing_comes_back(void)
{
	struct rlimit core;
	cap_t caps = cap_get_proc();
	cap_flag_value_t v = CAP_CLEAR;

	EXPECT(prctl(PR_GET_DUMPABLE) == 0);
	EXPECT(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
	EXPECT(caps && cap_get_flag(caps, CAP_SYS_ADMIN, CAP_PERMITTED, &v) == 0 && v == CAP_CLEAR);
	cap_free(caps);
	EXPECT(open(outside, O_RDONLY) < 0 || !landlock_here());
	EXPECT(open("/etc/passwd", O_WRONLY) < 0);
	EXPECT(open("/proc/1/environ", O_RDONLY) < 0);
	EXPECT(socket(AF_PACKET, SOCK_RAW, 0) < 0);
	EXPECT(socket(AF_INET, SOCK_RAW, 1) < 0);
	EXPECT(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
	EXPECT(syscall(SYS_kcmp, 0, 0, 0, 0, 0) < 0 && errno == EPERM);
	free(malloc(1000000));
	return 0;
}

static int nothing_is_written(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/new", inside);
	EXPECT(open(path, O_WRONLY | O_CREAT, 0600) < 0);
	snprintf(path, sizeof(path), "%s/file", inside);
	EXPECT(open(path, O_WRONLY) < 0);
	EXPECT(open(path, O_RDWR) < 0);
	EXPECT(open(path, O_RDONLY | O_TRUNC) < 0);
	EXPECT(open(inside, O_TMPFILE | O_RDONLY, 0600) < 0);
	EXPECT(truncate(path, 0) < 0);
	EXPECT(unlink(path) < 0);
	EXPECT(rename(path, outside) < 0);
	EXPECT(mkdir(outside, 0700) < 0);
	EXPECT(chmod(path, 0777) < 0);
	EXPECT(link(path, outside) < 0);
	EXPECT(symlink(path, outside) < 0);
	int fd = open(path, O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT(fchmod(fd, 0777) < 0);
	EXPECT(kill(getppid(), 0) < 0);
	EXPECT(fork() < 0);
	return 0;
}

static int try_connect(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	return errno;
}

static int worker_connects_and_nothing_else(void)
{
	struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct sockaddr_in any = {.sin_family = AF_INET};

	/* ECONNREFUSED is the far end's word: the call itself went through. */
	int r = try_connect(1433);
	EXPECT(r == ECONNREFUSED || r == 0);
	EXPECT(try_connect(1434) == (landlock_abi >= 4 ? EACCES : ECONNREFUSED));
	EXPECT(getaddrinfo("localhost", "1433", &hints, &list) == 0);
	freeaddrinfo(list);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0);
	EXPECT(listen(fd, 1) < 0);
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT);
	EXPECT(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) < 0 && errno == EAFNOSUPPORT);
	return 0;
}

static int netlink_only(void)
{
	EXPECT(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) >= 0);
	EXPECT(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) < 0);
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) < 0);
	EXPECT(socket(AF_INET6, SOCK_DGRAM, 0) < 0);
	return 0;
}

static int firewall_has_no_unix_socket(void)
{
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 0) < 0);
	return 0;
}

static int engine_writes_inside_only(void)
{
	char path[160];
	int status;

	snprintf(path, sizeof(path), "%s/new", inside);
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	EXPECT(fd >= 0);
	EXPECT(write(fd, "x", 1) == 1 && fsync(fd) == 0 && ftruncate(fd, 0) == 0);
	EXPECT(unlink(path) == 0);
	EXPECT(open(outside, O_WRONLY | O_CREAT, 0600) < 0 || !landlock_here());
	EXPECT(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER) < 0);
	/* It forks workers, which then shed the rest. */
	pid_t child = fork();
	EXPECT(child >= 0);
	if (child == 0) {
		enter_or_exit(SANDBOX_SQL_WORKER);
		_exit(nothing_is_written() == 0 && worker_connects_and_nothing_else() == 0 ? 0 : 1);
	}
	EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) &&
		WEXITSTATUS(status) == 0);
	return 0;
}

static int engine_makes_no_namespace(void)
{
	EXPECT(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) < 0);
	return 0;
}

static int engine_mknod(void)
{
	mknod("/tmp/x", S_IFIFO, 0);
	return 0;
}

/* A private configuration that prepare put into memory is still to be opened by name afterwards. */
static int memory_files_stay_readable(void)
{
	char path[64];
	int fd = open(inside, O_RDONLY | O_DIRECTORY);

	EXPECT(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", 200);
	int again = open(path, O_RDONLY);
	char text[6] = "";
	EXPECT(again >= 0 && read(again, text, 5) == 5 && strcmp(text, "hello") == 0);
	return 0;
}

static void all_profiles_are_seen_by_the_kernel(void **state)
{
	(void)state;
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		the_kernel_confirms(p);
}

static void dangerous_calls_end_the_process(void **state)
{
	static const attempt_fn calls[] = {try_exec, try_ptrace, try_mount, try_setns, try_unshare,
		try_bpf, try_io_uring, try_setuid, try_peek, try_clock, engine_mknod};

	(void)state;
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			assert_true(is_fatal(p, calls[i]));
}

static void no_right_comes_back(void **state)
{
	(void)state;
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		assert_true(is_well(p, nothing_comes_back));
}

static void only_the_engine_writes(void **state)
{
	(void)state;
	assert_true(is_well(SANDBOX_SQL_WORKER, nothing_is_written));
	assert_true(is_well(SANDBOX_FIREWALL, nothing_is_written));
	assert_true(is_well(SANDBOX_BOOT, nothing_is_written));
	assert_true(is_well(SANDBOX_ENGINE, engine_writes_inside_only));
	assert_true(is_well(SANDBOX_ENGINE, engine_makes_no_namespace));
}

static void each_has_its_own_sockets(void **state)
{
	(void)state;
	assert_true(is_well(SANDBOX_SQL_WORKER, worker_connects_and_nothing_else));
	assert_true(is_well(SANDBOX_FIREWALL, netlink_only));
	assert_true(is_well(SANDBOX_FIREWALL, firewall_has_no_unix_socket));
	assert_true(is_well(SANDBOX_BOOT, netlink_only));
}

static void a_file_in_memory_can_be_read_by_name(void **state)
{
	int fd = memfd_create("conf", 0);

	(void)state;
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(dup2(fd, 200), 200);
	close(fd);
	assert_true(is_well(SANDBOX_SQL_WORKER, memory_files_stay_readable));
	close(200);
}

static int folders_make(void **state)
{
	char path[160];

	(void)state;
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

static int folders_remove(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", inside);
	unlink(path);
	rmdir(inside);
	unlink(outside);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_profiles_are_seen_by_the_kernel),
		cmocka_unit_test(dangerous_calls_end_the_process),
		cmocka_unit_test(no_right_comes_back),
		cmocka_unit_test(only_the_engine_writes),
		cmocka_unit_test(each_has_its_own_sockets),
		cmocka_unit_test(a_file_in_memory_can_be_read_by_name),
	};
	landlock_abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
	print_message("Landlock ABI %d\n", landlock_abi);
	return cmocka_run_group_tests_name("sandbox", tests, folders_make, folders_remove);
}
