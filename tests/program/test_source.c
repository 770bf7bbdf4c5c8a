/* Addresses: what is accepted, what is refused and how, and that text and value go back and forth. */
#include "curfew/source.h"

#include "random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_sources_by_table(void **state)
{
	static const struct {
		const char *text;
		int result;
		const char *format; /* of what is stored; NULL: nothing */
	} rows[] = {
		{"203.0.113.7", 0, "203.0.113.7"},
		{"203.0.113.7/32", 0, "203.0.113.7"},
		{"198.51.100.0/29", 0, "198.51.100.0/29"},
		{"0.0.0.0/0", 0, "0.0.0.0/0"},
		{"2001:db8:7::/64", 0, "2001:db8:7::/64"},
		{"2001:DB8:7:0::/64", 0, "2001:db8:7::/64"},
		{"2001:db8::1/128", 0, "2001:db8::1"},
		{"::/0", 0, "::/0"},
		{"198.51.100.9/29", SOURCE_HOST_BITS, "198.51.100.8/29"},
		{"203.0.113.7/0", SOURCE_HOST_BITS, "0.0.0.0/0"},
		{"203.0.113.7/31", SOURCE_HOST_BITS, "203.0.113.6/31"},
		{"2001:db8:7::1/64", SOURCE_HOST_BITS, "2001:db8:7::/64"},
		{"2001:db8:ffff::/33", SOURCE_HOST_BITS, "2001:db8:8000::/33"},
		{"203.0.113.0/33", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/-1", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/+8", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/024", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/24 ", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/24/24", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/4294967320", SOURCE_BAD_PREFIX, NULL},
		{"203.0.113.0/255.255.255.0", SOURCE_BAD_PREFIX, NULL},
		{"2001:db8::/129", SOURCE_BAD_PREFIX, NULL},
		{"", SOURCE_MALFORMED, NULL},
		{"/24", SOURCE_MALFORMED, NULL},
		{"203.0.113", SOURCE_MALFORMED, NULL},
		{"203.0.113.256", SOURCE_MALFORMED, NULL},
		{"203.0.113.07", SOURCE_MALFORMED, NULL},
		{"0x7f.1", SOURCE_MALFORMED, NULL},
		{" 203.0.113.7", SOURCE_MALFORMED, NULL},
		{"203.0.113.7:1433", SOURCE_MALFORMED, NULL},
		{"::ffff:203.0.113.7", SOURCE_MALFORMED, NULL},
		{"::ffff:0:0/96", SOURCE_MALFORMED, NULL},
		{"fe80::1%eth0", SOURCE_MALFORMED, NULL},
		{"[2001:db8::1]", SOURCE_MALFORMED, NULL},
		{"acme.example", SOURCE_MALFORMED, NULL},
		{"11111111111111111111111111111111111111111111111111111111111111111111",
			SOURCE_MALFORMED, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct source s = {.family = 99};
		char buf[SOURCE_TEXT_MAX];
		int r = source_parse(&s, rows[i].text);

		if (r != rows[i].result)
			fail_msg("%s: %d, not %d", rows[i].text, r, rows[i].result);
		if (rows[i].format)
			assert_string_equal(source_format(buf, &s), rows[i].format);
		else
			assert_int_equal(s.family, 99);
	}
}

static void test_kinds_by_table(void **state)
{
	static const struct {
		const char *text;
		bool is_unusable, is_private;
	} rows[] = {
		{"203.0.113.7", false, false},
		{"0.0.0.0", true, false},
		{"0.255.0.1", true, false},
		{"127.0.0.1", true, false},
		{"126.0.0.0/7", true, false},
		{"128.0.0.0", false, false},
		{"169.254.7.7", true, false},
		{"223.255.255.255", false, false},
		{"224.0.0.1", true, false},
		{"255.255.255.255", true, false},
		{"0.0.0.0/0", true, true},
		{"10.0.0.1", false, true},
		{"11.0.0.1", false, false},
		{"172.15.0.1", false, false},
		{"172.16.0.1", false, true},
		{"172.31.255.255", false, true},
		{"172.32.0.0", false, false},
		{"192.168.0.0/16", false, true},
		{"192.169.0.0", false, false},
		{"100.64.0.0/24", false, true},
		{"100.63.255.255", false, false},
		{"::", true, false},
		{"::1", true, false},
		{"::2", false, false},
		{"fe80::/64", true, false},
		{"fec0::1", false, false},
		{"ff0e::1", true, false},
		{"fc00::/48", false, true},
		{"fdff::1", false, true},
		{"2001:db8::/32", false, false},
		{"::/0", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct source s;

		assert_int_equal(source_parse(&s, rows[i].text), 0);
		if (source_is_unusable(&s) != rows[i].is_unusable)
			fail_msg("%s: unusable", rows[i].text);
		if (source_is_private(&s) != rows[i].is_private)
			fail_msg("%s: private", rows[i].text);
	}
}

static struct source random_source(struct prng *p)
{
	struct source s = {.family = prng_below(p, 2) ? AF_INET : AF_INET6};
	size_t bytes = s.family == AF_INET ? 4 : 16;

	s.prefix = (uint8_t)prng_below(p, bytes * 8 + 1);
	/* Bit by bit, so that the parser's mask is checked against another way to make one. */
	for (unsigned bit = 0; bit < s.prefix; bit++)
		if (prng_below(p, 2))
			s.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return s;
}

static void test_text_goes_back_and_forth(void **state)
{
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct source s = random_source(&p), back, other = random_source(&p);
		char buf[SOURCE_TEXT_MAX];
		int order = source_compare(&s, &other);

		if (source_parse(&back, source_format(buf, &s)) == 0)
			assert_int_equal(source_compare(&s, &back), 0);
		else
			/* Only addresses that stand for IPv4 are not read again. */
			assert_non_null(strstr(buf, "::ffff:"));
		assert_int_equal(order<0, source_compare(&other, &s)> 0);
		assert_true(source_contains(&s, s.family, s.addr));
	}
}

static void test_contains_by_bits(void **state)
{
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct source s = random_source(&p);
		unsigned bits = s.family == AF_INET ? 32 : 128;
		unsigned bit = (unsigned)prng_below(&p, bits);
		uint8_t addr[16];

		memcpy(addr, s.addr, sizeof(addr));
		addr[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		assert_int_equal(source_contains(&s, s.family, addr), bit >= s.prefix);
		assert_false(source_contains(&s, s.family == AF_INET ? AF_INET6 : AF_INET, addr));
	}
}

/* As a server that listens on IPv6 may name an IPv4 client: its session must end with its source. */
static void test_a_mapped_address_is_the_ipv4_one(void **state)
{
	static const uint8_t inside[16] = {[10] = 0xff, 0xff, 203, 0, 113, 7};
	static const uint8_t outside[16] = {[10] = 0xff, 0xff, 203, 0, 112, 7};
	static const uint8_t unmapped[16] = {[12] = 203, 0, 113, 7};
	struct source s;

	(void)state;
	assert_int_equal(source_parse(&s, "203.0.113.0/28"), 0);
	assert_true(source_contains(&s, AF_INET6, inside));
	assert_false(source_contains(&s, AF_INET6, outside));
	assert_false(source_contains(&s, AF_INET6, unmapped));
}

static void test_endpoints_by_table(void **state)
{
	static const struct {
		const char *text;
		const char *format; /* NULL: refused */
	} rows[] = {
		{"192.0.2.10:1433", "192.0.2.10:1433"},
		{"[2001:db8::5]:1433", "[2001:db8::5]:1433"},
		{"[2001:DB8:0::5]:65535", "[2001:db8::5]:65535"},
		{"127.0.0.1:1", "127.0.0.1:1"},
		{"192.0.2.10", NULL},
		{"192.0.2.10:", NULL},
		{"192.0.2.10:0", NULL},
		{"192.0.2.10:65536", NULL},
		{"192.0.2.10:01433", NULL},
		{"192.0.2.10:1433 ", NULL},
		{"192.0.2.10:14:33", NULL},
		{"2001:db8::5:1433", NULL},
		{"[2001:db8::5]", NULL},
		{"[2001:db8::5]1433", NULL},
		{"[2001:db8::5:1433", NULL},
		{"[192.0.2.10]:1433", NULL},
		{"[::ffff:192.0.2.10]:1433", NULL},
		{":1433", NULL},
		{"[]:1433", NULL},
		{"", NULL},
		{"sql01.example:1433", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct endpoint e = {.family = 99};
		char buf[ENDPOINT_TEXT_MAX];
		int r = endpoint_parse(&e, rows[i].text);

		if (r != (rows[i].format ? 0 : -EINVAL))
			fail_msg("%s: %d", rows[i].text, r);
		if (rows[i].format)
			assert_string_equal(endpoint_format(buf, &e), rows[i].format);
		else
			assert_int_equal(e.family, 99);
	}
}

static void test_endpoints_in_order(void **state)
{
	static const char *const rows[] = {"192.0.2.10:1", "192.0.2.10:1433", "192.0.2.11:1",
		"[2001:db8::5]:1", "[2001:db8::5]:2", "[2001:db8::6]:1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++) {
			struct endpoint a, b;
			int order;

			assert_int_equal(endpoint_parse(&a, rows[i]), 0);
			assert_int_equal(endpoint_parse(&b, rows[j]), 0);
			order = endpoint_compare(&a, &b);
			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources_by_table),
		cmocka_unit_test(test_kinds_by_table),
		cmocka_unit_test(test_text_goes_back_and_forth),
		cmocka_unit_test(test_contains_by_bits),
		cmocka_unit_test(test_a_mapped_address_is_the_ipv4_one),
		cmocka_unit_test(test_endpoints_by_table),
		cmocka_unit_test(test_endpoints_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
