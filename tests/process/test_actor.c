/* Who acts: the user, who logged in to become that user, and what sudo says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "curfew/actor.h"

static void test_user_and_sudo(void **state)
{
	char text[ACTOR_MAX];

	(void)state;
	actor_text(text, 0, getpid(), NULL);
	assert_memory_equal(text, "root (uid 0)", 12);
	assert_null(strstr(text, "sudo"));
	actor_text(text, 4123456, getpid(), "ops7");
	assert_non_null(strstr(text, "? (uid 4123456)"));
	assert_non_null(strstr(text, ", sudo by ops7"));
	/* A process that is gone says nothing of a login. */
	actor_text(text, 0, INT32_MAX, NULL);
	assert_string_equal(text, "root (uid 0)");
}

/* In a process of its own: a login uid can be set only once. */
static void test_login(void **state)
{
	int status, pipes[2];
	char text[ACTOR_MAX] = "";

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd = open("/proc/self/loginuid", O_WRONLY);
		if (fd < 0 || write(fd, "4123457", 7) != 7)
			_exit(77);
		actor_text(text, 0, getpid(), "ops7");
		_exit(write(pipes[1], text, sizeof(text)) == sizeof(text) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("SKIPPED: this kernel or user may not set a login uid\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(read(pipes[0], text, sizeof(text)), sizeof(text));
	assert_string_equal(text, "root (uid 0), login ? (uid 4123457), sudo by ops7");
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_and_sudo),
		cmocka_unit_test(test_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
