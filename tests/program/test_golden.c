/* Every broken configuration in broken/ gives exactly the messages that stand beside it.
 * client-*.conf is a client file of the good configuration, main-*.conf its curfew.conf; a line
 * "#=== NAME" begins a file of that name. UPDATE_GOLDEN=1 writes the messages anew: read the difference. */
#include "fixture.h"

#include <dirent.h>

/* 2026-09-01T00:00:00Z: near enough to some go-lives for advice. */
#define SPLIT	  "#=== "
#define MIN_CASES 60

static void case_write(const char *folder, const char *name, const char *text, size_t size)
{
	const char *target = strncmp(name, "main-", 5) == 0 ? "curfew.conf" : "clients.d/acme.conf";

	if (strncmp(text, SPLIT, strlen(SPLIT)) != 0) {
		fixture_write(folder, target, text, size);
		return;
	}
	while (*text) {
		const char *line_end = strchr(text, '\n');
		const char *next = strstr(line_end, "\n" SPLIT);
		_cleanup_free_ char *file = text_make(
			"%.*s", (int)(line_end - text - (int)strlen(SPLIT)), text + strlen(SPLIT));
		_cleanup_free_ char *part = NULL;

		next = next ? next + 1 : text + strlen(text);
		part = strndup(line_end + 1, (size_t)(next - line_end - 1));
		fixture_write(folder, file, part, strlen(part));
		text = next;
	}
}

static char *case_run(const char *name)
{
	_cleanup_free_ char *path = text_make(FIXTURES "broken/%s", name);
	char *folder = fixture_make(), *text, *messages;
	struct problems problems;
	struct program *p;
	size_t size;

	text = file_content(path, &size);
	case_write(folder, name, text, size);
	messages = fixture_load(&p, &problems, folder, FIXTURE_NOW);
	/* No program without valid curfew.conf, and no client out of a file with an error. */
	assert_int_equal(p == NULL, problems.fatal);
	for (size_t i = 0; p && i < p->n_clients; i++)
		for (size_t j = 0; j < problems.n; j++)
			if (strcmp(problems.items[j].file, p->clients[i].file) == 0)
				assert_int_not_equal(problems.items[j].severity, SEVERITY_ERROR);
	program_free(p);
	problems_free(&problems);
	fixture_remove(folder);
	free(text);
	return messages;
}

static void case_check(const char *name)
{
	_cleanup_free_ char *path =
		text_make(FIXTURES "broken/%.*s.expected", (int)strlen(name) - 5, name);
	char *messages = case_run(name), *expected;
	size_t size;

	if (getenv("UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "we");

		assert_non_null(f);
		fputs(messages, f);
		fclose(f);
	}
	expected = file_content(path, &size);
	if (strcmp(messages, expected) != 0)
		fail_msg("%s:\n--- expected\n%s--- got\n%s", name, expected, messages);
	/* A broken file without a word would be a file that is read wrongly. */
	assert_true(size > 0);
	free(expected);
	free(messages);
}

static int is_case(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static void test_golden_messages(void **state)
{
	struct dirent **entries;
	int n = scandir(FIXTURES "broken", &entries, is_case, alphasort);

	(void)state;
	assert_true(n >= MIN_CASES);
	for (int i = 0; i < n; i++) {
		case_check(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_messages),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
