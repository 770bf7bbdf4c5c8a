/* Many elements: one transaction when the buffer holds it, several when it does not. */
#include "lab.h"

#include "firewall/netlink.h"

#define E4 HOME4 ":1433"

/* Too many for one message. The emulated machine of tests/system/kernel61 is some twenty times slower: fewer there, since a
 * pass corrects deadlines that spread while it writes only a bounded number of times. */
static size_t many(void)
{
	char line[512] = "";
	FILE *f = fopen("/proc/cmdline", "re");

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strstr(line, "curfew.own_machine") ? 2000 : 10000;
}

static void fill(struct list *l, size_t n, instant_t until)
{
	for (size_t i = 0; i < n; i++) {
		struct allow *a = &l->allows[i];
		char comment[64];

		memset(a, 0, sizeof(*a));
		a->source = (struct source){
			AF_INET, {203, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 32};
		a->endpoint = endpoint_of(E4);
		a->until = until + (instant_t)i;
		snprintf(comment, sizeof(comment), "client%zu/client%zu.first.last", i / 3, i / 3);
		a->comment = pool_text(&l->w.texts, comment);
	}
	l->w.n_allows = n;
}

/* Applies and counts. One transaction takes it all, unless the machine is so slow that the deadlines would
 * have spread too far: then it takes several, or mends. */
static void apply_in_one(struct firewall *f, const struct list *l, size_t changes)
{
	struct firewall_state s = observed(f);
	uint32_t before = s.generation;
	int64_t began = monotonic_ms();
	bool fast;

	firewall_state_free(&s);
	assert_int_equal(applied(f, l, real_now()), changes);
	fast = monotonic_ms() - began < ALLOWANCE_MS;
	s = observed(f);
	assert_int_equal(s.n_allows, l->w.n_allows);
	if (fast)
		assert_int_equal(s.generation, before + 1);
	firewall_state_free(&s);
}

static void test_one_transaction(void **state)
{
	const size_t n = many();
	struct firewall *f;
	struct list l;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	fill(&l, n, real_now() + 3600);
	f = lab_open(&LAB_SETTINGS);
	if (f->send_limit < 8 * 1024 * 1024) {
		print_message("# SKIPPED: the send buffer may not be forced here (%zu bytes)\n",
			f->send_limit);
		firewall_close(f);
		list_free(&l);
		skip();
	}
	apply_in_one(f, &l, n + 2);
	for (size_t i = 0; i < n; i++)
		l.allows[i].until += 600;
	apply_in_one(f, &l, n);
	l.w.n_allows = n / 2;
	apply_in_one(f, &l, n / 2);
	lab_close(f);
	list_free(&l);
}

static void test_several_transactions(void **state)
{
	struct firewall *f;
	instant_t now = real_now();
	struct firewall_state s;
	struct list l;
	struct endpoint second = endpoint_of("192.0.2.11:1433");
	uint32_t before;

	(void)state;
	lab_require();
	list_init(&l);
	list_guard(&l, E4);
	list_guard(&l, "192.0.2.12:1433");
	fill(&l, 4000, now + 3600);
	f = lab_open(&LAB_SETTINGS);
	/* What an unprivileged container gets. */
	f->send_limit = 212992;
	s = observed(f);
	before = s.generation;
	firewall_state_free(&s);
	/* The first transaction holds the guard, so that what does not fit is closed meanwhile, not open. */
	applied(f, &l, real_now());
	s = observed(f);
	assert_true(s.generation > before + 1);
	assert_int_equal(s.n_allows, 4000);
	assert_int_equal(s.n_guards, 2);
	firewall_state_free(&s);
	/* A guard that goes while much is added goes in the last transaction. */
	fill(&l, 8000, now + 7200);
	l.guards[1].endpoint = second;
	applied(f, &l, real_now());
	s = observed(f);
	assert_int_equal(s.n_allows, 8000);
	assert_int_equal(s.n_guards, 2);
	assert_int_equal(endpoint_compare(&s.guards[1].endpoint, &second), 0);
	firewall_state_free(&s);
	lab_close(f);
	list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_transaction),
		cmocka_unit_test(test_several_transactions),
	};

	return cmocka_run_group_tests(tests, lab_setup, NULL);
}
