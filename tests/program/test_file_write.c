/* A client file is written whole or not at all, and never over another's change. */
#include "fixture.h"
#include "program/file_write.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *folder, *path;

static int folder_make(void **state)
{
	(void)state;
	folder = text_make("/tmp/curfew-write-XXXXXX");
	assert_non_null(mkdtemp(folder));
	path = text_make("%s/acme.conf", folder);
	fixture_text(folder, "acme.conf", "old\n");
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	fixture_remove(folder);
	free(path);
	return 0;
}

static void assert_content(const char *expected)
{
	size_t size;
	_cleanup_free_ char *text = file_content(path, &size);
	int n = 0;
	DIR *d = opendir(folder);

	assert_string_equal(text, expected);
	/* Nothing else is left. */
	while (readdir(d))
		n++;
	closedir(d);
	assert_int_equal(n, 3);
}

static void test_a_file_is_replaced(void **state)
{
	struct stat st;

	(void)state;
	fixture_chmod(folder, "acme.conf", 0604);
	assert_int_equal(file_replace(path, "new\n", "old\n"), 0);
	assert_content("new\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
}

static void test_another_change_is_kept(void **state)
{
	static const char *const others[] = {"", "old", "old\n\n", "new\n", "olD\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(file_replace(path, "mine\n", others[i]), -ESTALE);
	assert_int_equal(file_replace(path, "mine\n", NULL), -EEXIST);
	assert_content("old\n");
}

static void test_a_new_file(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_replace(path, "mine\n", "old\n"), -ENOENT);
	assert_int_equal(file_replace(path, "mine\n", NULL), 0);
	assert_content("mine\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_no_link_is_followed(void **state)
{
	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(file_replace(path, "mine\n", "old\n"), -ELOOP);
	assert_int_equal(file_replace(path, "mine\n", NULL), -EEXIST);
}

static void test_one_at_a_time(void **state)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(file_replace(path, "mine\n", "old\n"), -EBUSY);
	close(fd);
	assert_content("old\n");
}

/* Another command needs a moment. */
static void test_soon_enough(void **state)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), pipes[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		flock(fd, LOCK_EX);
		(void)!write(pipes[1], "x", 1);
		nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
		_exit(0);
	}
	/* The child has the lock by the same open file: only its own end ends it. */
	close(fd);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(file_replace(path, "new\n", "old\n"), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(pipes[0]);
	close(pipes[1]);
	assert_content("new\n");
}

/* The disk takes only a part of it. */
static void test_half_a_file_is_none(void **state)
{
	struct rlimit before, limit;
	_cleanup_free_ char *big = calloc(1, 9000);

	(void)state;
	memset(big, 'x', 8999);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){4096, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int r = file_replace(path, big, "old\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	assert_content("old\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_a_file_is_replaced),
		TEST(test_another_change_is_kept), TEST(test_a_new_file),
		TEST(test_no_link_is_followed), TEST(test_one_at_a_time), TEST(test_soon_enough),
		TEST(test_half_a_file_is_none)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
