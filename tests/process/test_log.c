/* Ids that stay, lines that stay one line, priorities that page somebody. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "curfew/datagram.h"
#include "curfew/log.h"
#include "curfew/notify.h"

static void test_ids_are_128_bits_and_differ(void **state)
{
	(void)state;
	for (int a = 0; a < LOG_MESSAGES; a++) {
		const char *id = log_message_id((enum log_message)a);
		assert_non_null(id);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		assert_int_equal(strlen(id), 32);
		assert_in_range(log_message_priority((enum log_message)a), 1, 6);
		for (int b = 0; b < a; b++)
			assert_string_not_equal(id, log_message_id((enum log_message)b));
	}
}

static void test_what_must_page_somebody_does(void **state)
{
	(void)state;
	assert_true(log_message_priority(LOG_OVERDUE) <= 2);
	assert_true(log_message_priority(LOG_CLOCK_BACK) <= 2);
	assert_true(log_message_priority(LOG_FIREWALL_DEAD) <= 2);
	assert_true(log_message_priority(LOG_JOURNAL_FAILED) <= 2);
	assert_true(log_message_priority(LOG_SERVER_UNREACHABLE) > 2);
}

static void test_a_hostile_name_makes_no_second_line(void **state)
{
	char text[512] = "";
	int pipes[2], old = dup(STDERR_FILENO);

	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	dup2(pipes[1], STDERR_FILENO);
	log_send(LOG_OVERDUE, NULL, "%s", "evil\n<0>curfew: all is well\x1b[2J");
	dup2(old, STDERR_FILENO);
	ssize_t n = read(pipes[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	assert_string_equal(text, "<2>curfew: evil\u240a<0>curfew: all is well\u241b[2J\n");
	close(old);
	close(pipes[0]);
	close(pipes[1]);
}

static void test_the_manager_is_told(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/curfew-notify-XXXXXX", text[256] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	notify_reloading();
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_memory_equal(text, "RELOADING=1\nMONOTONIC_USEC=", 27);
	notify_status("%d clients", 7);
	memset(text, 0, sizeof(text));
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, "STATUS=7 clients");
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), -1);
	setenv("WATCHDOG_USEC", "60000000", 1);
	assert_int_equal(notify_watchdog_period(), 60000000);
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_period(), 0);
	close(fd);
	unlink(a.sun_path);
	rmdir(folder);
}

/* A log or a manager that hangs: its socket is there, and nobody reads it. The test would not end if one call waited. */
static void test_who_does_not_read_holds_nothing_up(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const struct iovec part = {(char[]){"MESSAGE=x\n"}, 10};
	char folder[] = "/tmp/curfew-notify-XXXXXX", text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), sent = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", folder);
	assert_int_equal(datagram_send(a.sun_path, &part, 1, 0), -ENOENT);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	while (datagram_send(a.sun_path, &part, 1, 0) == 0)
		sent++;
	assert_true(sent > 0);
	assert_int_equal(datagram_send(a.sun_path, &part, 1, 1), -EAGAIN);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	for (int i = 0; i < 3; i++)
		notify_watchdog();
	/* What is read again is told again. */
	while (recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0)
		;
	notify_watchdog();
	memset(text, 0, sizeof(text));
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, "WATCHDOG=1");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
	assert_int_equal(datagram_send(a.sun_path, &part, 1, 0), -ECONNREFUSED);
	unlink(a.sun_path);
	rmdir(folder);
}

static void test_an_abstract_socket_is_reached(void **state)
{
	const struct iovec parts[] = {{(char[]){"READY"}, 5}, {(char[]){"=1"}, 2}};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char text[64] = "", path[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n = snprintf(path, sizeof(path), "@curfew-test-%d", getpid());

	(void)state;
	memcpy(a.sun_path, path, (size_t)n);
	a.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
		0);
	assert_int_equal(datagram_send(path, parts, 2, 0), 0);
	assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(text, "READY=1");
	close(fd);
}

static void test_a_pipe_that_nobody_reads_holds_nothing_up(void **state)
{
	char text[4096];
	int pipes[2], old = dup(STDERR_FILENO), n = 0;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	dup2(pipes[1], STDERR_FILENO);
	/* Far more than a pipe holds, through a descriptor that waits. */
	for (; n < 1000; n++)
		log_send(LOG_TROUBLE, NULL, "%.1000s", text);
	dup2(old, STDERR_FILENO);
	assert_int_equal(n, 1000);
	close(old);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_128_bits_and_differ),
		cmocka_unit_test(test_what_must_page_somebody_does),
		cmocka_unit_test(test_a_hostile_name_makes_no_second_line),
		cmocka_unit_test(test_the_manager_is_told),
		cmocka_unit_test(test_who_does_not_read_holds_nothing_up),
		cmocka_unit_test(test_an_abstract_socket_is_reached),
		cmocka_unit_test(test_a_pipe_that_nobody_reads_holds_nothing_up),
	};
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
