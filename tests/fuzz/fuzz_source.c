/* Sources and endpoints: two lines of input, each tried as both. What is taken is masked, has one spelling,
 * and the order and "contains" agree with the bits of the addresses. */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include "curfew/source.h"

static bool address_bit(const uint8_t *addr, unsigned i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static unsigned source_bits(const struct source *s)
{
	REQUIRE(s->family == AF_INET || s->family == AF_INET6);
	return s->family == AF_INET ? 32 : 128;
}

static bool prefix_shared(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
	for (unsigned i = 0; i < prefix; i++)
		if (address_bit(a, i) != address_bit(b, i))
			return false;
	return true;
}

/* IPv4 has one spelling, but for the prefix of a host: nothing that another program reads as octal or as a
 * number without dots is taken. */
static void spelling_check(const char *text, const char *formatted)
{
	size_t n = strlen(formatted);

	REQUIRE(strncmp(text, formatted, n) == 0);
	REQUIRE(text[n] == '\0' || strcmp(text + n, "/32") == 0);
}

/* Packets never carry IPv4 as IPv6: what is taken so would let in, or guard, nobody. */
static void address_is_carried(int family, const uint8_t *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	REQUIRE(family == AF_INET || memcmp(addr, mapped, sizeof(mapped)) != 0);
}

static bool source_check(struct source *out, const char *text)
{
	char formatted[SOURCE_TEXT_MAX];
	struct source again;
	int r = source_parse(out, text);

	REQUIRE(r >= 0 && r <= SOURCE_BAD_PREFIX);
	if (r == SOURCE_MALFORMED || r == SOURCE_BAD_PREFIX)
		return false;
	REQUIRE(out->prefix <= source_bits(out));
	for (unsigned i = out->prefix; i < 128; i++)
		REQUIRE(!address_bit(out->addr, i));
	address_is_carried(out->family, out->addr);
	REQUIRE(source_contains(out, out->family, out->addr));
	source_format(formatted, out);
	REQUIRE(strlen(formatted) < SOURCE_TEXT_MAX);
	REQUIRE(source_parse(&again, formatted) == 0);
	REQUIRE(source_compare(&again, out) == 0);
	if (r == 0 && out->family == AF_INET)
		spelling_check(text, formatted);
	return true;
}

static void sources_check(const struct source *a, const struct source *b)
{
	char x[SOURCE_TEXT_MAX], y[SOURCE_TEXT_MAX];
	int order = source_compare(a, b);
	bool holds = a->family == b->family && prefix_shared(a->addr, b->addr, a->prefix);

	REQUIRE((order > 0) == (source_compare(b, a) < 0));
	REQUIRE((order == 0) == (strcmp(source_format(x, a), source_format(y, b)) == 0));
	REQUIRE(source_contains(a, b->family, b->addr) == holds);
	/* What is around something unusable or private is so too. */
	if (holds && a->prefix <= b->prefix) {
		REQUIRE(!source_is_unusable(b) || source_is_unusable(a));
		REQUIRE(!source_is_private(b) || source_is_private(a));
	}
}

static bool endpoint_check(struct endpoint *out, const char *text)
{
	char formatted[ENDPOINT_TEXT_MAX];
	struct endpoint again;
	int r = endpoint_parse(out, text);

	REQUIRE(r == 0 || r == -EINVAL);
	if (r < 0)
		return false;
	REQUIRE(out->port > 0);
	address_is_carried(out->family, out->addr);
	REQUIRE(out->family == AF_INET || out->family == AF_INET6);
	endpoint_format(formatted, out);
	REQUIRE(endpoint_parse(&again, formatted) == 0);
	REQUIRE(endpoint_compare(&again, out) == 0);
	if (out->family == AF_INET)
		REQUIRE(strcmp(text, formatted) == 0);
	return true;
}

static void endpoints_check(const struct endpoint *a, const struct endpoint *b)
{
	char x[ENDPOINT_TEXT_MAX], y[ENDPOINT_TEXT_MAX];
	int order = endpoint_compare(a, b);

	REQUIRE((order > 0) == (endpoint_compare(b, a) < 0));
	REQUIRE((order == 0) == (strcmp(endpoint_format(x, a), endpoint_format(y, b)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	_cleanup_free_ char *first = input_text(&in, '\n'), *second = input_text(&in, '\n');
	struct endpoint e, f;
	struct source s, t;
	bool both = source_check(&s, first);

	if (source_check(&t, second) && both)
		sources_check(&s, &t);
	both = endpoint_check(&e, first);
	if (endpoint_check(&f, second) && both)
		endpoints_check(&e, &f);
	return 0;
}
