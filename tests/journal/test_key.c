/* The journal's key stays with the process that opened the journal: what is forked from it talks to SQL servers. */
#include "journal_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#define FOLDER	    "/tmp/curfew-key-XXXXXX"
#define MAPPING_MAX ((size_t)1 << 30)

/* As it must not be found: every byte turned around, so that looking for it finds no copy of what is looked for. */
static void key_turned(uint8_t out[JOURNAL_HASH_SIZE])
{
	for (size_t i = 0; i < JOURNAL_HASH_SIZE; i++)
		out[i] = (uint8_t) ~(0xa7 * (i + 3));
}

static void key_make(uint8_t out[JOURNAL_HASH_SIZE])
{
	key_turned(out);
	for (size_t i = 0; i < JOURNAL_HASH_SIZE; i++)
		out[i] = (uint8_t)~out[i];
}

static bool holds(const uint8_t *bytes, size_t n, const uint8_t turned[JOURNAL_HASH_SIZE])
{
	for (size_t i = 0; i + JOURNAL_HASH_SIZE <= n; i++) {
		size_t k = 0;
		while (k < JOURNAL_HASH_SIZE && (bytes[i + k] ^ turned[k]) == 0xff)
			k++;
		if (k == JOURNAL_HASH_SIZE)
			return true;
	}
	return false;
}

/* How often this process has the key anywhere in its memory. */
static int copies_count(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
	uint8_t turned[JOURNAL_HASH_SIZE];
	unsigned long from, to;
	char line[512], mode[8];

	key_turned(turned);
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w')
			continue;
		/* The shadow of an instrumented build, terabytes that hold no data of the program. */
		if (to - from > MAPPING_MAX)
			continue;
		uint8_t *bytes = malloc(to - from);
		ssize_t n = pread(fd, bytes, to - from, (off_t)from);
		found += n > 0 && holds(bytes, (size_t)n, turned);
		free(bytes);
	}
	if (maps)
		fclose(maps);
	close(fd);
	return found;
}

/* Not inlined: what it leaves on the stack is overwritten by what is called later, as in a service. */
__attribute__((noinline)) static struct journal *journal_keyed(const char *path)
{
	uint8_t key[JOURNAL_HASH_SIZE];
	struct journal *j = NULL;

	key_make(key);
	const struct journal_options o = {.path = path, .key = key};
	assert_int_equal(journal_open(&j, &o), 0);
	sodium_memzero(key, sizeof(key));
	write_intent(j, "acme", 1793500000);
	return j;
}

static void test_no_child_has_it(void **state)
{
	char folder[] = FOLDER, path[64];
	int status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/journal.db", folder);
	struct journal *j = journal_keyed(path);
	sodium_stackzero(65536);
	assert_int_equal(copies_count(), 1);
	pid_t child = fork();
	if (child == 0)
		_exit(copies_count());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* And the parent goes on with it. */
	write_intent(j, "acme", 1793500001);
	int64_t first;
	char why[256];
	assert_int_equal(journal_verify(&first, why, j), 0);
	journal_close(j);
	assert_int_equal(unlink(path), 0);
	char rest[80];
	snprintf(rest, sizeof(rest), "%s-journal", path);
	unlink(rest);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_child_has_it),
	};
	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
