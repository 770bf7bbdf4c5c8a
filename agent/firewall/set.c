/* The sets of the table: names, keys, and flags. One hash set for each prefix length, with the masked source as key. So
 * overlapping prefixes have separate timeouts, and changes cost the same at any size. */
#include <arpa/inet.h>
#include <string.h>

#include "firewall/netlink.h"

static const char *const KIND_NAMES[] = {"guard", "trusted", "allow", "denied"};

/* nft's type numbers in a concatenation, six bits each. */
enum { TYPE_IPV4 = 7, TYPE_IPV6 = 8, TYPE_PORT = 13, TYPE_BITS = 6 };

struct set_id set_id_of(enum set_kind kind, const struct source *s)
{
	return (struct set_id){kind, s->family, kind == SET_DENIED ? 0 : s->prefix};
}

struct set_id set_id_guard(const struct endpoint *e)
{
	return (struct set_id){SET_GUARD, e->family, 0};
}

int set_id_compare(const struct set_id *a, const struct set_id *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return (int)a->prefix - (int)b->prefix;
}

bool set_id_per_prefix(const struct set_id *id)
{
	return id->kind == SET_TRUSTED || id->kind == SET_ALLOW;
}

const char *set_id_format(char buf[SET_NAME_MAX], const struct set_id *id)
{
	char version = id->family == AF_INET ? '4' : '6';

	if (set_id_per_prefix(id))
		snprintf(buf, SET_NAME_MAX, "%s%c_%u", KIND_NAMES[id->kind], version, id->prefix);
	else
		snprintf(buf, SET_NAME_MAX, "%s%c", KIND_NAMES[id->kind], version);
	return buf;
}

bool set_id_parse(struct set_id *out, const char *name)
{
	char again[SET_NAME_MAX];

	for (unsigned k = 0; k < ARRAY_SIZE(KIND_NAMES); k++) {
		size_t length = strlen(KIND_NAMES[k]);
		struct set_id id = {.kind = (enum set_kind)k};

		if (strncmp(name, KIND_NAMES[k], length) != 0)
			continue;
		id.family = name[length] == '6' ? AF_INET6 : AF_INET;
		if (set_id_per_prefix(&id) && name[length] && name[length + 1] == '_') {
			unsigned long prefix = strtoul(name + length + 2, NULL, 10);

			if (prefix > 8 * address_length(id.family))
				return false;
			id.prefix = (uint8_t)prefix;
		}
		/* Accept only the canonical spelling. */
		if (!streq(set_id_format(again, &id), name))
			return false;
		*out = id;
		return true;
	}
	return false;
}

void set_key_make(struct set_key *out, const struct set_id *id, const struct source *s,
	const struct endpoint *e)
{
	size_t width = address_length(id->family);
	uint16_t port = htons(e->port);

	memset(out, 0, sizeof(*out));
	if (id->kind != SET_GUARD) {
		memcpy(out->bytes, s->addr, width);
		out->length = (uint32_t)width;
	}
	memcpy(out->bytes + out->length, e->addr, width);
	out->length += (uint32_t)width;
	memcpy(out->bytes + out->length, &port, sizeof(port));
	out->length += 4;
}

bool set_key_read(struct source *s, struct endpoint *e, const struct set_id *id, const void *key,
	uint32_t length)
{
	size_t width = address_length(id->family), at = 0;
	const uint8_t *bytes = key;
	uint16_t port;

	if (length != (id->kind == SET_GUARD ? width : 2 * width) + 4)
		return false;
	if (id->kind != SET_GUARD) {
		memset(s, 0, sizeof(*s));
		s->family = id->family;
		s->prefix = id->kind == SET_DENIED ? (uint8_t)(8 * width) : id->prefix;
		memcpy(s->addr, bytes, width);
		at = width;
	}
	memset(e, 0, sizeof(*e));
	e->family = id->family;
	memcpy(e->addr, bytes + at, width);
	memcpy(&port, bytes + at + width, sizeof(port));
	e->port = ntohs(port);
	return true;
}

struct shape {
	uint32_t flags, key_type, key_length, size;
	uint64_t timeout;
	uint8_t fields[3];
	uint32_t n_fields;
	bool counter;
};

static struct shape set_shape(const struct set_id *id)
{
	uint32_t address = id->family == AF_INET ? TYPE_IPV4 : TYPE_IPV6;
	uint8_t width = (uint8_t)address_length(id->family);
	struct shape shape = {
		.flags = NFT_SET_CONCAT,
		.key_type = address << TYPE_BITS | TYPE_PORT,
		.key_length = width + 4u,
		.fields = {width, 2},
		.n_fields = 2,
	};

	if (id->kind != SET_GUARD) {
		shape.key_type |= address << 2 * TYPE_BITS;
		shape.key_length += width;
		shape.fields[1] = width;
		shape.fields[2] = 2;
		shape.n_fields = 3;
	}
	if (id->kind == SET_ALLOW) {
		shape.flags |= NFT_SET_TIMEOUT;
		/* A fail-safe: an element without a timeout would never expire. */
		shape.timeout = ALLOW_TIMEOUT_DEFAULT_MS;
		shape.counter = true;
	}
	if (id->kind == SET_DENIED) {
		shape.flags |= NFT_SET_TIMEOUT | NFT_SET_EVAL;
		shape.timeout = DENIED_TIMEOUT_MS;
		shape.size = MAX_DENIED;
		shape.counter = true;
	}
	return shape;
}

static int set_add_counter(struct nftnl_set *set)
{
	struct nftnl_expr *counter = nftnl_expr_alloc("counter");

	if (!counter)
		return -ENOMEM;
	nftnl_set_add_expr(set, counter);
	return 0;
}

struct nftnl_set *set_make(const struct set_id *id)
{
	struct shape shape = set_shape(id);
	struct nftnl_set *set = nftnl_set_alloc();
	char name[SET_NAME_MAX];

	if (!set)
		return NULL;
	if (nftnl_set_set_str(set, NFTNL_SET_TABLE, TABLE_NAME) < 0 ||
		nftnl_set_set_str(set, NFTNL_SET_NAME, set_id_format(name, id)) < 0 ||
		nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, shape.fields, shape.n_fields) < 0 ||
		(shape.counter && set_add_counter(set) < 0)) {
		nftnl_set_free(set);
		return NULL;
	}
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, shape.flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, shape.key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, shape.key_length);
	if (shape.timeout)
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, shape.timeout);
	if (shape.size)
		nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, shape.size);
	return set;
}

static int expr_is_counter(struct nftnl_expr *e, void *n)
{
	++*(unsigned *)n;
	return streq(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter") ? 0 : -1;
}

static uint64_t set_timeout(const struct nftnl_set *s)
{
	return nftnl_set_is_set(s, NFTNL_SET_TIMEOUT) ? nftnl_set_get_u64(s, NFTNL_SET_TIMEOUT) : 0;
}

static uint32_t set_u32(const struct nftnl_set *s, uint16_t attribute)
{
	return nftnl_set_is_set(s, attribute) ? nftnl_set_get_u32(s, attribute) : 0;
}

bool set_is_as_made(const struct nftnl_set *s, const struct set_id *id)
{
	struct shape shape = set_shape(id);
	unsigned expressions = 0;

	return set_u32(s, NFTNL_SET_FLAGS) == shape.flags &&
	       set_u32(s, NFTNL_SET_KEY_TYPE) == shape.key_type &&
	       set_u32(s, NFTNL_SET_KEY_LEN) == shape.key_length &&
	       set_u32(s, NFTNL_SET_DESC_SIZE) == shape.size && set_timeout(s) == shape.timeout &&
	       nftnl_set_expr_foreach(s, expr_is_counter, &expressions) >= 0 &&
	       expressions == shape.counter;
}
