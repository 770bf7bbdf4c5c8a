/* A laboratory for the firewall's tests: network namespaces of the test process itself.
 * "Home" is the machine that Curfew guards, "away" is where people come from. Everything lives in the
 * namespaces and goes with the process. As root, or in a user namespace where the kernel permits it;
 * where it permits neither, lab_require() says so and skips. */
#ifndef TEST_FIREWALL_LAB_NET_H
#define TEST_FIREWALL_LAB_NET_H

#include <setjmp.h>
#include <stddef.h>
#include <stdarg.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "curfew/firewall.h"

#define UNUSED __attribute__((unused))

#define HOME4 "192.0.2.10"
#define HOME6 "2001:db8::5"
#define PORT  1433

static int lab_home = -1, lab_away = -1;
static bool lab_ready;

static UNUSED void lab_require(void)
{
	if (!lab_ready) {
		print_message("# SKIPPED: the kernel permits no network namespace here\n");
		skip();
	}
}

/* Runs a command of the shell; the test fails with it. */
static UNUSED void __attribute__((format(printf, 1, 2))) run(const char *format, ...)
{
	char command[4096];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (system(command) != 0) /* NOLINT: the commands are ours */
		fail_msg("command failed: %s", command);
}

static UNUSED bool succeeds(const char *command)
{
	return system(command) == 0; /* NOLINT: the commands are ours */
}

/* What a command writes; free() it. */
static UNUSED char *output(const char *command)
{
	char *text = NULL;
	size_t size, n;
	FILE *from = popen(command, "re"), *to = open_memstream(&text, &size);
	char buf[4096];

	assert_non_null(from);
	assert_non_null(to);
	while ((n = fread(buf, 1, sizeof(buf), from)) > 0)
		fwrite(buf, 1, n, to);
	fclose(to);
	assert_int_equal(pclose(from), 0);
	return text;
}

static UNUSED bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static UNUSED bool lab_unshare(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map);
}

static UNUSED int lab_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static UNUSED void lab_enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

/* A wire between two namespaces, by the names that its ends get. */
static UNUSED void lab_wire(int from, const char *near, int to, const char *far)
{
	lab_enter(from);
	run("ip link add %s type veth peer name %s netns /proc/%ld/fd/%d", near, far,
		(long)getpid(), to);
	run("ip link set %s up", near);
	lab_enter(to);
	run("ip link set %s up", far);
	lab_enter(lab_home);
}

/* Addresses that may be used at once: no duplicate address detection. */
static UNUSED void lab_address(int ns, const char *device, const char *address)
{
	lab_enter(ns);
	run("ip addr add %s dev %s %s", address, device, strchr(address, ':') ? "nodad" : "");
	lab_enter(lab_home);
}

static UNUSED int lab_setup(void **state)
{
	(void)state;
	if (!lab_unshare())
		return 0;
	lab_home = lab_namespace();
	run("ip link set lo up");
	if (unshare(CLONE_NEWNET) < 0)
		return 0;
	lab_away = lab_namespace();
	run("ip link set lo up");
	lab_ready = true;
	/* Descriptors of namespaces must reach `ip` by /proc only, never by inheritance. */
	lab_wire(lab_home, "outside", lab_away, "home");
	lab_address(lab_home, "outside", HOME4 "/24");
	lab_address(lab_home, "outside", HOME6 "/64");
	lab_address(lab_away, "home", "192.0.2.1/24");
	lab_address(lab_away, "home", "2001:db8::1/64");
	return 0;
}

/* Addresses that people come from, beyond the wire's own network. */
static UNUSED void lab_person(const char *address)
{
	bool v6 = strchr(address, ':') != NULL;
	char prefixed[64];

	snprintf(prefixed, sizeof(prefixed), "%s/%d", address, v6 ? 128 : 32);
	lab_address(lab_away, "home", prefixed);
	run("ip route add %s via %s", prefixed, v6 ? "2001:db8::1" : "192.0.2.1");
}

static UNUSED instant_t real_now(void)
{
	return (instant_t)time(NULL);
}

static UNUSED int64_t real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Sockets */
static UNUSED socklen_t address_of(struct sockaddr_storage *out, const char *address, uint16_t port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof(*v6);
}

static UNUSED int tcp_listen(int ns, const char *address, uint16_t port)
{
	struct sockaddr_storage a;
	socklen_t length = address_of(&a, address, port);
	int fd, one = 1;

	lab_enter(ns);
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, length), 0);
	assert_int_equal(listen(fd, 128), 0);
	lab_enter(lab_home);
	return fd;
}

/* A connection within `ms`, or -1. */
static UNUSED int tcp_connect(int ns, const char *from, const char *to, uint16_t port, int ms)
{
	struct sockaddr_storage a;
	socklen_t length = address_of(&a, from, 0);
	struct pollfd p = {.events = POLLOUT};
	int error = 0;
	socklen_t error_length = sizeof(error);

	lab_enter(ns);
	p.fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(p.fd >= 0);
	assert_int_equal(bind(p.fd, (struct sockaddr *)&a, length), 0);
	length = address_of(&a, to, port);
	if (connect(p.fd, (struct sockaddr *)&a, length) < 0 && errno != EINPROGRESS)
		fail_msg("connect: %s", strerror(errno));
	lab_enter(lab_home);
	if (poll(&p, 1, ms) == 1 &&
		getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &error_length) == 0 && !error)
		return p.fd;
	close(p.fd);
	return -1;
}

/* How long a connection may take that must come, and one that must not. */
#define COMES	  20000
#define COMES_NOT 300

static UNUSED bool reaches(int ns, const char *from, const char *to, uint16_t port)
{
	int fd = tcp_connect(ns, from, to, port, COMES);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static UNUSED bool is_refused(int ns, const char *from, const char *to, uint16_t port)
{
	int fd = tcp_connect(ns, from, to, port, COMES_NOT);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static UNUSED int tcp_accept(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};

	assert_int_equal(poll(&p, 1, COMES), 1);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* One byte goes through within `ms`. */
static UNUSED bool passes(int client, int server, int ms)
{
	struct pollfd p = {.fd = server, .events = POLLIN};
	char byte = 'x';

	if (send(client, &byte, 1, MSG_NOSIGNAL) != 1)
		return false;
	return poll(&p, 1, ms) == 1 && recv(server, &byte, 1, 0) == 1;
}

#endif
