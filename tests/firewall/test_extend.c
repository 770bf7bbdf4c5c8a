/* An end that moves, where the kernel changes elements in place. */
#include "lab.h"

#include "firewall/netlink.h"

#define E4     HOME4 ":1433"
#define NAME   "acme/acme.jane.doe"
#define MANY   1200
#define FAR_MS 3600000
/* What Curfew writes lies within these milliseconds of the wanted end: it takes some off, see CUT_MS. */
#define OFF_MS (CUT_MS + ALLOWANCE_MS + MAX_SPREAD_MS)

/* Elements of every timeout that Curfew may be about to write, of each of which little is left. */
static void elements_write(const char *path)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	fputs("add element inet curfew server.sql07.allow4_32 {\n", to);
	for (unsigned i = 0; i < MANY; i++)
		fprintf(to, "203.0.%u.%u timeout %ums expires 60s comment \"" NAME "\",\n", i >> 8,
			i & 255, FAR_MS - OFF_MS + i);
	fputs("}\n", to);
	assert_int_equal(fclose(to), 0);
}

static void test_same_timeout_is_extended(void **state)
{
	char path[] = "/tmp/curfew-extend-XXXXXX", source[32];
	struct firewall_state s;
	struct firewall *f;
	struct list l;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard_of(&l, "sql07", E4);
	list_allow(&l, "203.0.0.0", E4, real_now() + 3600, NAME);
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, real_now());
	firewall_close(f); /* the table stays, and nft may write to it */
	run("nft flush set inet curfew server.sql07.allow4_32");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	elements_write(path);
	run("nft -f %s", path);
	unlink(path);
	instant_t now = real_now();
	l.w.n_allows = 0;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(source, sizeof(source), "203.0.%u.%u", i >> 8, i & 255);
		list_allow(&l, source, E4, now + FAR_MS / 1000, NAME);
	}
	f = lab_open(&LAB_SETTINGS);
	s = observed(f);
	uint32_t before = s.generation;
	firewall_state_free(&s);
	int64_t began = monotonic_ms();
	assert_int_equal(applied(f, &l, now), MANY);
	bool fast = monotonic_ms() - began < ALLOWANCE_MS;
	s = observed(f);
	/* At once: a second round, milliseconds later, writes other timeouts and would hide it. */
	if (fast)
		assert_int_equal(s.generation, before + 1);
	assert_int_equal(s.n_allows, MANY);
	for (size_t i = 0; i < s.n_allows; i++)
		assert_true(s.allows[i].remaining_ms > 120 * 1000);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_timeout_is_extended),
	};

	return cmocka_run_group_tests(tests, lab_setup, NULL);
}
