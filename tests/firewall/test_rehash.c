/* A set that the kernel is still rehashing is dumped wrong without an error: a reading of it must be whole all the same.
 * The elements come from nft, so that the reading begins while the kernel is at work on them. */
#include <sys/wait.h>

#include "lab.h"

#include "firewall/netlink.h"
#include "firewall/table_state.h"

#define E4     HOME4 ":1433"
#define MANY   60000
#define ROUNDS 6

static void elements_write(const char *path)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs("flush set inet curfew server.sql07.allow4_32\n"
	      "add element inet curfew server.sql07.allow4_32 {\n",
		to);
	for (unsigned i = 1; i <= MANY; i++)
		fprintf(to, "203.%u.%u.%u timeout 1h,\n", i >> 16, i >> 8 & 255, i & 255);
	fputs("}\n", to);
	assert_int_equal(fclose(to), 0);
}

/* Returns as soon as the kernel has taken nft's transaction, while nft itself is still to end. */
static pid_t load_begin(struct firewall *f, const char *path)
{
	uint32_t before, now;

	assert_int_equal(query_generation(&before, f), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		execlp("nft", "nft", "-f", path, (char *)NULL);
		_exit(127);
	}
	bool ended;
	do {
		/* Asked first: what nft did before it ended is seen then. */
		ended = waitpid(pid, NULL, WNOHANG) != 0;
		assert_int_equal(query_generation(&now, f), 0);
	} while (now == before && !ended);
	assert_int_not_equal(now, before);
	return pid;
}

static void test_reading_is_whole_while_the_kernel_rehashes(void **state)
{
	char path[] = "/tmp/curfew-rehash-XXXXXX";
	struct firewall_state s;
	struct firewall *f;
	struct list l;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard_of(&l, "sql07", E4);
	list_allow(&l, "203.0.0.1", E4, real_now() + 3600, "acme/acme.jane.doe");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	firewall_close(f); /* the table stays, and nft may write to it */
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	elements_write(path);
	assert_int_equal(firewall_open_reader(&f, &LAB_SETTINGS), 0);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid = load_begin(f, path);
		assert_int_equal(firewall_observe(&s, f, real_now()), 0);
		assert_int_equal(s.n_allows, MANY);
		assert_false(state_has_twins(&s));
		firewall_state_free(&s);
		waitpid(pid, NULL, 0);
	}
	unlink(path);
	firewall_close(f);
	f = lab_open(&LAB_SETTINGS);
	lab_close(f);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading_is_whole_while_the_kernel_rehashes),
	};

	return cmocka_run_group_tests(tests, lab_setup, NULL);
}
