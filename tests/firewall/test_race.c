/* Others write at the same time: transactions that are voided, changes that are noticed. */
#include "lab.h"

#define E4   HOME4 ":1433"
#define JANE "203.0.113.7"

static struct list usual(instant_t now)
{
	struct list l;

	list_init(&l);
	list_guard_of(&l, "sql07", E4);
	list_allow(&l, JANE, E4, now + 3600, "jane");
	return l;
}

/* A writer that does not pause, in tables of its own, until it is ended by its id. */
static pid_t writer_start(const char *commands)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", commands, (char *)NULL);
		_exit(127);
	}
	setpgid(child, child);
	return child;
}

static void writer_stop(pid_t child)
{
	kill(-child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_busy_neighbour(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	pid_t writers[2];
	uint32_t before;
	struct firewall_state s;

	(void)state;
	lab_require();
	run("nft 'add table inet busy; add set inet busy s { type ipv4_addr; flags timeout; }'");
	for (size_t i = 0; i < 2; i++)
		writers[i] = writer_start(
			"while :; do nft add element inet busy s '{ 10.0.0.1 timeout 1s }'; "
			"nft add counter inet busy c; done");
	f = lab_open(&LAB_SETTINGS);
	s = observed(f);
	before = s.generation;
	firewall_state_free(&s);
	/* Until they did write in between, or the test would show nothing. */
	for (unsigned i = 1, others = 0; i <= 60 || others < 20; i++) {
		list_find(&l, JANE)->until = now + 3600 + 10 * (i % 2 ? 1000 : 2000);
		applied(f, &l, real_now());
		s = observed(f);
		others = s.generation - before - i;
		firewall_state_free(&s);
	}
	writer_stop(writers[0]);
	writer_stop(writers[1]);
	lab_close(f);
	run("nft flush ruleset");
	list_free(&l);
}

/* Somebody deletes our elements under our hands, where the kernel lets them. */
static void test_rival(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_features features;
	pid_t writer;
	int proved = 0;

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	writer = writer_start(
		"while :; do nft flush set inet curfew server.sql07.allow4_32; nft flush chain inet curfew refuse; "
		"nft delete table inet curfew; done 2>/dev/null");
	for (int i = 1; i <= 60; i++) {
		int r;

		list_find(&l, JANE)->until = now + 3600 + 10 * (i % 2 ? i : 1000 - i);
		r = firewall_apply(NULL, f, &l.w, real_now(), false);
		/* Either it is proved or it is said; a failure names what it was. */
		if (r < 0)
			assert_true(strlen(firewall_error(f)) > 0);
		proved += r == 0;
	}
	writer_stop(writer);
	assert_true(features.owner_persist ? proved == 60 : proved > 0);
	applied(f, &l, real_now());
	lab_close(f);
	list_free(&l);
}

static bool noticed(struct firewall_monitor *m, char who[64])
{
	bool changed = false;

	assert_int_equal(firewall_monitor_read(&changed, who, m), 0);
	return changed;
}

static void test_monitor(void **state)
{
	struct firewall *f;
	struct firewall_monitor *m;
	instant_t now = real_now();
	struct list l = usual(now);
	struct firewall_features features;
	char who[64];
	struct pollfd p = {.events = POLLIN};

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	firewall_features_get(f, &features);
	assert_int_equal(firewall_monitor_open(&m, f), 0);
	p.fd = firewall_monitor_fd(m);
	assert_int_equal(poll(&p, 1, 0), 0);

	applied(f, &l, real_now());
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_false(noticed(m, who));
	assert_string_equal(who, "");
	run("nft 'add table inet foreign; add table ip curfew; flush table inet foreign'");
	assert_false(noticed(m, who));
	assert_int_equal(poll(&p, 1, 0), 0);

	/* Our own table can be touched by others when it is nobody's. */
	firewall_close(f);
	run("nft delete element inet curfew server.sql07.allow4_32 '{ %s }'", JANE);
	assert_true(noticed(m, who));
	assert_non_null(strstr(who, "nft ("));
	run("nft flush ruleset");
	assert_true(noticed(m, who));
	assert_false(noticed(m, who));
	firewall_monitor_close(m);
	firewall_monitor_close(NULL);
	list_free(&l);
}

static void test_monitor_overflow(void **state)
{
	struct firewall *f;
	struct firewall_monitor *m;
	int small = 1;
	char who[64];

	(void)state;
	lab_require();
	f = lab_open(&LAB_SETTINGS);
	assert_int_equal(firewall_monitor_open(&m, f), 0);
	assert_int_equal(
		setsockopt(firewall_monitor_fd(m), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
		0);
	run("nft 'add table inet foreign; add set inet foreign s { type ipv4_addr; }'");
	for (int i = 0; i < 10; i++)
		run("nft add element inet foreign s '{ 10.%d.0.1, 10.%d.0.2, 10.%d.0.3, 10.%d.0.4 }'",
			i, i, i, i);
	/* Events were lost: they may have been about us. */
	assert_true(noticed(m, who));
	assert_string_equal(who, "");
	assert_false(noticed(m, who));
	firewall_monitor_close(m);
	firewall_close(f);
	run("nft flush ruleset");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy_neighbour),
		cmocka_unit_test(test_rival),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_monitor_overflow),
	};

	return cmocka_run_group_tests(tests, lab_setup, NULL);
}
