/* One element of a set as the kernel sends it. */
#ifndef FIREWALL_ROW_H
#define FIREWALL_ROW_H

#include "firewall/netlink.h"

struct row { /* points into the message */
	const void *key;
	uint32_t key_length;
	bool expires;
	uint64_t expires_ms;
	uint64_t packets, bytes;
	const char *comment; /* without its terminator */
	size_t comment_length;
	const char *chain; /* that it goes to; NULL: it does not */
};
/* False: not an element. */
bool row_parse(struct row *out, const struct nlattr *element);

#endif
