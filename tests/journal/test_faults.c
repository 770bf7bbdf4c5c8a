/* The journal with several writers, killed ones, readers without rights, and a file that is not well. */
#include "journal_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void test_two_processes_write_one_chain(void **state)
{
	struct fixture *f = *state;
	pid_t child[3];

	for (size_t i = 0; i < ARRAY_SIZE(child); i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0) {
			struct journal *j;
			int bad = journal_open(&j, &(struct journal_options){.path = f->path}) != 0;

			for (int n = 0; n < 40 && !bad; n++)
				bad = journal_write(NULL, j,
					      &(struct journal_entry){.kind = JOURNAL_EVENT,
						      .action = "tick"}) != 0;
			_exit(bad);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(child); i++) {
		int status;

		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_records(f->path), 120);
	assert_verifies(f->j);
}

static void test_two_processes_make_one_file(void **state)
{
	struct fixture *f = *state;
	char path[300];
	pid_t child[4];
	struct journal *j;

	snprintf(path, sizeof(path), "%s.new", f->path);
	for (size_t i = 0; i < ARRAY_SIZE(child); i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0)
			_exit(journal_open(&j, &(struct journal_options){.path = path}) ||
				journal_write(
					NULL, j, &(struct journal_entry){.kind = JOURNAL_EVENT}));
	}
	for (size_t i = 0; i < ARRAY_SIZE(child); i++) {
		int status;

		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_records(path), 4);
	unlink(path);
}

/* The writer is killed between intent and outcome, many times, at moments of its own. */
static void test_killed_writer_leaves_a_whole_chain(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 10; round++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0) {
			struct journal *j;

			if (journal_open(&j, &(struct journal_options){.path = f->path}))
				_exit(1);
			alarm(0);
			for (;;)
				journal_write(
					NULL, j, &(struct journal_entry){.kind = JOURNAL_INTENT});
		}
		usleep(3000u * (unsigned)(round + 1));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		write_intent(f->j, "after", 1);
		assert_verifies(f->j);
	}
}

/* A writer killed while half of a batch is already in the file: only a rollback makes it whole again. */
static void test_interrupted_commit_is_undone(void **state)
{
	struct fixture *f = *state;
	char journal[128], big[5000];
	struct journal *j;
	pid_t child;
	int status;

	write_intent(f->j, "acme", 1);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (journal_open(&j, &(struct journal_options){.path = f->path}))
			_exit(1);
		sqlite3_exec(j->db, "PRAGMA cache_size = 2", NULL, NULL, NULL);
		journal_begin(j);
		for (int i = 0; i < 200; i++)
			if (journal_write(NULL, j,
				    &(struct journal_entry){.kind = JOURNAL_EVENT, .detail = big}))
				_exit(1);
		_exit(0); /* neither commits nor undoes */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	snprintf(journal, sizeof(journal), "%s-journal", f->path);
	struct stat s;
	assert_int_equal(stat(journal, &s), 0);
	assert_true(s.st_size > 0);
	/* A reader leaves it alone, whatever it may write; a writer undoes it. */
	assert_int_equal(
		journal_open(&j, &(struct journal_options){.path = f->path, .read_only = true}),
		-EUCLEAN);
	assert_int_equal(stat(journal, &s), 0);
	assert_true(s.st_size > 0);
	assert_int_equal(journal_open(&j, &(struct journal_options){.path = f->path}), 0);
	assert_verifies(j);
	journal_close(j);
	assert_int_equal(count_records(f->path), 1);
}

/* Nothing that lies in the journal's place is followed, waited for, or written. */
static void test_what_is_no_file(void **state)
{
	struct fixture *f = *state;
	char path[300], target[320];
	struct journal *j = NULL;
	struct stat s;

	snprintf(path, sizeof(path), "%s.place", f->path);
	snprintf(target, sizeof(target), "%s.target", f->path);
	for (int read_only = 0; read_only < 2; read_only++) {
		const struct journal_options o = {.path = path, .read_only = read_only};
		/* There, and not there. */
		assert_int_equal(symlink(f->path, path), 0);
		assert_int_equal(journal_open(&j, &o), -ELOOP);
		unlink(path);
		assert_int_equal(symlink(target, path), 0);
		assert_int_equal(journal_open(&j, &o), -ELOOP);
		assert_int_equal(lstat(target, &s), -1);
		unlink(path);
		assert_int_equal(mkfifo(path, 0600), 0);
		assert_int_equal(journal_open(&j, &o), -EBADMSG);
		unlink(path);
	}
}

static void test_faults_of_the_file(void **state)
{
	struct fixture *f = *state;
	struct journal *j = NULL;
	struct journal_options o = {.path = "/nonexistent/journal.db"};
	char path[300];

	assert_int_equal(journal_open(&j, &o), -ENOENT);
	snprintf(path, sizeof(path), "%s.bad", f->path);
	o.path = path;
	o.read_only = true;
	assert_int_equal(journal_open(&j, &o), -ENOENT);
	write_file(path, "");
	assert_int_equal(journal_open(&j, &o), -ENOENT);
	write_file(path,
		"this is not a database, and long enough to be looked at as if it were one ........"
		"....................................................................");
	assert_int_equal(journal_open(&j, &o), -EBADMSG);
	o.read_only = false;
	assert_int_equal(journal_open(&j, &o), -EBADMSG);
	unlink(path);
	sql(path, "CREATE TABLE other (x)");
	assert_int_equal(journal_open(&j, &o), -EBADMSG);
	unlink(path);
	sql(f->path, "PRAGMA user_version = 999");
	o.path = f->path;
	assert_int_equal(journal_open(&j, &o), -EPROTONOSUPPORT);
	assert_null(j);
}

static void test_read_only_never_writes(void **state)
{
	struct fixture *f = *state;
	struct journal *j;
	struct stat s;

	write_intent(f->j, "acme", 1);
	assert_int_equal(stat(f->path, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0640);
	assert_int_equal(
		journal_open(&j, &(struct journal_options){.path = f->path, .read_only = true}), 0);
	assert_int_equal(
		journal_write(NULL, j, &(struct journal_entry){.kind = JOURNAL_EVENT}), -EROFS);
	assert_int_equal(journal_begin(j), -EROFS);
	assert_int_equal(override_add(j, "a", NULL, 1, "x", "y"), -EROFS);
	assert_verifies(j);
	journal_close(j);
}

/* An auditor: another user, no right to write the file or its folder. */
static void test_auditor_without_write_rights(void **state)
{
	struct fixture *f = *state;
	pid_t child;
	int status;

	if (geteuid() != 0) {
		print_message("skipped: only root can become another user\n");
		skip();
	}
	write_intent(f->j, "acme", 1);
	assert_int_equal(chmod(f->path, 0644), 0);
	assert_int_equal(chmod(f->folder, 0755), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct journal *j;
		int64_t first;
		char why[256];

		if (setgid(65534) || setuid(65534))
			_exit(2);
		_exit(journal_open(
			      &j, &(struct journal_options){.path = f->path, .read_only = true}) ||
			journal_verify(&first, why, j));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The file may grow no further: what a full disk does, without needing one. */
static void test_full_disk_loses_nothing_silently(void **state)
{
	struct fixture *f = *state;
	int r = 0, written = 0;
	char big[5000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	sql_limit_pages(f->j, 60);
	for (; written < 1000 && !r; written += !r)
		r = journal_write(
			NULL, f->j, &(struct journal_entry){.kind = JOURNAL_EVENT, .detail = big});
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(count_records(f->path), written);
	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT, .detail = big}),
		-ENOSPC);
	assert_int_equal(journal_commit(f->j), -ENOSPC);
	assert_verifies(f->j);
	sql_limit_pages(f->j, 1000);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT, .detail = big}),
		0);
	assert_verifies(f->j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_two_processes_write_one_chain),
		WITH_JOURNAL(test_two_processes_make_one_file),
		WITH_JOURNAL(test_killed_writer_leaves_a_whole_chain),
		WITH_JOURNAL(test_interrupted_commit_is_undone),
		WITH_JOURNAL(test_what_is_no_file),
		WITH_JOURNAL(test_faults_of_the_file),
		WITH_JOURNAL(test_read_only_never_writes),
		WITH_JOURNAL(test_auditor_without_write_rights),
		WITH_JOURNAL(test_full_disk_loses_nothing_silently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
