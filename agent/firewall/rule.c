/* The rules of the table in the form that nft writes, so that nft can list and reload them. */
#include <errno.h>
#include <linux/netfilter/nf_log.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>

#include <libnftnl/udata.h>

#include "firewall/netlink.h"

#define LOG_PREFIX     "curfew refused: "
#define LOG_PER_MINUTE 6
#define LOG_BURST      10

/* A rule while it is built. After the first failure the rest is skipped. */
struct rule_draft {
	struct nftnl_rule *rule;
	int rc;
};

static struct rule_draft draft_new(const char *chain)
{
	struct rule_draft d = {.rule = nftnl_rule_alloc()};

	if (!d.rule || nftnl_rule_set_str(d.rule, NFTNL_RULE_TABLE, TABLE_NAME) < 0 ||
		nftnl_rule_set_str(d.rule, NFTNL_RULE_CHAIN, chain) < 0)
		d.rc = -ENOMEM;
	else
		nftnl_rule_set_u32(d.rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	return d;
}

static int draft_done(struct nftnl_rule **out, struct rule_draft *d)
{
	if (d->rc == 0)
		*out = d->rule;
	else if (d->rule)
		nftnl_rule_free(d->rule);
	return d->rc;
}

static struct nftnl_expr *draft_add(struct rule_draft *d, const char *name)
{
	struct nftnl_expr *e = d->rc == 0 ? nftnl_expr_alloc(name) : NULL;

	if (!e)
		d->rc = -ENOMEM;
	else
		nftnl_rule_add_expr(d->rule, e);
	return e;
}

static void put_bytes(
	struct rule_draft *d, struct nftnl_expr *e, uint16_t attribute, const void *data, size_t n)
{
	if (nftnl_expr_set(e, attribute, data, (uint32_t)n) < 0)
		d->rc = -ENOMEM;
}

static void put_string(
	struct rule_draft *d, struct nftnl_expr *e, uint16_t attribute, const char *text)
{
	if (nftnl_expr_set_str(e, attribute, text) < 0)
		d->rc = -ENOMEM;
}

static void add_meta(struct rule_draft *d, uint32_t key)
{
	struct nftnl_expr *e = draft_add(d, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void add_compare(struct rule_draft *d, uint32_t how, const void *data, size_t n)
{
	struct nftnl_expr *e = draft_add(d, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, how);
	put_bytes(d, e, NFTNL_EXPR_CMP_DATA, data, n);
}

static void add_equals(struct rule_draft *d, const void *data, size_t n)
{
	add_compare(d, NFT_CMP_EQ, data, n);
}

static void add_payload(
	struct rule_draft *d, uint32_t base, size_t offset, size_t length, uint32_t reg)
{
	struct nftnl_expr *e = draft_add(d, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, (uint32_t)offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)length);
}

static void add_bits(struct rule_draft *d, const uint8_t *mask, size_t width)
{
	struct nftnl_expr *e = draft_add(d, "bitwise");
	const uint8_t zero[16] = {0};

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, (uint32_t)width);
	put_bytes(d, e, NFTNL_EXPR_BITWISE_MASK, mask, width);
	put_bytes(d, e, NFTNL_EXPR_BITWISE_XOR, zero, width);
}

static void add_mask(struct rule_draft *d, size_t width, unsigned prefix)
{
	uint8_t mask[16] = {0};

	for (unsigned bit = 0; bit < prefix; bit++)
		mask[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	add_bits(d, mask, width);
}

static void add_family(struct rule_draft *d, int family)
{
	const uint8_t protocol = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	add_meta(d, NFT_META_NFPROTO);
	add_equals(d, &protocol, sizeof(protocol));
}

static size_t source_at(int family)
{
	return family == AF_INET ? 12 : 8;
}

/* Loads the source, masked for the set. */
static void add_source(struct rule_draft *d, const struct set_id *id)
{
	const size_t width = address_length(id->family);

	add_payload(d, NFT_PAYLOAD_NETWORK_HEADER, source_at(id->family), width, NFT_REG_1);
	if (set_is_of_server(id) && id->prefix < 8 * width)
		add_mask(d, width, id->prefix);
}

/* Loads [source .] endpoint address . port into registers. */
static void add_endpoint(struct rule_draft *d, const struct set_id *id)
{
	const uint8_t tcp = IPPROTO_TCP;
	const size_t width = address_length(id->family);
	/* Numbers of the 4-byte registers, which overlap with the 16-byte ones. */
	uint32_t next = id->family == AF_INET ? NFT_REG32_01 : NFT_REG_2, first = NFT_REG_1;

	add_family(d, id->family);
	add_meta(d, NFT_META_L4PROTO);
	add_equals(d, &tcp, sizeof(tcp));
	if (id->kind == SET_DENIED) {
		add_source(d, id);
		first = next++;
	}
	add_payload(d, NFT_PAYLOAD_NETWORK_HEADER, source_at(id->family) + width, width, first);
	add_payload(d, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, next);
}

static struct nftnl_expr *add_lookup(struct rule_draft *d, const char *set)
{
	struct nftnl_expr *e = draft_add(d, "lookup");

	if (!e)
		return NULL;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, 0);
	put_string(d, e, NFTNL_EXPR_LOOKUP_SET, set);
	return e;
}

static void add_verdict(struct rule_draft *d, int verdict, const char *chain)
{
	struct nftnl_expr *e = draft_add(d, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		put_string(d, e, NFTNL_EXPR_IMM_CHAIN, chain);
}

int rule_accept(struct nftnl_rule **out, const struct set_id *id, const struct names *servers)
{
	struct rule_draft d = draft_new(servers->items[id->server]);
	char name[NFT_NAME_MAX];

	add_family(&d, id->family);
	add_source(&d, id);
	add_lookup(&d, set_name(name, id, servers));
	add_verdict(&d, NF_ACCEPT, NULL);
	return draft_done(out, &d);
}

int rule_refuse(struct nftnl_rule **out, const char *chain)
{
	struct rule_draft d = draft_new(chain);

	add_verdict(&d, NFT_GOTO, CHAIN_REFUSE);
	return draft_done(out, &d);
}

static int rule_note_denied(struct nftnl_rule **out, int family)
{
	const struct set_id id = {.kind = SET_DENIED, .family = family};
	struct rule_draft d = draft_new(CHAIN_REFUSE);
	struct nftnl_expr *e;
	char name[NFT_NAME_MAX];

	add_endpoint(&d, &id);
	e = draft_add(&d, "dynset");
	if (e) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
		nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
		put_string(&d, e, NFTNL_EXPR_DYNSET_SET_NAME, set_name(name, &id, NULL));
	}
	return draft_done(out, &d);
}

static int rule_log(struct nftnl_rule **out)
{
	struct rule_draft d = draft_new(CHAIN_REFUSE);
	struct nftnl_expr *e = draft_add(&d, "limit");

	if (e) {
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, LOG_PER_MINUTE);
		nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 60);
		nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, LOG_BURST);
		nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
		nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
	}
	e = draft_add(&d, "log");
	if (e) {
		put_string(&d, e, NFTNL_EXPR_LOG_PREFIX, LOG_PREFIX);
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_LEVEL, LOG_INFO);
	}
	return draft_done(out, &d);
}

static void draft_comment(struct rule_draft *d, const char *comment)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(UINT8_MAX + 2u);

	if (!buf || d->rc < 0 || !nftnl_udata_put_strz(buf, NFTNL_UDATA_RULE_COMMENT, comment) ||
		nftnl_rule_set_data(d->rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(buf),
			nftnl_udata_buf_len(buf)) < 0)
		d->rc = -ENOMEM;
	if (buf)
		nftnl_udata_buf_free(buf);
}

static int rule_drop(struct nftnl_rule **out, uint64_t packets, uint64_t bytes)
{
	struct rule_draft d = draft_new(CHAIN_REFUSE);
	struct nftnl_expr *e = draft_add(&d, "counter");

	if (e) {
		nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_PACKETS, packets);
		nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_BYTES, bytes);
	}
	add_verdict(&d, NF_DROP, NULL);
	draft_comment(&d, "refused: nobody is allowed from there now");
	return draft_done(out, &d);
}

static int rule_loopback(struct nftnl_rule **out, const char *chain)
{
	struct rule_draft d = draft_new(chain);
	uint32_t lo = if_nametoindex("lo");

	/* lo has the lowest index in every network namespace, whatever its name. */
	lo = lo ? lo : 1;
	add_meta(&d, NFT_META_IIF);
	add_equals(&d, &lo, sizeof(lo));
	add_verdict(&d, NF_ACCEPT, NULL);
	return draft_done(out, &d);
}

/* To the chain of the endpoint's server. */
static int rule_guard(struct nftnl_rule **out, const char *chain, int family)
{
	const struct set_id id = {.kind = SET_GUARD, .family = family};
	struct rule_draft d = draft_new(chain);
	struct nftnl_expr *e;
	char name[NFT_NAME_MAX];

	add_endpoint(&d, &id);
	e = add_lookup(&d, set_name(name, &id, NULL));
	if (e)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	return draft_done(out, &d);
}

/* An IPv6 fragment hides its port if the first one ends before the TCP header; a server behind this gateway puts both
 * together. RFC 7112 lets a router discard such a first fragment, whoever it is for. These rules come last: the first
 * of them lets pass what has the header, as the chain's policy would; the second drops the rest. */
static void add_first_fragment(struct rule_draft *d)
{
	static const uint8_t offset_bits[] = {0xff, 0xf8}, none[] = {0, 0};
	const uint8_t protocol = NFPROTO_IPV6;

	add_meta(d, NFT_META_NFPROTO);
	add_equals(d, &protocol, sizeof(protocol));
	struct nftnl_expr *e = draft_add(d, "exthdr");
	if (e) {
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_DREG, NFT_REG_1);
		nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, IPPROTO_FRAGMENT);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 2);
		nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, sizeof(offset_bits));
	}
	add_bits(d, offset_bits, sizeof(offset_bits));
	add_equals(d, none, sizeof(none));
}

static int rule_fragment_whole(struct nftnl_rule **out, const char *chain)
{
	static const uint8_t any[] = {0, 0};
	struct rule_draft d = draft_new(chain);

	add_first_fragment(&d);
	add_payload(&d, NFT_PAYLOAD_TRANSPORT_HEADER, 2, sizeof(any), NFT_REG_1);
	add_compare(&d, NFT_CMP_GTE, any, sizeof(any));
	add_verdict(&d, NF_ACCEPT, NULL);
	return draft_done(out, &d);
}

static int rule_fragment_drop(struct nftnl_rule **out, const char *chain)
{
	struct rule_draft d = draft_new(chain);

	add_first_fragment(&d);
	add_verdict(&d, NF_DROP, NULL);
	return draft_done(out, &d);
}

static int rules_result(struct nftnl_rule *out[8], int n, int rc)
{
	if (rc == 0)
		return n;
	for (int i = 0; i < n; i++)
		nftnl_rule_free(out[i]);
	return rc;
}

int rules_refuse(struct nftnl_rule *out[8], const struct firewall_settings *s, uint64_t packets,
	uint64_t bytes)
{
	int n = 0, rc = rule_note_denied(&out[n], AF_INET);

	if (rc == 0)
		rc = rule_note_denied(&out[++n], AF_INET6);
	if (rc == 0 && s->log)
		rc = rule_log(&out[++n]);
	if (rc == 0)
		rc = rule_drop(&out[++n], packets, bytes);
	return rules_result(out, rc == 0 ? n + 1 : n, rc);
}

int rules_guard(struct nftnl_rule *out[8], const struct firewall_settings *s, const char *chain)
{
	int n = 0, rc = 0;

	if (streq(chain, CHAIN_INPUT) && !s->guard_loopback &&
		(rc = rule_loopback(&out[n], chain)) == 0)
		n++;
	if (rc == 0 && (rc = rule_guard(&out[n], chain, AF_INET)) == 0)
		n++;
	if (rc == 0 && (rc = rule_guard(&out[n], chain, AF_INET6)) == 0)
		n++;
	if (rc == 0 && (rc = rule_fragment_whole(&out[n], chain)) == 0)
		n++;
	if (rc == 0 && (rc = rule_fragment_drop(&out[n], chain)) == 0)
		n++;
	return rules_result(out, n, rc);
}
