/* Real packets while the table is made anew: with other settings, and again and again. */
#include "lab.h"

#define E4     HOME4 ":1433"
#define JANE   "203.0.113.7"
#define NOBODY "203.0.113.99"

static void test_loopback(void **state)
{
	struct firewall_settings s = LAB_SETTINGS;
	struct firewall *f;
	struct list l;
	int listener;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	f = lab_open(&s);
	applied(f, &l, real_now());
	listener = tcp_listen(lab_home, HOME4, PORT);
	assert_true(reaches(lab_home, HOME4, HOME4, PORT));
	firewall_close(f);
	s.guard_loopback = true;
	f = lab_open(&s);
	applied(f, &l, real_now());
	assert_true(is_refused(lab_home, HOME4, HOME4, PORT));
	close(listener);
	lab_close(f);
	list_free(&l);
}

/* While the table is rebuilt again and again, packets from everywhere meet the one table or the other. */
static void test_rebuild_lets_nobody_through(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_state s;
	struct list l;
	int listener, status, ready[2];
	pid_t child;

	(void)state;
	lab_require();
	assert_int_equal(pipe(ready), 0);
	listener = tcp_listen(lab_home, HOME4, PORT);
	/* Before the table has an owner: a child would hold its socket too. */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char byte;
		struct pollfd p = {.fd = ready[0], .events = POLLIN};

		close(ready[1]);
		bool good = read(ready[0], &byte, 1) == 1;
		while (good && poll(&p, 1, 0) == 0)
			good = tcp_connect(lab_away, NOBODY, HOME4, PORT, 2) < 0;
		_exit(good ? 0 : 1);
	}
	list_init(&l);
	list_guard(&l, E4);
	list_allow(&l, JANE, E4, now + 3600, "jane");
	f = lab_open(&LAB_SETTINGS);
	applied(f, &l, now);
	assert_int_equal(write(ready[1], "x", 1), 1);
	for (int rounds = 0; rounds < 20; rounds++) {
		/* Read with other settings our own table is damaged. */
		struct firewall_settings other = LAB_SETTINGS;

		other.log = rounds % 2;
		firewall_close(f);
		f = lab_open(&other);
		assert_int_equal(applied(f, &l, real_now()),
			rounds == 0 || other.log != (rounds - 1) % 2 ? 1 : 0);
	}
	close(ready[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(ready[0]);
	s = observed(f);
	/* The child tried all the while; the count survived every rebuild. */
	assert_true(s.n_refused == 1 && s.refused[0].packets > 0);
	firewall_state_free(&s);
	assert_true(reaches(lab_away, JANE, HOME4, PORT));
	close(listener);
	lab_close(f);
	list_free(&l);
}

static int setup(void **state)
{
	int r = lab_setup(state);

	if (!lab_ready)
		return r;
	lab_person(JANE);
	lab_person(NOBODY);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_rebuild_lets_nobody_through),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
