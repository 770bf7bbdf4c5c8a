/* The control socket: who may ask, and how often at once. */
#include "control_fixture.h"

static void test_nobody_else_may_ask(void **state)
{
	struct fixture *f = *state;
	int status;

	if (geteuid() != 0) {
		print_message("# SKIPPED: only root can become somebody else to try\n");
		skip();
	}
	assert_int_equal(chmod(f->folder, 0755), 0);
	char path[128];
	struct stat st;
	snprintf(path, sizeof(path), "%s/" CONTROL_SOCKET, f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Even where the mode let them: the kernel's word counts. */
	assert_int_equal(chmod(path, 0666), 0);
	pid_t child = fork();
	if (child == 0) {
		json_t *end = NULL;
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		int r = control_call(
			&end, f->folder, json_pack("{s:s}", "command", "plan"), NULL, NULL);
		_exit(r == -ECONNRESET || r == -EPIPE ? 0 : 1);
	}
	struct pollfd p = {.fd = control_fd(f->control), .events = POLLIN};
	while (waitpid(child, &status, WNOHANG) == 0)
		if (poll(&p, 1, 20) > 0)
			control_dispatch(f->control);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(f->n_asked, 0);
}

static void test_members_of_the_group_may_ask(void **state)
{
	struct fixture *f = *state;
	const gid_t group = 54321;
	int status;

	if (geteuid() != 0) {
		print_message("# SKIPPED: only root can become somebody else to try\n");
		skip();
	}
	control_close(f->control);
	assert_int_equal(control_open(&f->control, f->folder, group, handle, f), 0);
	assert_int_equal(chmod(f->folder, 0755), 0);
	pid_t child = fork();
	if (child == 0) {
		json_t *end = NULL;
		if (setgroups(1, &group) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		_exit(control_call(&end, f->folder, json_pack("{s:s}", "command", "plan"), NULL,
			      NULL) == 0
				? 0
				: 1);
	}
	struct pollfd p = {.fd = control_fd(f->control), .events = POLLIN};
	while (waitpid(child, &status, WNOHANG) == 0)
		if (poll(&p, 1, 20) > 0)
			control_dispatch(f->control);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_non_null(strstr(f->actor, "(uid 65534)"));
}

/* As a member of the group: takes every place that it gets, asks in each, and waits. */
static int member_hold_all(const struct fixture *f, gid_t group)
{
	static const char text[] = "{\"command\":\"hold\"}\n";

	if (setgroups(1, &group) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	for (int i = 0; i < 2 * MAX_CONTROL_CLIENTS; i++)
		send(client_connect(f), text, sizeof(text) - 1, MSG_NOSIGNAL);
	pause();
	return 0;
}

static void test_one_user_cannot_hold_all_places(void **state)
{
	struct fixture *f = *state;
	const gid_t group = 54321;

	if (geteuid() != 0) {
		print_message("# SKIPPED: only root can become somebody else to try\n");
		skip();
	}
	control_close(f->control);
	assert_int_equal(control_open(&f->control, f->folder, group, handle, f), 0);
	assert_int_equal(chmod(f->folder, 0755), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(member_hold_all(f, group));
	struct pollfd p = {.fd = control_fd(f->control), .events = POLLIN};
	while (f->n_asked < MAX_CONTROL_PER_USER) {
		assert_true(poll(&p, 1, 60000) > 0);
		assert_int_equal(control_dispatch(f->control), 0);
	}
	serve(f);
	assert_int_equal(f->n_asked, MAX_CONTROL_PER_USER);
	/* Root is served, again and again. */
	for (int i = 0; i < MAX_CONTROL_CLIENTS; i++)
		assert_non_null(strstr(ANSWER(f, "{\"command\":\"plan\"}\n"), "\"end\":0"));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_user_cannot_hold_all_places),
		TEST(test_nobody_else_may_ask),
		TEST(test_members_of_the_group_may_ask),
	};
	return cmocka_run_group_tests_name("control: who", tests, NULL, NULL);
}
