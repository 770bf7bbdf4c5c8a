/* A transaction: messages are collected in memory and sent with one sendto, applied completely or not at all. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "firewall/netlink.h"

/* An element has a key, timeout, counter, and comment. A nested attribute is at most 64 KiB. */
#define ELEMENT_BYTES 256
#define ELEMENT_ROOM  1024
#define MAX_NEST      60000
#define BATCH_TAIL    4096 /* BATCH_END and rounding */
#define REPLY_ROOM    (64 * 1024)

static int batch_reserve(struct batch *b)
{
	size_t capacity = b->capacity ? b->capacity : 2 * MAX_MESSAGE;
	uint8_t *data;

	while (capacity < b->length + MAX_MESSAGE)
		capacity *= 2;
	if (capacity != b->capacity) {
		data = realloc(b->data, capacity);
		if (!data)
			return -ENOMEM;
		b->data = data;
		b->capacity = capacity;
	}
	/* libmnl skips the padding between attributes. No more than the next message needs: room that is not touched costs
	 * no memory. */
	if (b->zeroed < b->length + MAX_MESSAGE) {
		memset(b->data + b->zeroed, 0, b->length + MAX_MESSAGE - b->zeroed);
		b->zeroed = b->length + MAX_MESSAGE;
	}
	return 0;
}

static struct batch_step *batch_step(struct batch *b)
{
	return ARRAY_MORE(b->steps, b->n_steps);
}

static struct nlmsghdr *batch_frame(
	struct batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(b->data + b->length);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++b->firewall->sequence;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(resource);
	return nlh;
}

/* The message of elements is complete. */
static void batch_elements_end(struct batch *b)
{
	struct nlmsghdr *open = b->open;

	if (!open)
		return;
	b->open = NULL;
	mnl_attr_nest_end(open, b->nest);
	batch_message_end(b, open);
}

struct nlmsghdr *batch_message(
	struct batch *b, uint16_t type, uint16_t flags, const char *verb, const char *object)
{
	struct batch_step *step;
	struct nlmsghdr *nlh;

	batch_elements_end(b);
	if (batch_reserve(b) < 0)
		return NULL;
	step = batch_step(b);
	if (!step)
		return NULL;
	nlh = batch_frame(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
	step->sequence = nlh->nlmsg_seq;
	step->verb = verb;
	snprintf(step->object, sizeof(step->object), "%s", object);
	return nlh;
}

void batch_message_end(struct batch *b, const struct nlmsghdr *nlh)
{
	b->length += NLMSG_ALIGN(nlh->nlmsg_len);
}

int batch_begin(struct batch *b, struct firewall *f, uint32_t generation, bool check_generation)
{
	struct nlmsghdr *nlh;
	struct batch_step *step;

	*b = (struct batch){.firewall = f};
	if (batch_reserve(b) < 0)
		return -ENOMEM;
	step = batch_step(b);
	if (!step)
		return -ENOMEM;
	nlh = batch_frame(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	if (check_generation)
		mnl_attr_put_u32(nlh, NFNL_BATCH_GENID, htonl(generation));
	step->sequence = nlh->nlmsg_seq;
	step->verb = "beginning the transaction";
	step->object[0] = '\0';
	batch_message_end(b, nlh);
	return 0;
}

void batch_free(struct batch *b)
{
	free(b->data);
	free(b->steps);
	*b = (struct batch){0};
}

int batch_delete(struct batch *b, uint16_t type, const char *verb, const char *name)
{
	struct nlmsghdr *nlh = batch_message(b, type, 0, verb, name);

	if (!nlh)
		return -ENOMEM;
	/* The table's name is attribute 1 of all of them; that of a chain is 3, of a set 2. */
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE_NAME);
	if (type == NFT_MSG_DELCHAIN)
		mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	if (type == NFT_MSG_DELSET)
		mnl_attr_put_strz(nlh, NFTA_SET_NAME, name);
	batch_message_end(b, nlh);
	return 0;
}

int batch_table(struct batch *b, bool delete_first)
{
	uint32_t flags =
		b->firewall->features.owner_persist ? NFT_TABLE_F_OWNER | TABLE_F_PERSIST : 0;
	struct nlmsghdr *nlh;

	if (delete_first && batch_delete(b, NFT_MSG_DELTABLE, "deleting the table", "") < 0)
		return -ENOMEM;
	nlh = batch_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, "taking ownership of the table", "");
	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TABLE_NAME);
	mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(flags));
	batch_message_end(b, nlh);
	return 0;
}

int batch_chain(struct batch *b, const char *name)
{
	struct nftnl_chain *c = chain_make(name, &b->firewall->settings);
	struct nlmsghdr *nlh = NULL;

	if (c)
		nlh = batch_message(
			b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, "adding chain ", name);
	if (nlh) {
		nftnl_chain_nlmsg_build_payload(nlh, c);
		batch_message_end(b, nlh);
	}
	if (c)
		nftnl_chain_free(c);
	return nlh ? 0 : -ENOMEM;
}

int batch_set(struct batch *b, const struct set_id *id)
{
	const struct names *servers = &b->firewall->groups;
	char name[NFT_NAME_MAX];
	struct nftnl_set *set = set_make(id, servers);
	struct nlmsghdr *nlh = NULL;

	if (set)
		nlh = batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, "adding set ",
			set_name(name, id, servers));
	if (nlh) {
		/* Rules refer to sets by name. The id only has to be unique in the batch. */
		nftnl_set_set_u32(set, NFTNL_SET_ID, b->firewall->sequence);
		nftnl_set_nlmsg_build_payload(nlh, set);
		batch_message_end(b, nlh);
	}
	if (set)
		nftnl_set_free(set);
	return nlh ? 0 : -ENOMEM;
}

int batch_rule(struct batch *b, struct nftnl_rule *r, bool append)
{
	struct nlmsghdr *nlh =
		batch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | (append ? NLM_F_APPEND : 0),
			"adding a rule to ", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));

	if (!nlh)
		return -ENOMEM;
	nftnl_rule_nlmsg_build_payload(nlh, r);
	batch_message_end(b, nlh);
	return 0;
}

static int batch_elements_begin(struct batch *b, const struct element *e)
{
	const struct firewall *f = b->firewall;
	const bool deletes = e->order == ELEMENT_DELETE;
	uint16_t type = NFT_MSG_NEWSETELEM, flags = 0;
	char name[NFT_NAME_MAX];

	set_name(name, &e->set, &f->groups);
	if (deletes)
		type = f->features.destroy ? MSG_DESTROYSETELEM : NFT_MSG_DELSETELEM;
	else
		flags = e->order == ELEMENT_ADD ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE;
	b->open = batch_message(
		b, type, flags, deletes ? "deleting elements of " : "adding elements of ", name);
	if (!b->open)
		return -ENOMEM;
	mnl_attr_put_strz(b->open, NFTA_SET_ELEM_LIST_TABLE, TABLE_NAME);
	mnl_attr_put_strz(b->open, NFTA_SET_ELEM_LIST_SET, name);
	b->nest = mnl_attr_nest_start(b->open, NFTA_SET_ELEM_LIST_ELEMENTS);
	b->set = e->set;
	b->order = e->order;
	return 0;
}

bool batch_is_full(const struct batch *b)
{
	size_t open = b->open ? b->open->nlmsg_len : 0;

	return b->length + open + ELEMENT_ROOM + BATCH_TAIL >= b->firewall->send_limit;
}

int batch_element(struct batch *b, const struct element *e)
{
	uint64_t timeout = 0;

	if (batch_is_full(b))
		return 0;
	/* Its end came in the meantime, so it need not be added. */
	if (e->order != ELEMENT_DELETE && set_has_timeout(&e->set) &&
		!element_timeout(
			&timeout, e->end_ms, monotonic_ms() + b->ahead_ms, b->allowance_ms))
		return 0;
	if (!b->open || b->order != e->order || set_id_compare(&b->set, &e->set) != 0 ||
		b->open->nlmsg_len > MAX_NEST - ELEMENT_ROOM) {
		int rc = batch_elements_begin(b, e);
		if (rc < 0)
			return rc;
	}
	b->n_elements++;
	return element_build(b->open, e, timeout);
}

static size_t elements_in_time(const struct firewall *f)
{
	size_t n = (size_t)(MAX_SPREAD_MS * 1000 / f->element_us);

	return n < MAX_BATCH_ELEMENTS ? n : MAX_BATCH_ELEMENTS;
}

size_t batch_capacity(const struct firewall *f)
{
	size_t in_time = elements_in_time(f);
	size_t room = f->send_limit > 2 * MAX_MESSAGE ? f->send_limit - MAX_MESSAGE : MAX_MESSAGE;

	return room / ELEMENT_BYTES < in_time ? room / ELEMENT_BYTES : in_time;
}

void batch_clock(struct batch *b, size_t n, int64_t ahead_ms)
{
	const struct firewall *f = b->firewall;
	const int64_t usual = ALLOWANCE_MS + MAX_SPREAD_MS;
	const int64_t most = f->batch_ms > usual ? f->batch_ms : usual;
	int64_t needed =
		n < elements_in_time(f) ? f->batch_ms + (int64_t)n * f->element_us / 1000 : most;

	b->began_ms = monotonic_ms();
	b->ahead_ms = ahead_ms;
	b->allowance_ms = needed < most ? needed : most;
}

static const struct batch_step *batch_step_find(const struct batch *b, uint32_t sequence)
{
	for (size_t i = 0; i < b->n_steps; i++)
		if (b->steps[i].sequence == sequence)
			return &b->steps[i];
	return NULL;
}

/* The first error that belongs to this batch, or 0. The others follow from it. */
static int batch_reply(struct batch *b, const void *data, int length, int rc)
{
	const struct nlmsghdr *nlh = data;

	for (; mnl_nlmsg_ok(nlh, length); nlh = mnl_nlmsg_next(nlh, &length)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
		const struct batch_step *step = batch_step_find(b, nlh->nlmsg_seq);

		if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*e)))
			continue;
		if (rc == 0 && step && e->error < 0)
			rc = firewall_fail(b->firewall, e->error, "%s%s", step->verb, step->object);
	}
	return rc;
}

static int batch_receive(struct batch *b)
{
	int fd = mnl_socket_get_fd(b->firewall->socket), result = 0;
	uint8_t *buf = malloc(REPLY_ROOM);

	if (!buf)
		return -ENOMEM;
	/* The kernel has answered before sendto returned. Accepted messages get no answer. */
	for (;;) {
		ssize_t n = recv(fd, buf, REPLY_ROOM, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		/* Answers were lost. Reading back shows the result. */
		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n <= 0) {
			if (n < 0 && errno != EAGAIN && result == 0)
				result = firewall_fail(
					b->firewall, -errno, "reading the kernel's answer");
			break;
		}
		result = batch_reply(b, buf, (int)n, result);
	}
	free(buf);
	return result;
}

int batch_commit(struct batch *b)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int fd = mnl_socket_get_fd(b->firewall->socket);
	struct nlmsghdr *nlh;
	ssize_t n;

	batch_elements_end(b);
	if (batch_reserve(b) < 0)
		return -ENOMEM;
	nlh = batch_frame(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	batch_message_end(b, nlh);
	do
		n = sendto(fd, b->data, b->length, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return firewall_fail(
			b->firewall, -errno, "sending a batch of %zu bytes", b->length);
	return batch_receive(b);
}
