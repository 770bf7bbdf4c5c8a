/* One set element in the kernel's format: its key, its comment, and the timeout at which the kernel removes it. */
#include <endian.h>
#include <string.h>

#include <libnftnl/udata.h>

#include "firewall/netlink.h"

bool element_timeout(uint64_t *out, int64_t end_ms, int64_t now_ms, int64_t allowance_ms)
{
	int64_t rest = end_ms - now_ms - CUT_MS - allowance_ms;

	if (rest <= 0)
		return false;
	*out = (uint64_t)rest;
	return true;
}

static void put_key(struct nlmsghdr *nlh, const struct element *e)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	struct set_key key;

	set_key_make(&key, &e->set, e->source, e->endpoint);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, key.length, key.bytes);
	mnl_attr_nest_end(nlh, nest);
}

static void put_goto(struct nlmsghdr *nlh, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htobe32((uint32_t)NFT_GOTO));
	mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

/* As nft stores a comment: type, length, value. One that does not fit would be stored empty, so it is cut. */
static void put_comment(struct nlmsghdr *nlh, const char *comment)
{
	uint8_t data[2 + UINT8_MAX] = {NFTNL_UDATA_SET_ELEM_COMMENT};
	size_t length = strnlen(comment, UINT8_MAX - 3);

	data[1] = (uint8_t)(length + 1);
	memcpy(data + 2, comment, length);
	mnl_attr_put(nlh, NFTA_SET_ELEM_USERDATA, length + 3, data);
}

static void put_counter(struct nlmsghdr *nlh, uint64_t packets, uint64_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_EXPR), *data;

	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u64(nlh, NFTA_COUNTER_BYTES, htobe64(bytes));
	mnl_attr_put_u64(nlh, NFTA_COUNTER_PACKETS, htobe64(packets));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, nest);
}

int element_build(struct nlmsghdr *nlh, const struct element *e, uint64_t timeout_ms)
{
	struct nlattr *nest;

	/* A timeout of 0 would mean no timeout. */
	if (e->order != ELEMENT_DELETE && set_has_timeout(&e->set) && !timeout_ms)
		return -EINVAL;
	nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	put_key(nlh, e);
	if (e->order == ELEMENT_DELETE) {
		mnl_attr_nest_end(nlh, nest);
		return 0;
	}
	if (timeout_ms)
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(timeout_ms));
	/* Both: a kernel that changes an element in place looks at its timeout in ticks, and does nothing where that is the
	 * same as before, however little of it is left (nft_add_set_elem() in net/netfilter/nf_tables_api.c, since 6.12). A
	 * new element takes its timeout. */
	if (timeout_ms && e->order == ELEMENT_UPDATE)
		mnl_attr_put_u64(nlh, NFTA_SET_ELEM_EXPIRATION, htobe64(timeout_ms));
	if (e->chain)
		put_goto(nlh, e->chain);
	if (e->comment && *e->comment)
		put_comment(nlh, e->comment);
	if (e->packets || e->bytes)
		put_counter(nlh, e->packets, e->bytes);
	mnl_attr_nest_end(nlh, nest);
	return 0;
}
