/* The list that the firewall process is sent: long ones, and one that comes again. */
#include "helper_program.h"

#include "firewall/helper_message.h"

static struct firewall_client *process_start(void)
{
	const struct firewall_process_options o = {.program = &program};
	struct firewall_client *c;

	assert_int_equal(firewall_process_start(&c, &o), 0);
	return c;
}

static size_t changes_planned(struct firewall_port *port, const struct allowlist *wanted)
{
	struct firewall_changes planned;
	int rc = port->plan(&planned, port->context, wanted, real_now(), false);
	size_t n = planned.n;

	assert_int_equal(rc, n ? 0 : FIREWALL_PROVED);
	firewall_changes_free(&planned);
	return n;
}

/* A list is planned again by its number alone while the process has it whole, and it is the last one; what the table has
 * or lacks is found all the same. */
static void test_a_list_is_planned_again_by_its_number(void **state)
{
	(void)state;
	lab_require();
	clients[0].end = real_now() + 1000;
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allow a = allow_of("203.0.113.7", "192.0.2.10:1433", real_now() + 500);
	struct allowlist wanted = list_of(&a, 1), other = wanted;

	wanted.number = 7;
	other.number = 8;
	other.n_allows = 0;
	assert_int_equal(port.again(c, 7, real_now(), false), -ESTALE);
	assert_int_equal(changes_planned(&port, &wanted) > 0, true);
	/* It is not in the table yet. */
	assert_int_equal(port.again(c, 7, real_now(), false), 0);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(port.again(c, 7, real_now(), i % 2), FIREWALL_PROVED);
	assert_int_equal(port.again(c, 8, real_now(), false), -ESTALE);
	assert_int_equal(port.again(c, 0, real_now(), false), -ESTALE);
	assert_int_equal(port.again(c, 7, real_now(), false), FIREWALL_PROVED);
	/* Another list takes its place, and one without a number too. */
	assert_int_equal(port.apply(NULL, port.context, &other, real_now(), false), 0);
	assert_int_equal(port.again(c, 7, real_now(), false), -ESTALE);
	assert_int_equal(port.again(c, 8, real_now(), false), FIREWALL_PROVED);
	assert_int_equal(changes_planned(&port, &wanted), 1);
	assert_int_equal(port.again(c, 7, real_now(), false), 0);
	other.number = 0;
	assert_int_equal(changes_planned(&port, &other), 0);
	assert_int_equal(port.again(c, 8, real_now(), false), -ESTALE);
	assert_int_equal(port.again(c, 0, real_now(), false), -ESTALE);
	/* An entry that has ended is none of it, whatever its number. */
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(port.again(c, 7, real_now() + 600, false), 0);
	firewall_process_stop(c);
}

/* A list that comes again is known by each of its entries: the least difference is found. */
static void test_a_list_that_comes_again_is_compared(void **state)
{
	(void)state;
	lab_require();
	clients[0].end = real_now() + 1000;
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allow a[2] = {allow_of("203.0.113.7", "192.0.2.10:1433", real_now() + 500),
		allow_of("198.51.100.0/29", "192.0.2.10:1433", real_now() + 500)};
	struct allowlist wanted = list_of(a, 2);

	assert_true(source_compare(&a[0].source, &a[1].source) > 0);
	struct allow swap = a[0];
	a[0] = a[1];
	a[1] = swap;
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(changes_planned(&port, &wanted), 0);
	assert_int_equal(changes_planned(&port, &wanted), 0);
	a[1].until -= 100;
	assert_int_equal(changes_planned(&port, &wanted), 1);
	a[1].until += 100;
	assert_int_equal(changes_planned(&port, &wanted), 0);
	a[0].comment = "acme/acme.jane.do";
	assert_int_equal(changes_planned(&port, &wanted), 1);
	a[0].comment = "acme/acme.jane.doe";
	assert_int_equal(changes_planned(&port, &wanted), 0);
	wanted.n_allows = 1;
	assert_int_equal(changes_planned(&port, &wanted), 1);
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(changes_planned(&port, &wanted), 0);
	wanted.n_allows = 2;
	assert_int_equal(changes_planned(&port, &wanted), 1);
	wanted.trusted[0].comment[0] = 'x';
	assert_int_equal(changes_planned(&port, &wanted), 2);
	firewall_process_stop(c);
	run("nft delete table inet curfew");
}

/* More than one message each way, and a plan: what it finds is what apply does, and when there is nothing left it proves so. */
static void test_a_long_list_is_planned_and_applied(void **state)
{
	enum { MANY = 3 * MESSAGE_BATCH + 1 };
	static struct source many[MANY];
	static struct allow a[MANY];
	struct firewall_changes planned, done;
	struct user before = users[0];

	(void)state;
	lab_require();
	clients[0].end = real_now() + 1000;
	for (unsigned i = 0; i < MANY; i++) {
		many[i] = (struct source){AF_INET, {203, 0, (uint8_t)(i >> 8), (uint8_t)i}, 32};
		a[i] = (struct allow){
			many[i], endpoints[0], real_now() + 500, "acme/acme.jane.doe"};
	}
	users[0].sources = many;
	users[0].n_sources = MANY;
	struct firewall_client *c = process_start();
	struct firewall_port port = firewall_client_port(c);
	struct allowlist wanted = list_of(a, MANY);

	assert_int_equal(port.plan(&planned, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(port.apply(&done, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(done.n, MANY + 3);
	assert_int_equal(planned.n, done.n);
	for (size_t i = 0; i < done.n; i++) {
		assert_int_equal(firewall_change_compare(&planned.items[i], &done.items[i]), 0);
		assert_string_equal(planned.items[i].comment, done.items[i].comment);
	}
	firewall_changes_free(&planned);
	firewall_changes_free(&done);
	assert_int_equal(
		port.plan(&planned, port.context, &wanted, real_now(), false), FIREWALL_PROVED);
	firewall_changes_free(&planned);
	/* One fewer: a plan changes nothing. */
	wanted.n_allows--;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(port.plan(&planned, port.context, &wanted, real_now(), true), 0);
		assert_int_equal(planned.n, 1);
		assert_int_equal(planned.items[0].kind, FIREWALL_ALLOW_REMOVE);
		firewall_changes_free(&planned);
	}
	/* An end that comes is no change, and none that does not come is hidden: the plan knows the time. */
	assert_int_equal(port.apply(NULL, port.context, &wanted, real_now(), false), 0);
	assert_int_equal(
		port.plan(&planned, port.context, &wanted, real_now(), true), FIREWALL_PROVED);
	firewall_changes_free(&planned);
	firewall_process_stop(c);
	users[0] = before;
	run("nft delete table inet curfew");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_list_is_planned_again_by_its_number),
		cmocka_unit_test(test_a_list_that_comes_again_is_compared),
		cmocka_unit_test(test_a_long_list_is_planned_and_applied),
	};

	program_make();
	return cmocka_run_group_tests(tests, lab_setup, NULL);
}
