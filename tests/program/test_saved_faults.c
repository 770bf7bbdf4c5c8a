/* Saving last known good versions fails, or its process is killed, at each of its steps: a reading afterwards gives the
 * old versions or the new ones, whole, and the next saving leaves nothing behind. */
#include "saved_fixture.h"

#include <dirent.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What happens at the step to which it counts down; 0: nothing. */
static int countdown, fault;
static bool lasting; /* at every later step too */

enum { KILL = -1 };

static bool is_faulty(void)
{
	if (!fault || countdown > 1) {
		countdown--;
		return false;
	}
	if (!lasting && countdown < 1)
		return false;
	countdown--;
	if (fault == KILL)
		_exit(9);
	errno = fault;
	return true;
}

/* In place of the library's. A write that is cut off has written half. */
ssize_t write(int fd, const void *bytes, size_t n)
{
	if (fault == KILL && countdown == 1)
		syscall(SYS_write, fd, bytes, n / 2);
	return is_faulty() ? -1 : syscall(SYS_write, fd, bytes, n);
}

int fsync(int fd)
{
	return is_faulty() ? -1 : (int)syscall(SYS_fsync, fd);
}

int renameat(int a, const char *from, int b, const char *to)
{
	return is_faulty() ? -1 : (int)syscall(SYS_renameat, a, from, b, to);
}

int unlinkat(int folder, const char *name, int flags)
{
	/* Where the disk is full, deleting succeeds. */
	if (fault == KILL && is_faulty())
		return -1;
	return (int)syscall(SYS_unlinkat, folder, name, flags);
}

static char *folder;
static struct last_good g;
static struct held old, new;

static void fault_set(int what, int step, bool lasts)
{
	fault = what;
	countdown = step;
	lasting = lasts;
}

/* The old versions are saved, the new ones are to be. */
static void begin(void)
{
	folder = saved_make(&g);
	saved_clients_write(folder, 2, 1);
	assert_int_equal(saved_save(folder, &g), 0);
	old = held_open(&g);
	saved_clients_write(folder, 2, 2);
}

static void end(void)
{
	struct dirent *e;
	int entries = 0;

	fault_set(0, 0, false);
	assert_int_equal(saved_save(folder, &g), 0);
	new = held_open(&g);
	assert_false(held_equal(&old, &new));
	DIR *d = opendir(g.folder);
	assert_non_null(d);
	while ((e = readdir(d)))
		entries += e->d_name[0] != '.';
	closedir(d);
	assert_int_equal(entries, 2);
	held_free(&new);
	held_free(&old);
	saved_remove(folder, &g);
}

static bool is_old_or_new(void)
{
	struct saved *s;
	char *text;
	size_t size;

	assert_int_equal(saved_open(&s, g.folder), 0);
	/* Killed between the renames: the one before is there, and said to be it. */
	assert_true(s->damage == 0 || s->damage == -ENOENT);
	assert_int_equal(saved_read(&text, &size, s, "clients.d/c00.conf"), SAVED_SOUND);
	bool is_new = strstr(text, "CS-2");
	free(text);
	struct held h = held_read(s);
	for (size_t i = 0; i < h.n; i++)
		if (begins_with(h.names[i], "clients.d/c"))
			assert_non_null(strstr(h.texts[i], is_new ? "CS-2" : "CS-1"));
	if (!is_new)
		assert_true(held_equal(&h, &old));
	held_free(&h);
	saved_close(s);
	return is_new;
}

/* Whether it died at this step. */
static bool killed_at(int step)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		fault_set(KILL, step, false);
		_exit(saved_save(folder, &g) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 9;
}

static void test_killed_at_each_step(void **state)
{
	int steps = 0;
	bool dies = true;

	(void)state;
	while (dies) {
		begin();
		dies = killed_at(++steps);
		bool is_new = is_old_or_new();
		assert_true(dies || is_new);
		end();
	}
	/* The file is written, synced, and renamed twice, and the folder synced. */
	assert_true(steps > 5);
}

/* Returns what saving returned. */
static int failed_at(int step, int error, bool lasts)
{
	begin();
	fault_set(error, step, lasts);
	int rc = saved_save(folder, &g);
	fault_set(0, 0, false);
	assert_true(is_old_or_new() || rc < 0);
	return rc;
}

static void test_an_error_at_each_step(void **state)
{
	int failed = 0;

	(void)state;
	for (int step = 1; step < 40; step++) {
		int rc = failed_at(step, EIO, false);
		assert_true(rc == 0 || rc == -EIO);
		failed += rc < 0;
		end();
	}
	assert_true(failed >= 5);
}

/* On a full disk the old versions stay, but for a client whose file was removed: its access has ended. */
static void test_a_full_disk(void **state)
{
	_cleanup_free_ char *path = NULL;
	struct saved *s;
	char *text = NULL;
	size_t size;

	(void)state;
	assert_int_equal(failed_at(1, ENOSPC, true), -ENOSPC);
	path = text_make("%s/clients.d/c00.conf", folder);
	assert_int_equal(unlink(path), 0);
	fault_set(ENOSPC, 1, true);
	assert_int_equal(saved_save(folder, &g), -ENOSPC);
	fault_set(0, 0, false);
	assert_int_equal(saved_open(&s, g.folder), 0);
	assert_int_equal(saved_read(&text, &size, s, "clients.d/c00.conf"), -EBADMSG);
	assert_int_equal(saved_read(&text, &size, s, "clients.d/c01.conf"), SAVED_SOUND);
	assert_non_null(strstr(text, "CS-1"));
	free(text);
	saved_close(s);
	saved_clients_write(folder, 2, 2);
	/* What could not be saved is saved when there is room again. The damaged generation is not kept beside it. */
	assert_int_equal(saved_save(folder, &g), 0);
	assert_true(is_old_or_new());
	held_free(&old);
	saved_remove(folder, &g);
}

/* A file that changed after it was loaded was checked by nobody. */
static void test_a_file_that_changed_meanwhile(void **state)
{
	struct strings none = {0};

	(void)state;
	begin();
	_cleanup_free_ char *file = text_make("%s/curfew.conf", folder);
	struct program *p = fixture_program(folder, FIXTURE_NOW);
	saved_clients_write(folder, 1, 3);
	assert_int_equal(last_good_save(&g, p, &none, file), -EAGAIN);
	program_free(p);
	assert_false(is_old_or_new());
	end();
}

/* ---- what an older version of Curfew saved ---- */

static void test_older_layout(void **state)
{
	_cleanup_free_ char *command = NULL, *clients = NULL;
	struct saved *s;

	(void)state;
	folder = saved_make(&g);
	saved_clients_write(folder, 2, 1);
	clients = text_make("%s/last-good/clients.d", folder);
	command = text_make(
		"cd %s && mkdir last-good && cp -a curfew.conf clients.d last-good/ && chmod 0750 last-good && "
		"touch last-good/clients.d/.new7 last-good/.new0",
		folder);
	saved_shell(command);
	old = held_open(&g);
	assert_int_equal(saved_open(&s, g.folder), 0);
	assert_true(s->base.is_folder);
	assert_int_equal(s->damage, 0);
	saved_close(s);
	/* It stays until the archive stands. */
	fault_set(ENOSPC, 1, true);
	assert_int_equal(saved_save(folder, &g), -ENOSPC);
	fault_set(0, 0, false);
	struct held h = held_open(&g);
	assert_true(held_equal(&h, &old));
	held_free(&h);
	assert_int_equal(saved_save(folder, &g), 0);
	h = held_open(&g);
	assert_true(held_equal(&h, &old));
	held_free(&h);
	assert_int_not_equal(access(clients, F_OK), 0);
	saved_clients_write(folder, 2, 2);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_each_step),
		cmocka_unit_test(test_an_error_at_each_step),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_a_file_that_changed_meanwhile),
		cmocka_unit_test(test_older_layout),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
