/* Sources and endpoints: text to prefixes and address:port pairs, and back. A source has no host bits set, so that
 * equal prefixes have equal values. */
#include "curfew/source.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Longer than any address that inet_pton() accepts. */
#define ADDRESS_TEXT_MAX 64

static unsigned family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* Reads digits only: no sign, no leading zero. */
static bool number_parse(unsigned *out, const char *text, unsigned max)
{
	unsigned value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return false;
	}
	*out = value;
	return true;
}

static bool address_is_mapped(const uint8_t *addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

/* The kernel treats an IPv4-mapped address as IPv4, so an IPv6 element for it would never match. */
static int address_parse(uint16_t *family, uint8_t addr[16], const char *text)
{
	memset(addr, 0, 16);
	if (inet_pton(AF_INET, text, addr) == 1) {
		*family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, text, addr) == 1 && !address_is_mapped(addr)) {
		*family = AF_INET6;
		return 0;
	}
	return -EINVAL;
}

static void address_mask(uint8_t addr[16], unsigned prefix)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;

		if (kept < 8)
			addr[i] &= (uint8_t)(0xff00u >> kept);
	}
}

int source_parse(struct source *out, const char *text)
{
	char address[ADDRESS_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct source s;
	uint8_t given[16];
	unsigned prefix;

	if (length >= sizeof(address))
		return SOURCE_MALFORMED;
	memcpy(address, text, length);
	address[length] = '\0';
	if (address_parse(&s.family, s.addr, address) < 0)
		return SOURCE_MALFORMED;
	prefix = family_bits(s.family);
	if (slash && !number_parse(&prefix, slash + 1, prefix))
		return SOURCE_BAD_PREFIX;
	s.prefix = (uint8_t)prefix;
	memcpy(given, s.addr, sizeof(given));
	address_mask(s.addr, prefix);
	*out = s;
	return memcmp(given, s.addr, sizeof(given)) ? SOURCE_HOST_BITS : 0;
}

const char *source_format(char buf[SOURCE_TEXT_MAX], const struct source *s)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(s->family, s->addr, address, sizeof(address));
	if (s->prefix == family_bits(s->family))
		snprintf(buf, SOURCE_TEXT_MAX, "%s", address);
	else
		snprintf(buf, SOURCE_TEXT_MAX, "%s/%u", address, s->prefix);
	return buf;
}

/* Lists of 100,000 are sorted and walked by it: as numbers, without a call for 16 bytes. */
static int address_compare(const uint8_t a[16], const uint8_t b[16])
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] != y[0])
		return be64toh(x[0]) < be64toh(y[0]) ? -1 : 1;
	if (x[1] != y[1])
		return be64toh(x[1]) < be64toh(y[1]) ? -1 : 1;
	return 0;
}

int source_compare(const struct source *a, const struct source *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return address_compare(a->addr, b->addr);
}

bool source_contains(const struct source *s, int family, const uint8_t *addr)
{
	uint8_t masked[16] = {0};

	/* As a server that listens on IPv6 may name an IPv4 client. */
	if (family == AF_INET6 && s->family == AF_INET && address_is_mapped(addr)) {
		family = AF_INET;
		addr += 12;
	}
	if (family != s->family)
		return false;
	memcpy(masked, addr, family_bits(family) / 8);
	address_mask(masked, s->prefix);
	return memcmp(masked, s->addr, sizeof(masked)) == 0;
}

#define NEAR4 24
#define NEAR6 48

bool source_is_near(const struct source *s, const struct source *address)
{
	uint8_t bits = address->family == AF_INET ? NEAR4 : NEAR6;
	struct source wide = *address;

	if (s->family != address->family)
		return false;
	wide.prefix = s->prefix < bits ? s->prefix : bits;
	address_mask(wide.addr, wide.prefix);
	return source_contains(&wide, s->family, s->addr);
}

bool source_overlaps(const struct source *a, const struct source *b)
{
	return source_contains(a, b->family, b->addr) || source_contains(b, a->family, a->addr);
}

static bool source_overlaps_any(const struct source *s, const char *const ranges[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct source range;

		if (source_parse(&range, ranges[i]) == 0 && source_overlaps(s, &range))
			return true;
	}
	return false;
}

bool source_is_unusable(const struct source *s)
{
	static const char *const ranges[] = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
		"224.0.0.0/4", "240.0.0.0/4", "::", "::1", "fe80::/10", "ff00::/8"};

	return source_overlaps_any(s, ranges, ARRAY_SIZE(ranges));
}

bool source_is_private(const struct source *s)
{
	static const char *const ranges[] = {
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"};

	return source_overlaps_any(s, ranges, ARRAY_SIZE(ranges));
}

int endpoint_parse(struct endpoint *out, const char *text)
{
	char address[ADDRESS_TEXT_MAX];
	bool bracketed = text[0] == '[';
	const char *colon = strrchr(text, ':');
	const char *start = text + bracketed;
	const char *stop = bracketed ? strchr(text, ']') : colon;
	struct endpoint e;
	unsigned port;

	if (!colon || !stop || (bracketed && stop + 1 != colon))
		return -EINVAL;
	if ((size_t)(stop - start) >= sizeof(address))
		return -EINVAL;
	memcpy(address, start, (size_t)(stop - start));
	address[stop - start] = '\0';
	if (address_parse(&e.family, e.addr, address) < 0)
		return -EINVAL;
	/* Without brackets the port would be ambiguous with the last group of an IPv6 address. */
	if (bracketed != (e.family == AF_INET6))
		return -EINVAL;
	if (!number_parse(&port, colon + 1, UINT16_MAX) || port == 0)
		return -EINVAL;
	e.port = (uint16_t)port;
	*out = e;
	return 0;
}

const char *endpoint_format(char buf[ENDPOINT_TEXT_MAX], const struct endpoint *e)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(e->family, e->addr, address, sizeof(address));
	snprintf(buf, ENDPOINT_TEXT_MAX, e->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address,
		e->port);
	return buf;
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = address_compare(a->addr, b->addr);
	if (order)
		return order;
	return (a->port > b->port) - (a->port < b->port);
}

static struct source endpoint_address(const struct endpoint *e)
{
	struct source s = {.family = e->family, .prefix = (uint8_t)family_bits(e->family)};

	memcpy(s.addr, e->addr, sizeof(s.addr));
	return s;
}

bool endpoint_is_loopback(const struct endpoint *e)
{
	static const char *const ranges[] = {"127.0.0.0/8", "::1"};
	struct source s = endpoint_address(e);

	return source_overlaps_any(&s, ranges, ARRAY_SIZE(ranges));
}

const char *endpoint_fault(const struct endpoint *e)
{
	static const char *const local[] = {"169.254.0.0/16", "fe80::/10"};
	struct source s = endpoint_address(e);

	if (endpoint_is_loopback(e) || !source_is_unusable(&s))
		return NULL;
	return source_overlaps_any(&s, local, ARRAY_SIZE(local))
		       ? "is link-local, and no user's address reaches it"
		       : "is no destination of a packet";
}

char *sources_text(const struct source *sources, size_t n)
{
	char *text = malloc(n * (SOURCE_TEXT_MAX + 2) + 1), *to = text;
	char one[SOURCE_TEXT_MAX];

	if (!text)
		return NULL;
	*to = '\0';
	for (size_t i = 0; i < n; i++) {
		to = stpcpy(to, i ? ", " : "");
		to = stpcpy(to, source_format(one, &sources[i]));
	}
	return text;
}
