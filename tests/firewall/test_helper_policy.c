/* What the firewall process lets through, by the configuration alone. */
#include "helper_program.h"

static void the_policy_admits_what_the_configuration_can_give(void **state)
{
	struct firewall_policy *p;
	struct allow a = allow_of("203.0.113.7", "192.0.2.10:1433", NOW + 1000);

	(void)state;
	assert_int_equal(firewall_policy_build(&p, &program), 0);
	assert_null(firewall_policy_allow(p, &a));
	a = allow_of("198.51.100.0/29", "192.0.2.10:1433", 1);
	assert_null(firewall_policy_allow(p, &a));
	struct trusted t = {.source = trusted_sources[0], .endpoint = endpoints[0]};
	assert_null(firewall_policy_trusted(p, &t));
	const struct allowlist list = {
		.guards = endpoints, .n_guards = 1, .trusted = &t, .n_trusted = 1};
	assert_false(firewall_policy_keeps(p, &list));
	assert_null(firewall_policy_list(p, &list, NULL));
	firewall_policy_free(p);
	firewall_policy_free(NULL);
}

static void the_policy_refuses_everything_else(void **state)
{
	struct firewall_policy *p;
	struct allow a;
	const char *good = "203.0.113.7", *end = "192.0.2.10:1433";

	(void)state;
	assert_int_equal(firewall_policy_build(&p, &program), 0);
	const struct allow wrong[] = {
		allow_of("203.0.113.8", end, NOW + 10), /* nobody's source */
		allow_of("198.51.100.1", end,
			NOW + 10), /* part of somebody's prefix, but not listed */
		allow_of("198.51.0.0/16", end, NOW + 10),    /* too wide */
		allow_of("0.0.0.0/0", end, NOW + 10),	     /* everybody */
		allow_of(good, "192.0.2.10:1434", NOW + 10), /* another port */
		allow_of(good, "192.0.2.11:1433", NOW + 10), /* another machine */
		allow_of("2001:db8:7::7", end, NOW + 10),    /* mixed families */
		allow_of(good, end, 0),			     /* for ever */
		allow_of(good, end, -1),
		allow_of(good, end, NOW + 1001), /* longer than the client has anything */
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(firewall_policy_allow(p, &wrong[i]));
	a = allow_of(good, end, NOW + 10);
	a.comment[3] = '\n';
	assert_non_null(firewall_policy_allow(p, &a));
	memset(a.comment, 'x', sizeof(a.comment));
	assert_non_null(firewall_policy_allow(p, &a));
	a = allow_of(good, end, NOW + 10);
	a.source.family = 99;
	assert_non_null(firewall_policy_allow(p, &a));
	a.source.family = AF_INET;
	a.source.addr[9] = 1; /* behind the address */
	assert_true(firewall_policy_allow(p, &a) || source_compare(&a.source, &sources[0]) == 0);
	struct trusted t = {.source = sources[0], .endpoint = endpoints[0]};
	assert_non_null(firewall_policy_trusted(p, &t));
	struct endpoint e = endpoints[0];
	e.port++;
	struct allowlist list = {.guards = endpoints};
	assert_non_null(firewall_policy_list(p, &list, NULL));
	/* Beside the configuration's, another is kept where it is guarded already, and never made. */
	struct endpoint both[] = {endpoints[0], e};
	struct firewall_state held = {.guards = &e, .n_guards = 1};
	list = (struct allowlist){.guards = both, .n_guards = 2};
	assert_true(firewall_policy_keeps(p, &list));
	assert_non_null(firewall_policy_list(p, &list, NULL));
	assert_null(firewall_policy_list(p, &list, &held));
	/* And there nobody is trusted who was not: whoever controls the service could name the whole world. */
	struct trusted world = {.source = source_of("0.0.0.0/0"), .endpoint = e};
	struct trusted old = {.source = trusted_sources[0], .endpoint = e};
	held.trusted = &old;
	held.n_trusted = 1;
	list.trusted = &world;
	list.n_trusted = 1;
	assert_non_null(firewall_policy_list(p, &list, &held));
	list.trusted = &old;
	assert_null(firewall_policy_list(p, &list, &held));
	assert_non_null(firewall_policy_list(p, &list, NULL));
	firewall_policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_admits_what_the_configuration_can_give),
		cmocka_unit_test(the_policy_refuses_everything_else),
	};
	program_make();
	return cmocka_run_group_tests_name("firewall policy", tests, NULL, NULL);
}
