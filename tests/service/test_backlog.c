/* What waits for the journal: in order, with its own instants, bounded, and not held up by an entry that is at fault. */
#include "../journal/journal_fixture.h"

#include <errno.h>

#include "service/backlog.h"

#define AT 1793500000

static struct journal_entry event(const char *action, instant_t at)
{
	return (struct journal_entry){
		.kind = JOURNAL_EVENT, .action = action, .at = at, .reason = "a test"};
}

static struct journal *journal_make(char path[64])
{
	struct journal *j = NULL;
	const struct journal_options o = {.path = path};

	snprintf(path, 64, "/tmp/curfew-backlog-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(journal_open(&j, &o), 0);
	return j;
}

static void journal_remove(struct journal *j, const char *path)
{
	char rest[80];

	journal_close(j);
	unlink(path);
	snprintf(rest, sizeof(rest), "%s-journal", path);
	unlink(rest);
}

static void test_what_waits_is_written_in_order_with_its_own_instant(void **state)
{
	struct backlog *b;
	struct journal_entry first = event("start", AT), second = event("stop", AT + 5),
			     third = event("reload", AT + 9);
	char path[64];

	(void)state;
	assert_int_equal(backlog_new(&b), 0);
	assert_int_equal(backlog_write(b, NULL, &first), -ENODEV);
	backlog_keep(b, &second);
	backlog_keep_revocation(b, "acme", NULL, AT + 7, "root (uid 0)", "stolen");
	assert_int_equal(backlog_count(b), 3);
	assert_int_equal(backlog_flush(b, NULL), -ENODEV);
	struct journal *j = journal_make(path);
	/* One that comes now comes after those that wait. */
	assert_int_equal(backlog_write(b, j, &third), 0);
	assert_int_equal(backlog_count(b), 0);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM record WHERE kind = 'event'"), 4);
	assert_int_equal(sql_number(path, "SELECT at FROM record WHERE action = 'start'"), AT);
	assert_int_equal(sql_number(path, "SELECT at FROM record WHERE action = 'revoke'"), AT + 7);
	assert_int_equal(sql_number(path, "SELECT at FROM override"), AT + 7);
	assert_int_equal(sql_number(path, "SELECT (SELECT id FROM record WHERE action = 'start') < "
					  "(SELECT id FROM record WHERE action = 'reload')"),
		1);
	journal_remove(j, path);
	backlog_free(b);
	backlog_free(NULL);
}

static void test_it_is_bounded(void **state)
{
	struct journal_entry e = event("start", AT);
	struct backlog *b;

	(void)state;
	assert_int_equal(backlog_new(&b), 0);
	for (size_t i = 0; i < MAX_BACKLOG + 10; i++)
		backlog_keep(b, &e);
	assert_int_equal(backlog_count(b), MAX_BACKLOG);
	backlog_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_waits_is_written_in_order_with_its_own_instant),
		cmocka_unit_test(test_it_is_bounded),
	};
	return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
