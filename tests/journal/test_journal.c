/* The journal: writing, batches, reading, who had what. */
#include "journal_fixture.h"

#include <errno.h>
#include <unistd.h>

static void test_writes_and_reads_every_field(void **state)
{
	struct fixture *f = *state;
	struct journal_entry e = {
		.kind = JOURNAL_OUTCOME,
		.at = 1000,
		.intent = 1,
		.actor = "root (uid 0)",
		.reason = "go-live",
		.phase = "read-only",
		.client = "acme",
		.login = "acme.jane.doe",
		.server = "sql07",
		.database = "AcmeProd",
		.action = "role-add",
		.statement = "ALTER ROLE [a]]b] ADD MEMBER [x];",
		.before = "",
		.after = NULL,
		.outcome = "done",
		.detail = "line\nline",
		.level = NULL,
		.sources = NULL,
		.configuration = "ab12",
	};
	struct collected got = {0};
	int64_t id = 0;

	write_intent(f->j, "acme", 999);
	assert_int_equal(journal_write(&id, f->j, &e), 0);
	assert_int_equal(id, 2);
	assert_int_equal(journal_read(f->j, &(struct journal_filter){.kind = JOURNAL_OUTCOME},
				 collect, &got),
		0);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.items[0].id, 2);
	assert_int_equal(got.items[0].intent, 1);
	assert_int_equal(got.items[0].at, 1000);
	assert_string_equal(got.items[0].statement, e.statement);
	assert_string_equal(got.items[0].before, "");
	assert_null(got.items[0].after);
	assert_string_equal(got.items[0].configuration, "ab12");
	collected_free(&got);
}

static void test_filters(void **state)
{
	struct fixture *f = *state;
	struct collected got = {0};

	/* More than a page, so that paging itself is walked through. */
	assert_int_equal(journal_begin(f->j), 0);
	for (int i = 0; i < 1000; i++)
		write_intent(f->j, i % 2 ? "acme" : "zenith", i);
	assert_int_equal(journal_commit(f->j), 0);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = -1}, collect, &got), 0);
	assert_int_equal(got.n, 1000);
	for (size_t i = 0; i < got.n; i++)
		assert_int_equal(got.items[i].id, i + 1);
	collected_free(&got);
	assert_int_equal(journal_read(f->j,
				 &(struct journal_filter){.kind = -1,
					 .client = "acme",
					 .has_from = true,
					 .from = 10,
					 .has_to = true,
					 .to = 20},
				 collect, &got),
		0);
	assert_int_equal(got.n, 5);
	assert_int_equal(got.items[0].at, 11);
	collected_free(&got);
	assert_int_equal(journal_read(f->j, &(struct journal_filter){.kind = -1, .login = "nobody"},
				 collect, &got),
		0);
	assert_int_equal(got.n, 0);
	collected_free(&got);
}

static void write_element(
	struct journal *j, enum journal_kind kind, int64_t intent, const char *detail)
{
	const struct journal_entry e = {.kind = kind,
		.intent = intent,
		.server = JOURNAL_NETWORK,
		.action = "allow-remove",
		.statement = "203.0.113.7 -> 192.0.2.1:1433",
		.detail = detail};

	assert_int_equal(journal_write(NULL, j, &e), 0);
}

static size_t read_count(struct journal *j, const char *client, const char *login)
{
	const struct journal_filter f = {.kind = -1, .client = client, .login = login};
	struct collected got = {0};
	size_t n;

	assert_int_equal(journal_read(j, &f, collect, &got), 0);
	n = got.n;
	collected_free(&got);
	return n;
}

/* A closing belongs to everybody behind the element, its outcome with it, whatever was said of it. */
static void test_elements_are_found_by_their_names(void **state)
{
	struct fixture *f = *state;

	write_element(f->j, JOURNAL_INTENT, 0, "acme/acme.jane.doe, gamma/gamma.bo.li");
	write_element(f->j, JOURNAL_OUTCOME, 1, "nothing was left to do for it");
	write_element(f->j, JOURNAL_OUTCOME, 0, "acme/acme.jane.doe");
	/* What is no element has no names, and somebody else's outcome is nobody's here. */
	write_intent(f->j, "delta", 5);
	write_outcome(f->j, 4, 5);
	assert_int_equal(journal_write(NULL, f->j,
				 &(struct journal_entry){.kind = JOURNAL_EVENT,
					 .server = "sql07",
					 .detail = "gamma/gamma.bo.li"}),
		0);
	assert_int_equal(read_count(f->j, "acme", NULL), 3);
	assert_int_equal(read_count(f->j, "gamma", NULL), 2);
	assert_int_equal(read_count(f->j, "gamma", "gamma.bo.li"), 2);
	assert_int_equal(read_count(f->j, NULL, "acme.jane.doe"), 3);
	assert_int_equal(read_count(f->j, "gamma", "acme.jane.doe"), 0);
	assert_int_equal(read_count(f->j, "amm", NULL), 0);
	assert_int_equal(read_count(f->j, "delta", NULL), 2);
	assert_int_equal(read_count(f->j, NULL, NULL), 6);
}

static void test_the_view_of_access(void **state)
{
	struct fixture *f = *state;

	write_access(f->j, "acme", "acme.jane.doe", "AcmeTest", LEVEL_FULL, 10, 20);
	write_access(f->j, "acme", "acme.jane.doe", "AcmeTest", LEVEL_NONE, 20, 0);
	assert_int_equal(
		sql_number(f->path,
			"SELECT count(*) FROM v_access WHERE level = 'none' AND until IS NULL"),
		1);
	assert_int_equal(
		sql_number(f->path,
			"SELECT count(*) FROM v_access WHERE until = '1970-01-01T00:00:20Z'"),
		1);
	/* One made before is whole with the view that it has. */
	sql(f->path,
		"DROP VIEW v_access; CREATE VIEW v_access AS SELECT id,"
		" strftime('%Y-%m-%dT%H:%M:%SZ', at, 'unixepoch') AS at, client, login, server, database, level,\n"
		"  sources, strftime('%Y-%m-%dT%H:%M:%SZ', until, 'unixepoch') AS until, phase, reason, actor,"
		" configuration\n  FROM record WHERE kind = 'access'");
	assert_verifies(f->j);
}

static void test_bounds(void **state)
{
	struct fixture *f = *state;
	instant_t first = 1, last = 2;

	assert_int_equal(journal_bounds(&first, &last, f->j), -ENOENT);
	assert_int_equal(first, 1);
	/* A clock that was put right: the order of writing is not that of the instants. */
	write_intent(f->j, "acme", 50);
	write_intent(f->j, "acme", 20);
	write_intent(f->j, "acme", 30);
	assert_int_equal(journal_bounds(&first, &last, f->j), 0);
	assert_int_equal(first, 20);
	assert_int_equal(last, 50);
}

static int write_more(void *context, const struct journal_entry *e)
{
	struct fixture *f = context;

	(void)e;
	write_intent(f->j, "from within", 5);
	return 0;
}

static void test_reader_may_write(void **state)
{
	struct fixture *f = *state;
	struct collected got = {0};

	for (int i = 0; i < 300; i++)
		write_intent(f->j, "acme", i);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = -1}, write_more, f), 0);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = -1}, collect, &got), 0);
	assert_int_equal(got.n, 600);
	collected_free(&got);
	assert_verifies(f->j);
}

static void test_batch_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct journal_entry wrong = {.kind = JOURNAL_ACCESS, .level = "admin", .at = 1};

	assert_int_equal(journal_begin(f->j), 0);
	assert_int_equal(journal_begin(f->j), -EALREADY);
	write_intent(f->j, "acme", 1);
	assert_int_equal(journal_write(NULL, f->j, &wrong), -EINVAL);
	assert_int_equal(
		journal_write(NULL, f->j, &(struct journal_entry){.kind = JOURNAL_EVENT}), -EINVAL);
	assert_int_equal(journal_commit(f->j), -EINVAL);
	assert_int_equal(count_records(f->path), 0);
	assert_int_equal(journal_commit(f->j), -EINVAL);
	assert_int_equal(journal_begin(f->j), 0);
	write_intent(f->j, "acme", 1);
	journal_rollback(f->j);
	assert_int_equal(count_records(f->path), 0);
	write_intent(f->j, "acme", 1);
	assert_int_equal(count_records(f->path), 1);
	assert_verifies(f->j);
}

static void test_hostile_strings(void **state)
{
	struct fixture *f = *state;
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = 1,
		.action = "x\x1b[2Jy",
		.detail = "a\xff\xc0\x80z\xed\xa0\x80",
		.reason = "tab\tnl\n\x7f",
		.client = "\xc3\xa9'\"--"};
	struct collected got = {0};
	char *huge = malloc(1024 * 1024 + 2);

	assert_int_equal(journal_write(NULL, f->j, &e), 0);
	assert_int_equal(
		journal_read(f->j, &(struct journal_filter){.kind = -1}, collect, &got), 0);
	assert_string_equal(got.items[0].action, "x\xe2\x90\x9b[2Jy");
	assert_string_equal(got.items[0].detail,
		"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(got.items[0].reason, "tab\tnl\n\xe2\x90\xa1");
	assert_string_equal(got.items[0].client, "\xc3\xa9'\"--");
	collected_free(&got);
	assert_non_null(huge);
	memset(huge, 'a', 1024 * 1024 + 1);
	huge[1024 * 1024 + 1] = '\0';
	e.detail = huge;
	assert_int_equal(journal_write(NULL, f->j, &e), -E2BIG);
	free(huge);
	assert_int_equal(count_records(f->path), 1);
	assert_verifies(f->j);
}

static void test_unfinished(void **state)
{
	struct fixture *f = *state;
	struct collected got = {0};

	write_intent(f->j, "a", 1);
	write_intent(f->j, "b", 2);
	write_outcome(f->j, 1, 3);
	assert_int_equal(journal_unfinished(f->j, collect, &got), 0);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.items[0].client, "b");
	collected_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_JOURNAL(test_writes_and_reads_every_field),
		WITH_JOURNAL(test_filters),
		WITH_JOURNAL(test_elements_are_found_by_their_names),
		WITH_JOURNAL(test_bounds),
		WITH_JOURNAL(test_the_view_of_access),
		WITH_JOURNAL(test_reader_may_write),
		WITH_JOURNAL(test_batch_is_all_or_nothing),
		WITH_JOURNAL(test_hostile_strings),
		WITH_JOURNAL(test_unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
