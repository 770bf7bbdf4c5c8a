/* Sources (IPv4 or IPv6 prefixes) and endpoints (address and port). */
#ifndef CURFEW_SOURCE_H
#define CURFEW_SOURCE_H

#include "curfew/base.h"

/* Size of the longest text of a source or an endpoint, with terminator. */
#define SOURCE_TEXT_MAX	  64
#define ENDPOINT_TEXT_MAX 64

struct source {
	uint16_t
		family; /* AF_INET or AF_INET6; lists hold 100,000 of them, so it is as short as the rest */
	uint8_t addr[16]; /* network byte order; IPv4 uses the first 4; host bits are zero */
	uint8_t prefix;	  /* 0..32 or 0..128 */
};

struct endpoint {
	uint16_t family;
	uint8_t addr[16];
	uint16_t port; /* host byte order */
};

/* Positive results of source_parse(): the error in the text. */
enum source_problem {
	SOURCE_MALFORMED = 1,
	SOURCE_HOST_BITS, /* *out is the corrected prefix */
	SOURCE_BAD_PREFIX,
};

/* "203.0.113.7", "198.51.100.0/29", "2001:db8:7::/64". IPv4-mapped IPv6 is SOURCE_MALFORMED. */
int source_parse(struct source *out, const char *text);
/* Writes at most SOURCE_TEXT_MAX bytes; a single address has no prefix length. */
const char *source_format(char buf[SOURCE_TEXT_MAX], const struct source *s);
/* "203.0.113.7, 198.51.100.0/29". Owned; NULL without memory. */
char *sources_text(const struct source *sources, size_t n);
/* Total order: family, prefix length, address. */
int source_compare(const struct source *a, const struct source *b);
bool source_overlaps(const struct source *a, const struct source *b);
bool source_contains(const struct source *s, int family, const uint8_t *addr);
/* In the same /24 or /48: a changed address of the same network, or a typing error. */
bool source_is_near(const struct source *s, const struct source *address);
/* Kinds that need words in `check`. */
bool source_is_unusable(const struct source *s); /* unspecified, loopback, multicast, link-local */
bool source_is_private(const struct source *s);	 /* RFC 1918, RFC 6598, RFC 4193 */

/* "192.0.2.10:1433", "[2001:db8::5]:1433". 0 or -EINVAL. */
int endpoint_parse(struct endpoint *out, const char *text);
const char *endpoint_format(char buf[ENDPOINT_TEXT_MAX], const struct endpoint *e);
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);
bool endpoint_is_loopback(const struct endpoint *e);
/* Why no user's packet has this destination, as the rest of a sentence: a guard on it would block nobody. NULL: one may. */
const char *endpoint_fault(const struct endpoint *e);

#endif
