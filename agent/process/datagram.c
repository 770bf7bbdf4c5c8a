/* Datagrams that are dropped where nobody reads. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "curfew/datagram.h"

static int connected_socket(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const size_t size = strlen(path);

	if (size == 0 || size >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, size);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)) == 0)
		return fd;
	int rc = -errno;
	close(fd);
	return rc;
}

int datagram_send(const char *path, const struct iovec *parts, size_t n, int patience)
{
	const struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = n};
	int fd = connected_socket(path), rc;

	if (fd < 0)
		return fd;
	rc = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
	if (rc == -EAGAIN && patience > 0) {
		struct pollfd writable = {.fd = fd, .events = POLLOUT};

		if (poll(&writable, 1, patience) > 0)
			rc = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
	}
	close(fd);
	return rc;
}
