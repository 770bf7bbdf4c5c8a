/* The sets of the table: keys and flags. One hash set for each server and prefix length, with the masked source as key. So
 * overlapping prefixes have separate timeouts, changes cost the same at any size, and no set is so large that reading it
 * becomes slow. */
#include <arpa/inet.h>
#include <string.h>

#include "firewall/netlink.h"

/* nft's type numbers, six bits each in a concatenation. */
enum { TYPE_IPV4 = 7, TYPE_IPV6 = 8, TYPE_PORT = 13, TYPE_BITS = 6 };

/* What a key consists of, in this order. */
static bool key_has_source(const struct set_id *id)
{
	return id->kind != SET_GUARD && id->kind != SET_EARLIER_GUARD;
}

static bool key_has_endpoint(const struct set_id *id)
{
	return !set_is_of_server(id);
}

static uint32_t key_length(const struct set_id *id)
{
	uint32_t width = (uint32_t)address_length(id->family);

	return (key_has_source(id) ? width : 0) + (key_has_endpoint(id) ? width + 4 : 0);
}

void set_key_make(struct set_key *out, const struct set_id *id, const struct source *s,
	const struct endpoint *e)
{
	size_t width = address_length(id->family), at = 0;

	memset(out, 0, sizeof(*out));
	out->length = key_length(id);
	if (key_has_source(id)) {
		memcpy(out->bytes, s->addr, width);
		at = width;
	}
	if (key_has_endpoint(id)) {
		uint16_t port = htons(e->port);

		memcpy(out->bytes + at, e->addr, width);
		memcpy(out->bytes + at + width, &port, sizeof(port));
	}
}

bool set_key_read(struct source *s, struct endpoint *e, const struct set_id *id, const void *key,
	uint32_t length)
{
	size_t width = address_length(id->family), at = 0;
	const uint8_t *bytes = key;
	uint16_t port;

	if (length != key_length(id))
		return false;
	if (key_has_source(id)) {
		memset(s, 0, sizeof(*s));
		s->family = (uint16_t)id->family;
		s->prefix = id->kind == SET_DENIED ? (uint8_t)(8 * width) : id->prefix;
		memcpy(s->addr, bytes, width);
		at = width;
	}
	if (key_has_endpoint(id)) {
		memset(e, 0, sizeof(*e));
		e->family = (uint16_t)id->family;
		memcpy(e->addr, bytes + at, width);
		memcpy(&port, bytes + at + width, sizeof(port));
		e->port = ntohs(port);
	}
	return true;
}

struct shape {
	uint32_t flags, key_type, key_length, size;
	uint64_t timeout;
	uint8_t fields[3];
	uint32_t n_fields;
	bool counter;
};

static void shape_add(struct shape *shape, uint32_t type, uint8_t width)
{
	shape->key_type = shape->key_type << TYPE_BITS | type;
	shape->fields[shape->n_fields++] = width;
}

static struct shape set_shape(const struct set_id *id)
{
	uint32_t address = id->family == AF_INET ? TYPE_IPV4 : TYPE_IPV6;
	uint8_t width = (uint8_t)address_length(id->family);
	struct shape shape = {.key_length = key_length(id)};

	if (key_has_source(id))
		shape_add(&shape, address, width);
	if (key_has_endpoint(id)) {
		shape_add(&shape, address, width);
		shape_add(&shape, TYPE_PORT, 2);
		shape.flags = NFT_SET_CONCAT;
	}
	if (id->kind == SET_GUARD)
		shape.flags |= NFT_SET_MAP;
	if (set_has_timeout(id))
		shape.flags |= NFT_SET_TIMEOUT;
	if (id->kind == SET_ALLOW || id->kind == SET_EARLIER_ALLOW) {
		/* A fail-safe: an element without a timeout would never expire. */
		shape.timeout = ALLOW_TIMEOUT_DEFAULT_MS;
		shape.counter = true;
	}
	if (id->kind == SET_DENIED) {
		shape.flags |= NFT_SET_EVAL;
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

struct nftnl_set *set_make(const struct set_id *id, const struct names *servers)
{
	struct shape shape = set_shape(id);
	struct nftnl_set *set = nftnl_set_alloc();
	char name[NFT_NAME_MAX];

	if (!set)
		return NULL;
	if (nftnl_set_set_str(set, NFTNL_SET_TABLE, TABLE_NAME) < 0 ||
		nftnl_set_set_str(set, NFTNL_SET_NAME, set_name(name, id, servers)) < 0 ||
		(shape.flags & NFT_SET_CONCAT && nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT,
							 shape.fields, shape.n_fields) < 0) ||
		(shape.counter && set_add_counter(set) < 0)) {
		nftnl_set_free(set);
		return NULL;
	}
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, shape.flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, shape.key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, shape.key_length);
	if (shape.flags & NFT_SET_MAP) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
	}
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

static bool shape_is(const struct nftnl_set *s, const struct set_id *id, uint32_t ignored)
{
	struct shape shape = set_shape(id);
	unsigned expressions = 0;

	return (set_u32(s, NFTNL_SET_FLAGS) | ignored) == (shape.flags | ignored) &&
	       (!(shape.flags & NFT_SET_MAP) ||
		       set_u32(s, NFTNL_SET_DATA_TYPE) == NFT_DATA_VERDICT) &&
	       set_u32(s, NFTNL_SET_KEY_TYPE) == shape.key_type &&
	       set_u32(s, NFTNL_SET_KEY_LEN) == shape.key_length &&
	       set_u32(s, NFTNL_SET_DESC_SIZE) == shape.size && set_timeout(s) == shape.timeout &&
	       nftnl_set_expr_foreach(s, expr_is_counter, &expressions) >= 0 &&
	       expressions == shape.counter;
}

bool set_is_as_made(const struct nftnl_set *s, const struct set_id *id)
{
	return shape_is(s, id, 0);
}

bool set_is_readable(const struct nftnl_set *s, const struct set_id *id)
{
	return shape_is(s, id, NFT_SET_CONCAT);
}
