/* The handle: a netlink socket, which owns the table if the kernel supports owners. */
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "firewall/intact.h"

/* Enough for about 500,000 elements in one transaction. A limit, not an allocation. */
#define SEND_BUFFER (128 * 1024 * 1024)

void firewall_features_get(const struct firewall *f, struct firewall_features *out)
{
	*out = f->features;
}

uint32_t firewall_other_owner(const struct firewall *f)
{
	return f->table_owner == f->portid ? 0 : f->table_owner;
}

void firewall_close(struct firewall *f)
{
	if (!f)
		return;
	if (f->socket)
		mnl_socket_close(f->socket);
	reading_drop(f);
	names_free(&f->groups);
	free(f);
}

/* The send buffer limits a transaction. Exceeding the system limit requires CAP_NET_ADMIN in the initial user
 * namespace. Elsewhere a large difference takes several transactions. */
static void send_buffer_set(struct firewall *f)
{
	int fd = mnl_socket_get_fd(f->socket), size = SEND_BUFFER;
	socklen_t length = sizeof(size);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0)
		size = 0;
	f->send_limit = (size_t)size;
}

static int socket_open(struct firewall *f)
{
	int one = 1;

	f->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!f->socket || mnl_socket_bind(f->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	f->portid = mnl_socket_get_portid(f->socket);
	/* Without NETLINK_CAP_ACK an error would return the whole message of 64 KiB. */
	if (mnl_socket_setsockopt(f->socket, NETLINK_CAP_ACK, &one, sizeof(one)) < 0)
		return -errno;
	send_buffer_set(f);
	return 0;
}

static int firewall_new(struct firewall **out, const struct firewall_settings *s)
{
	struct firewall *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return -ENOMEM;
	f->settings = *s;
	f->batch_ms = ALLOWANCE_MS;
	f->element_us = ELEMENT_US;
	rc = socket_open(f);
	if (rc == 0) {
		rc = query_table(f);
		rc = rc == -ENOENT ? 0 : rc;
	}
	if (rc < 0) {
		firewall_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

int firewall_open_reader(struct firewall **out, const struct firewall_settings *s)
{
	int rc = firewall_new(out, s);

	if (rc == 0)
		(*out)->reader = true;
	return rc;
}

int firewall_open(struct firewall **out, const struct firewall_settings *s)
{
	struct firewall *f;
	int rc = firewall_new(&f, s);

	if (rc < 0)
		return rc;
	rc = firewall_other_owner(f) ? -EPERM : probe_features(&f->features, f);
	if (rc < 0) {
		firewall_close(f);
		return rc;
	}
	*out = f;
	return 0;
}
