/* What the firewall process lets through, by the configuration alone. */
#include "helper_program.h"

static void test_the_policy_admits_what_the_configuration_can_give(void **state)
{
	struct firewall_policy *p;
	struct allow a = allow_of("203.0.113.7", "192.0.2.10:1433", NOW + 1000);

	(void)state;
	assert_int_equal(firewall_policy_build(&p, &program, NULL), 0);
	assert_null(firewall_policy_allow(p, &a));
	a = allow_of("198.51.100.0/29", "192.0.2.10:1433", 1);
	assert_null(firewall_policy_allow(p, &a));
	struct trusted t = {.source = trusted_sources[0], .endpoint = endpoints[0]};
	assert_null(firewall_policy_trusted(p, &t));
	const struct allowlist list = {
		.guards = guards, .n_guards = 1, .trusted = &t, .n_trusted = 1};
	assert_false(firewall_policy_keeps(p, &list));
	assert_null(firewall_policy_list(p, &list, NULL));
	firewall_policy_free(p);
	firewall_policy_free(NULL);
}

static void test_the_policy_refuses_everything_else(void **state)
{
	struct firewall_policy *p;
	struct allow a;
	const char *good = "203.0.113.7", *end = "192.0.2.10:1433";
	char longer[ALLOW_COMMENT_MAX + 2] = "";

	(void)state;
	assert_int_equal(firewall_policy_build(&p, &program, NULL), 0);
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
	a.comment = "acm\n/acme.jane.doe";
	assert_non_null(firewall_policy_allow(p, &a));
	memset(longer, 'x', sizeof(longer) - 1);
	a.comment = longer;
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
	struct allowlist list = {.guards = guards};
	assert_non_null(firewall_policy_list(p, &list, NULL));
	/* Beside the configuration's, another is kept where it is guarded already, and never made. */
	struct guard both[] = {guards[0], {e, NULL}};
	struct firewall_state held = {.guards = &both[1], .n_guards = 1};
	list = (struct allowlist){.guards = both, .n_guards = 2};
	assert_true(firewall_policy_keeps(p, &list));
	assert_non_null(firewall_policy_list(p, &list, NULL));
	assert_null(firewall_policy_list(p, &list, &held));
	/* And there nobody is trusted who was not: whoever controls the service could name the whole world. */
	struct trusted world = {.source = source_of("0.0.0.0/0"), .endpoint = e};
	struct trusted old = {.source = trusted_sources[0], .endpoint = e};
	struct observed_trusted there = {.source = old.source, .endpoint = e};
	held.trusted = &there;
	held.n_trusted = 1;
	list.trusted = &world;
	list.n_trusted = 1;
	assert_non_null(firewall_policy_list(p, &list, &held));
	list.trusted = &old;
	assert_null(firewall_policy_list(p, &list, &held));
	assert_non_null(firewall_policy_list(p, &list, NULL));
	firewall_policy_free(p);
}

/* Files with errors: of what the configuration does not confirm nothing is opened or prolonged, and nothing ends early. */
static void test_the_policy_bounds_what_it_cannot_confirm(void **state)
{
	struct firewall_policy *p;
	const char *end = "192.0.2.10:1433";
	struct allow a[] = {allow_of("198.51.100.0/29", end, NOW + 1000),
		allow_of("203.0.113.7", end, NOW + 2000), allow_of("203.0.113.8", end, NOW + 2000),
		allow_of("203.0.113.9", end, NOW + 2000), allow_of("203.0.113.10", end, NOW + 100)};
	struct observed_allow seen[] = {{.source = a[2].source,
						.endpoint = a[2].endpoint,
						.has_timeout = true,
						.remaining_ms = 500001},
		{.source = a[4].source,
			.endpoint = a[4].endpoint,
			.has_timeout = true,
			.remaining_ms = 900000}};
	const struct firewall_state held = {.allows = seen, .n_allows = ARRAY_SIZE(seen)};
	struct allowlist w = {.allows = a, .n_allows = 1};

	(void)state;
	assert_int_equal(firewall_policy_build(&p, &program, NULL), 0);
	assert_true(firewall_policy_confirms(p, &w));
	w.n_allows = 2; /* that one for longer than its client has anything */
	assert_false(firewall_policy_confirms(p, &w));
	w.n_allows = ARRAY_SIZE(a);
	assert_int_equal(firewall_policy_bound(&w, p, &held, NOW), 3);
	assert_int_equal(w.n_allows, 4);
	assert_int_equal(w.allows[0].until, NOW + 1000);
	assert_int_equal(w.allows[1].until, NOW + 1000); /* as the configuration ends it */
	assert_int_equal(w.allows[2].until, NOW + 501);	 /* as the table ends it */
	assert_int_equal(source_compare(&w.allows[3].source, &seen[1].source), 0);
	assert_int_equal(w.allows[3].until, NOW + 100); /* what is to end earlier does */
	/* What no file could make right ends the process, whatever the files are like. */
	struct allow wide = allow_of("203.0.0.0/16", end, NOW + 10);
	assert_non_null(firewall_policy_form(p, &wide));
	wide = allow_of("203.0.113.8", end, 0);
	assert_non_null(firewall_policy_form(p, &wide));
	firewall_policy_free(p);
}

/* The process frees the configuration, and learns later who is revoked. Of two who share a source, the other keeps it. */
static void test_the_policy_keeps_nothing_of_the_program(void **state)
{
	char server[] = "sql01", name[] = "acme",
	     logins[2][16] = {"acme.jane.doe", "acme.john.roe"};
	struct user two[] = {{.login = logins[0], .sources = sources, .n_sources = 2},
		{.login = logins[1], .sources = sources, .n_sources = 1}};
	instant_t ends[] = {NOW + 100};
	struct client c = clients[0];
	struct server s = servers[0];
	struct program copy = program;
	struct firewall_memory m = {0};
	struct firewall_policy *p;
	struct allow late = allow_of("203.0.113.7", "192.0.2.10:1433", NOW + 500), early = late;
	size_t unreadable = 0;

	(void)state;
	early.until = NOW + 100;
	two[1].source_ends = ends;
	c.name = name;
	c.users = two;
	c.n_users = 2;
	s.name = server;
	copy.clients = &c;
	copy.servers = &s;
	assert_int_equal(firewall_policy_build(&p, &copy, NULL), 0);
	memset(server, 'x', sizeof(server));
	memset(name, 'x', sizeof(name));
	memset(logins, 'x', sizeof(logins));
	assert_string_equal(firewall_policy_server(p, &late.endpoint), "sql01");
	assert_null(firewall_policy_allow(p, &late));
	assert_int_equal(
		firewall_memory_read(&m, &unreadable, "revoke\t1\tacme\tacme.jane.doe\n"), 0);
	firewall_policy_revoke(p, &m);
	assert_non_null(firewall_policy_allow(p, &late));
	assert_null(firewall_policy_allow(p, &early));
	const struct allowlist w = {.allows = &early, .n_allows = 1};
	assert_true(firewall_policy_confirms(p, &w));
	assert_int_equal(firewall_memory_read(&m, &unreadable, "revoke\t2\tacme\t\n"), 0);
	firewall_policy_revoke(p, &m);
	assert_false(firewall_policy_confirms(p, &w));
	firewall_policy_revoke(p, NULL);
	assert_null(firewall_policy_allow(p, &late));
	firewall_memory_free(&m);
	firewall_policy_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_policy_admits_what_the_configuration_can_give),
		cmocka_unit_test(test_the_policy_refuses_everything_else),
		cmocka_unit_test(test_the_policy_bounds_what_it_cannot_confirm),
		cmocka_unit_test(test_the_policy_keeps_nothing_of_the_program),
	};
	program_make();
	return cmocka_run_group_tests_name("firewall policy", tests, NULL, NULL);
}
