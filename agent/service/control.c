/* The service's end of the control socket: listening, access to the socket file, timeouts of connections. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "service/control_internal.h"

static bool peer_is_allowed(int fd, const struct ucred *peer, gid_t group)
{
	gid_t groups[1024];
	socklen_t size = sizeof(groups);

	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	if (group == (gid_t)-1)
		return false;
	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static void control_accept(struct control *c)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
		!peer_is_allowed(fd, &peer, c->group) || call_new(c, fd, peer.uid, peer.pid) < 0)
		close(fd);
}

/* Ends connections that are past their deadline. The timer runs only while a connection has one. */
static void control_keep_time(struct control *c)
{
	struct itimerspec at = {0};
	int64_t now = monotonic_ms() / 1000;

	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		if (c->calls[i] && c->calls[i]->deadline && c->calls[i]->deadline <= now)
			call_drop(c->calls[i]);
	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		if (c->calls[i] && c->calls[i]->deadline)
			at.it_value.tv_sec = 1;
	timerfd_settime(c->timer, 0, &at, NULL);
}

static bool call_is_alive(const struct control *c, const struct control_call *call)
{
	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		if (c->calls[i] == call)
			return true;
	return false;
}

int control_dispatch(struct control *c)
{
	struct epoll_event events[32];
	uint64_t ticks;
	int n = epoll_wait(c->epoll, events, ARRAY_SIZE(events), 0);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &c->listener)
			control_accept(c);
		else if (events[i].data.ptr == &c->timer)
			(void)!read(c->timer, &ticks, sizeof(ticks));
		else if (call_is_alive(c, events[i].data.ptr))
			call_serve(events[i].data.ptr, events[i].events);
	}
	control_keep_time(c);
	return 0;
}

int control_fd(const struct control *c)
{
	return c->epoll;
}

/* A killed service leaves a socket file without a listener. */
static int stale_remove(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int rc = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ? -EADDRINUSE : -errno;
	close(fd);
	if (rc == -ECONNREFUSED)
		return unlink(a->sun_path) < 0 ? -errno : 0;
	return rc == -ENOENT ? 0 : rc;
}

/* The service's own group owns the file already, and a system-call filter may forbid chown(). */
static int group_admit(const struct control *c)
{
	struct stat st;

	if (stat(c->path, &st) < 0)
		return -errno;
	if (st.st_gid != c->group && chown(c->path, (uid_t)-1, c->group) < 0)
		return -errno;
	return chmod(c->path, 0660) < 0 ? -errno : 0;
}

static int listener_open(struct control *c)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	memcpy(a.sun_path, c->path, sizeof(c->path));
	int rc = stale_remove(&a);
	if (rc < 0)
		return rc;
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0)
		return -errno;
	/* Create the socket file with access for this user only, until group and mode are set. */
	mode_t mask = umask(0177);
	rc = bind(c->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (rc == 0 && c->group != (gid_t)-1)
		rc = group_admit(c);
	if (rc == 0 && listen(c->listener, MAX_CONTROL_CLIENTS) < 0)
		rc = -errno;
	return rc;
}

int control_open(struct control **out, const char *runtime_directory, gid_t group,
	control_fn handle, void *context)
{
	struct control *c = calloc(1, sizeof(*c));
	struct epoll_event listener = {.events = EPOLLIN}, timer = {.events = EPOLLIN};

	if (!c)
		return -ENOMEM;
	c->handle = handle;
	c->context = context;
	c->group = group;
	c->epoll = c->listener = c->timer = -1;
	int n = snprintf(c->path, sizeof(c->path), "%s/" CONTROL_SOCKET, runtime_directory);
	int rc = n < 0 || (size_t)n >= sizeof(c->path) ? -ENAMETOOLONG : listener_open(c);
	if (rc < 0) {
		c->path[0] = '\0'; /* bind() failed, so the file belongs to another process */
		control_close(c);
		return rc;
	}
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	listener.data.ptr = &c->listener;
	timer.data.ptr = &c->timer;
	if (c->epoll < 0 || c->timer < 0 ||
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listener, &listener) < 0 ||
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->timer, &timer) < 0) {
		rc = -errno;
		control_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		if (c->calls[i])
			call_free(c->calls[i]);
	if (c->listener >= 0) {
		close(c->listener);
		if (c->path[0])
			unlink(c->path);
	}
	if (c->timer >= 0)
		close(c->timer);
	if (c->epoll >= 0)
		close(c->epoll);
	free(c);
}
