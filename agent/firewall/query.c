/* Queries to the kernel: one request and all its answers. */
#include <arpa/inet.h>
#include <string.h>

#include "firewall/netlink.h"

#define ANSWER_ROOM (64 * 1024)

struct nlmsghdr *query_make(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	/* An acknowledgement ends a single answer, like NLMSG_DONE ends a dump. */
	nlh->nlmsg_flags = NLM_F_REQUEST | (flags ? flags : NLM_F_ACK);
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_INET;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

struct answers {
	uint32_t sequence;
	query_fn fn;
	void *context;
	bool ended, torn;
	int result;
};

static void answers_take(struct answers *a, const void *data, int length)
{
	const struct nlmsghdr *nlh = data;

	for (; mnl_nlmsg_ok(nlh, length) && !a->ended; nlh = mnl_nlmsg_next(nlh, &length)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

		/* An answer to an earlier query. */
		if (nlh->nlmsg_seq != a->sequence)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			a->torn = true;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			a->ended = true;
			if (a->result == 0 && nlh->nlmsg_len >= mnl_nlmsg_size(sizeof(*e)))
				a->result = e->error;
		} else if (nlh->nlmsg_type == NLMSG_DONE) {
			a->ended = true;
		} else if (a->result == 0) {
			a->result = a->fn ? a->fn(nlh, a->context) : 0;
		}
	}
}

/* Read to the end even after a failure, because an unfinished dump would block the next one. */
static int answers_receive(struct answers *a, int fd, uint8_t *buf)
{
	while (!a->ended) {
		ssize_t n = recv(fd, buf, ANSWER_ROOM, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			a->torn = true;
			continue;
		}
		/* The kernel answers at once, so a missing answer was lost. */
		if (n < 0 && errno == EAGAIN)
			return -EINTR;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		answers_take(a, buf, (int)n);
	}
	return a->result < 0 ? a->result : a->torn ? -EINTR : 0;
}

int query(struct firewall *f, struct nlmsghdr *request, query_fn fn, void *context)
{
	struct answers a = {.sequence = ++f->sequence, .fn = fn, .context = context};
	uint8_t *buf = malloc(ANSWER_ROOM);
	int rc;

	if (!buf)
		return -ENOMEM;
	request->nlmsg_seq = a.sequence;
	rc = mnl_socket_sendto(f->socket, request, request->nlmsg_len) < 0 ? -errno : 0;
	if (rc == 0)
		rc = answers_receive(&a, mnl_socket_get_fd(f->socket), buf);
	free(buf);
	return rc;
}

const struct nlattr *message_attribute(const struct nlmsghdr *nlh, uint16_t type)
{
	const char *end = mnl_nlmsg_get_payload_tail(nlh);
	const struct nlattr *attr = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg));

	for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

uint32_t message_u32(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr = message_attribute(nlh, type);

	return attr && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0 ? ntohl(mnl_attr_get_u32(attr))
								  : 0;
}

static int generation_take(const struct nlmsghdr *nlh, void *context)
{
	*(uint32_t *)context = message_u32(nlh, NFTA_GEN_ID);
	return 0;
}

int query_generation(uint32_t *out, struct firewall *f)
{
	uint64_t buf[QUERY_ROOM / 8] = {0};
	uint32_t generation = 0;
	int rc = query(f, query_make(buf, NFT_MSG_GETGEN, 0), generation_take, &generation);

	if (rc == 0)
		*out = generation;
	return rc;
}

static int table_take(const struct nlmsghdr *nlh, void *context)
{
	struct firewall *f = context;

	f->table_flags = message_u32(nlh, NFTA_TABLE_FLAGS);
	f->table_owner = message_u32(nlh, NFTA_TABLE_OWNER);
	return 0;
}

int query_table(struct firewall *f)
{
	uint64_t buf[QUERY_ROOM / 8] = {0};
	struct nlmsghdr *nlh = query_make(buf, NFT_MSG_GETTABLE, 0);

	f->table_flags = f->table_owner = 0;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE_NAME);
	return query(f, nlh, table_take, f);
}
