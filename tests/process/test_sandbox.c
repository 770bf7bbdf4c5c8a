/* Each profile, entered by a child that then tries what it must not be able to do. The parent reads
 * /proc/PID/status of the child and shows it. */
#include "sandbox_child.h"

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
	bool admin = profile != SANDBOX_SERVICE && profile != SANDBOX_SQL_WORKER;
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

static int service_mknod(void)
{
	mknod("/tmp/x", S_IFIFO, 0);
	return 0;
}

static void test_all_profiles_are_seen_by_the_kernel(void **state)
{
	(void)state;
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		the_kernel_confirms(p);
}

static void test_dangerous_calls_end_the_process(void **state)
{
	static const attempt_fn calls[] = {try_exec, try_ptrace, try_mount, try_setns, try_unshare,
		try_bpf, try_io_uring, try_setuid, try_peek, try_clock, service_mknod};

	(void)state;
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			assert_true(is_fatal(p, calls[i]));
}

static void test_no_right_comes_back(void **state)
{
	(void)state;
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		assert_true(is_well(p, nothing_comes_back));
}

static int it_signals_itself_alone(void)
{
	EXPECT(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
	EXPECT(syscall(SYS_tgkill, getppid(), getppid(), 0) < 0 && errno == EPERM);
	return 0;
}

static void test_a_filter_made_before_the_fork_holds_each_child(void **state)
{
	assert_true(is_well(SANDBOX_SQL_WORKER, it_signals_itself_alone));
	for (enum sandbox_profile p = SANDBOX_FIREWALL; p <= SANDBOX_BOOT; p++)
		/* The service may signal its children, so that its filter names no process. */
		assert_int_equal(sandbox_prepare(p), p == SANDBOX_SERVICE ? -EINVAL : 0);
	assert_true(is_well(SANDBOX_SQL_WORKER, it_signals_itself_alone));
	test_all_profiles_are_seen_by_the_kernel(state);
	test_dangerous_calls_end_the_process(state);
	test_no_right_comes_back(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_profiles_are_seen_by_the_kernel),
		cmocka_unit_test(test_dangerous_calls_end_the_process),
		cmocka_unit_test(test_no_right_comes_back),
		cmocka_unit_test(test_a_filter_made_before_the_fork_holds_each_child),
	};
	return cmocka_run_group_tests_name("sandbox", tests, folders_make, folders_remove);
}
