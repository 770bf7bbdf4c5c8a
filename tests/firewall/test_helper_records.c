/* What the firewall process remembers: lines, the file that holds them, and what follows for its policy. */
#include "helper_program.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
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

static void lines_are_read_as_they_were_written(void **state)
{
	char line[FIREWALL_RECORD_MAX];
	struct firewall_record r = {.kind = FIREWALL_REVOKED,
		.at = NOW,
		.client = "acme \xc3\xa9",
		.login = "acme.jane"};
	struct firewall_record back;
	static const char *const wrong[] = {"", "revoke", "revoke\t1\tacme", "revoke\tx\tacme\t",
		"revoke\t1\t\tjane", "revoke\t1\tacme\tjane\tmore", "reinstate\t-1\tacme\t",
		"head\t1\t2\tabc", "forget\t1\tacme\t", "head\t1\t\t"};

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

static void what_was_added_stays(void **state)
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
	assert_int_equal(st.st_mode & 0777, 0600);
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

/* Whoever has taken the service over cannot open for somebody revoked without adding a line that says so. */
static void who_is_revoked_is_left_out(void **state)
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
		cmocka_unit_test(lines_are_read_as_they_were_written),
		cmocka_unit_test(what_was_added_stays),
		cmocka_unit_test(who_is_revoked_is_left_out),
	};
	return cmocka_run_group_tests_name("firewall memory", tests, folder_make, folder_remove);
}
