/* What each profile still reaches: its files, its sockets, and nothing of the others'. */
#include "sandbox_child.h"

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

static int service_writes_inside_only(void)
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

/* Its own folder, and nothing else; it forks nobody. */
static int keeper_writes_inside_only(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/kept", inside);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	EXPECT(fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0);
	EXPECT(unlink(path) == 0);
	EXPECT(open(outside, O_WRONLY) < 0 || !landlock_here());
	EXPECT(fork() < 0);
	return 0;
}

static int service_makes_no_namespace(void)
{
	EXPECT(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0) < 0);
	return 0;
}

/* A private configuration that prepare put into memory is still to be opened by name afterwards. */
static int memory_files_stay_readable(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", 200);
	int again = open(path, O_RDONLY);
	char text[6] = "";
	EXPECT(again >= 0 && read(again, text, 5) == 5 && strcmp(text, "hello") == 0);
	return 0;
}

static void test_who_keeps_files_writes_there_alone(void **state)
{
	(void)state;
	assert_true(is_well(SANDBOX_SQL_WORKER, nothing_is_written));
	assert_true(is_well(SANDBOX_FIREWALL, nothing_is_written));
	assert_true(is_well(SANDBOX_BOOT, nothing_is_written));
	assert_true(is_well(SANDBOX_SENDER, nothing_is_written));
	assert_true(is_well(SANDBOX_SERVICE, service_writes_inside_only));
	assert_true(is_well(SANDBOX_FIREWALL_KEEPER, keeper_writes_inside_only));
}

static void test_the_service_makes_no_namespace(void **state)
{
	(void)state;
	assert_true(is_well(SANDBOX_SERVICE, service_makes_no_namespace));
}

static void test_each_has_its_own_sockets(void **state)
{
	(void)state;
	assert_true(is_well(SANDBOX_SQL_WORKER, worker_connects_and_nothing_else));
	assert_true(is_well(SANDBOX_FIREWALL, netlink_only));
	assert_true(is_well(SANDBOX_FIREWALL, firewall_has_no_unix_socket));
	assert_true(is_well(SANDBOX_FIREWALL_KEEPER, netlink_only));
	assert_true(is_well(SANDBOX_FIREWALL_KEEPER, firewall_has_no_unix_socket));
	assert_true(is_well(SANDBOX_BOOT, netlink_only));
}

static void test_a_file_in_memory_can_be_read_by_name(void **state)
{
	int fd = memfd_create("conf", 0);

	(void)state;
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(dup2(fd, 200), 200);
	close(fd);
	assert_true(is_well(SANDBOX_SQL_WORKER, memory_files_stay_readable));
	close(200);
}

/* As a worker has it, whose filter its parent made. */
static void test_a_filter_made_before_the_fork_reaches_as_far(void **state)
{
	assert_int_equal(sandbox_prepare(SANDBOX_SQL_WORKER), 0);
	assert_int_equal(sandbox_prepare(SANDBOX_FIREWALL_KEEPER), 0);
	test_who_keeps_files_writes_there_alone(state);
	test_each_has_its_own_sockets(state);
	test_a_file_in_memory_can_be_read_by_name(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_keeps_files_writes_there_alone),
		cmocka_unit_test(test_the_service_makes_no_namespace),
		cmocka_unit_test(test_each_has_its_own_sockets),
		cmocka_unit_test(test_a_file_in_memory_can_be_read_by_name),
		cmocka_unit_test(test_a_filter_made_before_the_fork_reaches_as_far),
	};
	return cmocka_run_group_tests_name("sandbox reach", tests, folders_make, folders_remove);
}
