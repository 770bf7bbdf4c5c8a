/* What the firewall process remembers: lines, the file that holds them, and what follows for its policy. */
#include "helper_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "firewall/helper_guards.h"
#include "firewall/helper_records.h"

static char folder[] = "/tmp/curfew-records-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void file_append(const char *text, size_t times)
{
	FILE *f = fopen(path_of("records"), "ae");

	assert_non_null(f);
	while (times--)
		fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static struct helper_records *records_open(size_t unreadable)
{
	struct helper_records *r;
	size_t found;

	assert_int_equal(helper_records_open(&r, folder, &found), 0);
	assert_int_equal(found, unreadable);
	return r;
}

static void test_lines_are_read_as_they_were_written(void **state)
{
	char line[FIREWALL_RECORD_MAX];
	struct firewall_record r = {.kind = FIREWALL_REVOKED,
		.at = NOW,
		.client = "acme \xc3\xa9",
		.login = "acme.jane"};
	struct firewall_record back;
	static const char *const wrong[] = {"", "revoke", "revoke\t1\tacme", "revoke\tx\tacme\t",
		"revoke\t1\t\tjane", "revoke\t1\tacme\tjane\tmore", "reinstate\t-1\tacme\t",
		"head\t1\t2\tabc", "forget\t1\tacme\t", "head\t1\t\t",
		"guard\t1\tsql01\t192.0.2.10", "guard\t1\t\t192.0.2.10:1433",
		"guard\t1\tsql01\t192.0.2.10:1433\t", "trusted\t1\tsql01\t192.0.2.10:1433",
		"trusted\t1\tsql01\t192.0.2.10:1433\t2001:db8::1"};

	(void)state;
	assert_int_equal(firewall_record_write(line, &r), 0);
	assert_int_equal(firewall_record_read(&back, line), 0);
	assert_memory_equal(&back, &r, sizeof(r));
	snprintf(r.client, sizeof(r.client), "ac\nme");
	assert_int_equal(firewall_record_write(line, &r), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(firewall_record_read(&back, wrong[i]), -EINVAL);
	r = (struct firewall_record){.kind = FIREWALL_HEAD, .at = NOW, .id = 7};
	memset(r.hash, 'a', FIREWALL_HASH_TEXT);
	assert_int_equal(firewall_record_write(line, &r), 0);
	assert_int_equal(firewall_record_read(&back, line), 0);
	assert_memory_equal(&back, &r, sizeof(r));
}

static void test_what_was_added_stays(void **state)
{
	struct helper_records *r = records_open(0);
	char head[FIREWALL_RECORD_MAX], newest[128];
	struct stat st;

	(void)state;
	snprintf(head, sizeof(head), "head\t5\t9\t%064d", 1);
	assert_int_equal(helper_records_add(r, "revoke\t1\tacme\tacme.jane.doe"), 0);
	assert_int_equal(helper_records_add(r, "revoke\t2\tbeta\t"), 0);
	assert_int_equal(helper_records_add(r, "revoke\t3\tgone\t"), 0);
	assert_int_equal(helper_records_add(r, "reinstate\t4\tgone\t"), 0);
	assert_int_equal(helper_records_add(r, head), 0);
	assert_int_equal(helper_records_add(r, "revoke\t1\tacme\tx\nrevoke\t1\tbeta\t"), -EINVAL);
	assert_int_equal(helper_records_add(r, "anything"), -EINVAL);
	helper_records_close(r);

	/* The power failed within a line: that one was never confirmed, and the next begins behind it. */
	file_append("reinstate\t6\tbe", 1);
	r = records_open(1);
	const struct firewall_memory *m = helper_records_memory(r);
	assert_int_equal(m->n, 2);
	assert_non_null(firewall_memory_find(m, "acme", "acme.jane.doe"));
	assert_non_null(firewall_memory_find(m, "beta", ""));
	assert_int_equal(m->head.id, 9);
	assert_int_equal(helper_records_add(r, "revoke\t7\tdelta\t"), 0);
	helper_records_close(r);

	/* A long file is renewed; what counts is in the new one, and the old one stays whole beside it. */
	snprintf(newest, sizeof(newest), "head\t8\t10\t%064d\n", 2);
	file_append(newest, 20000);
	r = records_open(1);
	helper_records_close(r);
	assert_int_equal(stat(path_of("records"), &st), 0);
	assert_true(st.st_size < 1000);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(stat(path_of("records.1"), &st), 0);
	assert_true(st.st_size > 20000 * 64);
	r = records_open(0);
	m = helper_records_memory(r);
	assert_int_equal(m->n, 3);
	assert_int_equal(m->head.id, 10);
	char *text = helper_records_text(r);
	assert_non_null(strstr(text, "revoke\t1\tacme\tacme.jane.doe\n"));
	free(text);
	helper_records_close(r);
}

/* The disk is full within a line, and has space again later: the next line is one of its own. */
static void test_a_line_cut_short_takes_no_other_with_it(void **state)
{
	struct helper_records *r = records_open(0);
	struct rlimit whole, little;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path_of("records"), &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
	little = whole;
	little.rlim_cur = (rlim_t)st.st_size + 10;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_int_equal(helper_records_add(r, "revoke\t8\tepsilon\tepsilon.jane"), -ENOSPC);
	assert_int_equal(helper_records_add(r, "revoke\t8\tzeta\tzeta.jane"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
	assert_int_equal(helper_records_add(r, "revoke\t9\teta\teta.jane"), 0);
	helper_records_close(r);
	r = records_open(1);
	assert_non_null(firewall_memory_find(helper_records_memory(r), "eta", "eta.jane"));
	helper_records_close(r);
}

static void guards_are(struct helper_records *r, size_t n, size_t trusted)
{
	const struct firewall_memory *m = helper_records_memory(r);
	size_t unreadable, found = 0;
	struct firewall_memory back;

	/* As it is in memory, and as a boot reads it. */
	assert_int_equal(m->guards.n, n);
	assert_int_equal(m->n_trusted, trusted);
	int fd = firewall_memory_open(folder);
	assert_true(fd >= 0);
	assert_int_equal(firewall_memory_load(&back, &unreadable, fd), 0);
	close(fd);
	assert_int_equal(unreadable, 0);
	assert_int_equal(back.guards.n, n);
	for (size_t i = 0; i < n; i++)
		found += back.guards.items[i].n_trusted;
	assert_int_equal(found, trusted);
	firewall_memory_free(&back);
}

/* The table's guards, and the sources that it trusts there, until the table has them no more. */
static void test_the_guards_of_the_table_stay(void **state)
{
	struct helper_records *r;
	struct allowlist w = list_of(NULL, 0);
	struct firewall_memory none;
	struct stat before, after;
	size_t unreadable;

	(void)state;
	unlink(path_of("records"));
	assert_int_equal(firewall_memory_open(folder), -ENOENT);
	/* What is not a file says nothing, which is not that nothing is remembered. */
	assert_int_equal(mkdir(path_of("records"), 0700), 0);
	int fd = firewall_memory_open(folder);
	assert_true(fd >= 0);
	assert_int_equal(firewall_memory_load(&none, &unreadable, fd), -EINVAL);
	close(fd);
	assert_int_equal(rmdir(path_of("records")), 0);
	r = records_open(0);
	assert_int_equal(helper_records_guards(r, &w, NOW), 0);
	guards_are(r, 1, 1);
	assert_string_equal(helper_records_memory(r)->guards.items[0].server, "sql01");
	/* Nothing is written again. */
	assert_int_equal(stat(path_of("records"), &before), 0);
	assert_int_equal(helper_records_guards(r, &w, NOW + 9), 0);
	assert_int_equal(stat(path_of("records"), &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	/* The service cannot say so, only change the table. */
	assert_int_equal(helper_records_add(r, "unguard\t1\tsql01\t192.0.2.10:1433"), -EINVAL);
	assert_int_equal(helper_records_add(r, "guard\t1\tsql01\t192.0.2.11:1433"), -EINVAL);
	/* The configuration no longer names it: it is as it was, whatever the list says of it. */
	const struct guard left = {endpoints[0], NULL};
	struct allowlist kept = {.guards = (struct guard *)&left, .n_guards = 1};
	assert_int_equal(helper_records_guards(r, &kept, NOW), 0);
	guards_are(r, 1, 1);
	helper_records_close(r);
	/* Also in a file that was renewed. */
	file_append("revoke\t1\tacme\t\n", 80000);
	r = records_open(0);
	guards_are(r, 1, 1);
	w.n_trusted = 0;
	assert_int_equal(helper_records_guards(r, &w, NOW), 0);
	guards_are(r, 1, 0);
	/* More than is remembered changes nothing. */
	w.n_guards = FIREWALL_GUARDS_MAX + 1;
	assert_int_equal(helper_records_guards(r, &w, NOW), -E2BIG);
	guards_are(r, 1, 0);
	w.n_guards = 0;
	assert_int_equal(helper_records_guards(r, &w, NOW), 0);
	guards_are(r, 0, 0);
	helper_records_close(r);
	r = records_open(0);
	guards_are(r, 0, 0);
	helper_records_close(r);
}

/* A table that lost a guard may get it back, with whom it trusted. */
static void test_a_remembered_guard_counts_as_held(void **state)
{
	struct firewall_memory m = {0};
	struct firewall_state held = {0};
	struct firewall_policy *p;
	struct trusted t[] = {{.source = trusted_sources[0], .endpoint = endpoints[0]},
		{.source = source_of("10.9.0.0/24")}};
	struct guard both[] = {guards[0], guards[0]};
	struct allowlist w = {.guards = both, .n_guards = 2, .trusted = t, .n_trusted = 2};
	size_t unreadable = 0;

	(void)state;
	assert_int_equal(endpoint_parse(&both[1].endpoint, "192.0.2.99:1433"), 0);
	t[1].endpoint = both[1].endpoint;
	assert_int_equal(firewall_policy_build(&p, &program, NULL), 0);
	assert_int_equal(firewall_memory_read(&m, &unreadable,
				 "guard\t1\tsql02\t192.0.2.99:1433\n"
				 "trusted\t1\tsql02\t192.0.2.99:1433\t10.9.0.0/24\n"),
		0);
	assert_non_null(firewall_policy_list(p, &w, &held));
	assert_int_equal(helper_guards_join(&held, &m.guards), 0);
	assert_null(firewall_policy_list(p, &w, &held));
	t[1].source = source_of("0.0.0.0/0");
	assert_non_null(firewall_policy_list(p, &w, &held));
	firewall_state_free(&held);
	firewall_memory_free(&m);
	firewall_policy_free(p);
}

/* Whoever has taken the service over cannot open for somebody revoked without adding a line that says so. */
static void test_who_is_revoked_is_left_out(void **state)
{
	struct firewall_memory m = {0};
	struct firewall_policy *p;
	struct allow a[] = {allow_of("203.0.113.7", "192.0.2.10:1433", NOW + 500)};
	struct observed_allow seen = {.source = a[0].source,
		.endpoint = a[0].endpoint,
		.has_timeout = true,
		.remaining_ms = 400000};
	const struct firewall_state held = {.allows = &seen, .n_allows = 1};
	struct allowlist w = {.allows = a, .n_allows = 1};
	size_t unreadable = 0;

	(void)state;
	assert_int_equal(
		firewall_memory_read(&m, &unreadable, "revoke\t1\tacme\tacme.jane.doe\n"), 0);
	assert_int_equal(firewall_policy_build(&p, &program, &m), 0);
	assert_null(firewall_policy_allow(
		p, &a[0])); /* no accident: it is left out and told, and the process goes on */
	assert_false(firewall_policy_confirms(p, &w));
	assert_int_equal(firewall_policy_bound(&w, p, &held, NOW), 1);
	assert_int_equal(w.n_allows, 0);
	firewall_policy_free(p);
	assert_int_equal(
		firewall_memory_read(&m, &unreadable, "reinstate\t2\tacme\tacme.jane.doe\n"), 0);
	assert_int_equal(firewall_policy_build(&p, &program, &m), 0);
	w.n_allows = 1;
	assert_true(firewall_policy_confirms(p, &w));
	firewall_policy_free(p);
	/* The whole client. */
	assert_int_equal(firewall_memory_read(&m, &unreadable, "revoke\t3\tacme\t"), 0);
	assert_int_equal(unreadable, 0);
	assert_int_equal(firewall_policy_build(&p, &program, &m), 0);
	assert_false(firewall_policy_confirms(p, &w));
	firewall_policy_free(p);
	firewall_memory_free(&m);
}

static int folder_make(void **state)
{
	(void)state;
	program_make();
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path_of("records"));
	unlink(path_of("records.1"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_are_read_as_they_were_written),
		cmocka_unit_test(test_what_was_added_stays),
		cmocka_unit_test(test_a_line_cut_short_takes_no_other_with_it),
		cmocka_unit_test(test_the_guards_of_the_table_stay),
		cmocka_unit_test(test_a_remembered_guard_counts_as_held),
		cmocka_unit_test(test_who_is_revoked_is_left_out),
	};
	return cmocka_run_group_tests_name("firewall memory", tests, folder_make, folder_remove);
}
