/* Watches the ruleset for changes of Curfew's table by other programs. The kernel sends one message for each object,
 * and ends each transaction with a NEWGEN that names the process. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "firewall/netlink.h"

#define EVENT_ROOM     (64 * 1024)
#define RECEIVE_BUFFER (8 * 1024 * 1024)

struct firewall_monitor {
	struct mnl_socket *socket;
	uint32_t ours; /* netlink port of the firewall's own socket */
	bool touched;  /* a transaction that is not complete yet has changed the table */
	uint8_t *buf;
};

int firewall_monitor_fd(const struct firewall_monitor *m)
{
	return mnl_socket_get_fd(m->socket);
}

void firewall_monitor_close(struct firewall_monitor *m)
{
	if (!m)
		return;
	if (m->socket)
		mnl_socket_close(m->socket);
	free(m->buf);
	free(m);
}

int firewall_monitor_open(struct firewall_monitor **out, struct firewall *ours)
{
	struct firewall_monitor *m = calloc(1, sizeof(*m));
	int group = NFNLGRP_NFTABLES, size = RECEIVE_BUFFER, rc = -ENOMEM;

	if (!m)
		return -ENOMEM;
	m->ours = ours->portid;
	m->buf = malloc(EVENT_ROOM);
	if (!m->buf)
		goto fail;
	m->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!m->socket || mnl_socket_bind(m->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_setsockopt(m->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
			0) {
		rc = -errno;
		goto fail;
	}
	/* A larger buffer loses fewer events. Lost events are noticed, and the table is read again. */
	if (setsockopt(firewall_monitor_fd(m), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(firewall_monitor_fd(m), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*out = m;
	return 0;
fail:
	firewall_monitor_close(m);
	return rc;
}

static const char *event_text(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr = message_attribute(nlh, type);

	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attr)
									 : NULL;
}

/* Attribute 1 is the table's name in the messages of all object types. */
static bool event_is_of_table(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const char *table = event_text(nlh, NFTA_TABLE_NAME);

	return nfg->nfgen_family == NFPROTO_INET && table && streq(table, TABLE_NAME);
}

static void event_author(char who[64], const struct nlmsghdr *nlh)
{
	const char *name = event_text(nlh, NFTA_GEN_PROC_NAME);

	snprintf(who, 64, "%.32s (%u)", name ? name : "?", message_u32(nlh, NFTA_GEN_PROC_PID));
	/* A process can choose any name, so replace control characters. */
	for (char *c = who; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '_';
}

static void events_take(bool *changed, char who[64], struct firewall_monitor *m, int length)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)m->buf;

	for (; mnl_nlmsg_ok(nlh, length); nlh = mnl_nlmsg_next(nlh, &length)) {
		uint16_t type = nlh->nlmsg_type;

		if (NFNL_SUBSYS_ID(type) != NFNL_SUBSYS_NFTABLES ||
			nlh->nlmsg_len < mnl_nlmsg_size(sizeof(struct nfgenmsg)))
			continue;
		if (NFNL_MSG_TYPE(type) != NFT_MSG_NEWGEN) {
			m->touched = m->touched || event_is_of_table(nlh);
			continue;
		}
		if (m->touched && nlh->nlmsg_pid != m->ours) {
			*changed = true;
			event_author(who, nlh);
		}
		m->touched = false;
	}
}

int firewall_monitor_read(bool *changed, char who[64], struct firewall_monitor *m)
{
	bool found = false;
	char author[64] = "";

	for (;;) {
		ssize_t n = recv(firewall_monitor_fd(m), m->buf, EVENT_ROOM, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			/* Lost events may have been about this table. */
			found = true;
			m->touched = false;
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		events_take(&found, author, m, (int)n);
	}
	*changed = found;
	memcpy(who, author, sizeof(author));
	return 0;
}
