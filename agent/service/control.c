/* The service's end of the control socket. Everything about a client is bounded: how many there are, how long a
 * request may be and take, how much unread answer is kept for one that does not read. */
#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "curfew/control.h"

struct control_call {
	struct control *control;
	int fd; /* -1: nobody listens any more */
	char actor[128];
	int64_t deadline; /* monotonic seconds; 0: we are the ones who take time */
	char *in;
	size_t in_size;
	char *out;
	size_t out_size, out_sent, out_room;
	bool asked; /* the handler has it, until control_end() */
	bool ended; /* nothing more to say: closes once all is sent */
};

struct control {
	int epoll, listener, timer;
	gid_t group;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	control_fn handle;
	void *context;
	struct control_call *calls[MAX_CONTROL_CLIENTS];
};

static int64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec;
}

static void call_hang_up(struct control_call *call)
{
	if (call->fd >= 0) {
		epoll_ctl(call->control->epoll, EPOLL_CTL_DEL, call->fd, NULL);
		close(call->fd);
	}
	call->fd = -1;
}

/* Only once its handler has let go of it. */
static void call_free(struct control_call *call)
{
	struct control *c = call->control;

	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		if (c->calls[i] == call)
			c->calls[i] = NULL;
	call_hang_up(call);
	free(call->in);
	free(call->out);
	free(call);
}

static void call_drop(struct control_call *call)
{
	if (call->asked && !call->ended)
		call_hang_up(call);
	else
		call_free(call);
}

static void call_watch(struct control_call *call)
{
	struct epoll_event e = {.data.ptr = call};

	/* Reading goes on after the request, for that is how a hang-up is seen. */
	e.events = EPOLLIN | (call->out_size > call->out_sent ? (uint32_t)EPOLLOUT : 0);
	epoll_ctl(call->control->epoll, EPOLL_CTL_MOD, call->fd, &e);
}

static void call_flush(struct control_call *call)
{
	while (call->fd >= 0 && call->out_sent < call->out_size) {
		ssize_t n = send(call->fd, call->out + call->out_sent,
			call->out_size - call->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!call->deadline)
				call->deadline = monotonic() + CONTROL_TIMEOUT;
			call_watch(call);
			return;
		}
		if (n < 0) {
			call_hang_up(call);
			break;
		}
		call->out_sent += (size_t)n;
		call->deadline = 0;
	}
	call->out_size = call->out_sent = 0;
	if (call->fd >= 0)
		call_watch(call);
}

static int call_append(struct control_call *call, const char *text, size_t size)
{
	size_t need = call->out_size + size;

	if (need - call->out_sent > MAX_CONTROL_BACKLOG)
		return -EOVERFLOW;
	if (need > call->out_room) {
		size_t room = need < 65536 ? 65536 : need * 2;
		char *out = realloc(call->out, room);
		if (!out)
			return -ENOMEM;
		call->out = out;
		call->out_room = room;
	}
	memcpy(call->out + call->out_size, text, size);
	call->out_size = need;
	return 0;
}

/* One line; the JSON is released. A reader that cannot have all of it gets nothing more: half an answer must not
 * look like a whole one. */
static void call_say(struct control_call *call, json_t *json)
{
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r = -ENOMEM;

	json_decref(json);
	if (call->fd < 0)
		return;
	if (text) {
		size_t size = strlen(text);
		text[size] = '\n';
		r = call_append(call, text, size + 1);
	}
	if (r < 0)
		call_hang_up(call);
	else
		call_flush(call);
}

const char *control_actor(const struct control_call *call)
{
	return call->actor;
}

bool control_is_open(const struct control_call *call)
{
	return call->fd >= 0;
}

void control_tell(struct control_call *call, const struct record *r)
{
	if (call->fd >= 0)
		call_say(call, json_pack("{s:o}", "record", record_json(r)));
}

void control_end(struct control_call *call, int code, const char *error, json_t *more)
{
	json_t *end = json_pack("{s:i, s:s*}", "end", code, "error", error);

	if (end && more)
		json_object_update(end, more);
	json_decref(more);
	call->ended = true;
	call_say(call, end);
	if (call->fd < 0 || call->out_size == 0)
		call_free(call);
}

/* A request that is no request is answered before any handler sees it. */
static void call_refuse(struct control_call *call, int code, const char *why)
{
	call->asked = true;
	call->deadline = 0;
	control_end(call, code, why, NULL);
}

static void call_ask(struct control_call *call)
{
	json_error_t error;
	json_t *request = json_loadb(call->in, call->in_size - 1, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(request) || !json_is_string(json_object_get(request, "command"))) {
		json_decref(request);
		call_refuse(call, 64, "the request is not a JSON object with a \"command\"");
		return;
	}
	call->asked = true;
	call->deadline = 0;
	call->control->handle(call->control->context, call, request);
	json_decref(request);
}

static void call_read(struct control_call *call)
{
	char more[4096];
	ssize_t n = recv(call->fd, more, sizeof(more), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* Gone; or talking on after its one request. */
	if (n <= 0 || call->asked) {
		call_drop(call);
		return;
	}
	char *in = realloc(call->in, call->in_size + (size_t)n);
	if (!in) {
		call_drop(call);
		return;
	}
	call->in = in;
	memcpy(in + call->in_size, more, (size_t)n);
	call->in_size += (size_t)n;
	const char *line_end = memchr(in, '\n', call->in_size);
	if (line_end && line_end == in + call->in_size - 1)
		call_ask(call);
	else if (line_end)
		call_refuse(call, 64, "one request a connection");
	else if (call->in_size > MAX_CONTROL_REQUEST)
		call_refuse(call, 64, "the request is too long");
}

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

static int call_new(struct control *c, int fd, const struct ucred *peer)
{
	struct control_call *call = calloc(1, sizeof(*call));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = call};
	const struct passwd *pw = getpwuid(peer->uid);
	size_t i = 0;

	if (!call)
		return -ENOMEM;
	while (i < MAX_CONTROL_CLIENTS && c->calls[i])
		i++;
	if (i == MAX_CONTROL_CLIENTS || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		free(call);
		return -EBUSY;
	}
	call->control = c;
	call->fd = fd;
	call->deadline = monotonic() + CONTROL_TIMEOUT;
	RECORD_PRINTF(call, actor, "%s (uid %u)", pw ? pw->pw_name : "?", (unsigned)peer->uid);
	c->calls[i] = call;
	return 0;
}

static void control_accept(struct control *c)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
		!peer_is_allowed(fd, &peer, c->group) || call_new(c, fd, &peer) < 0)
		close(fd);
}

/* Whoever is late goes; the timer runs only while somebody could be. */
static void control_keep_time(struct control *c)
{
	struct itimerspec at = {0};
	int64_t now = monotonic();

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

static void call_serve(struct control *c, struct control_call *call, uint32_t events)
{
	if (events & EPOLLOUT)
		call_flush(call);
	if (call->ended && (call->fd < 0 || call->out_size == 0)) {
		call_free(call);
		return;
	}
	if (call->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		call_read(call);
	(void)c;
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
			call_serve(c, events[i].data.ptr, events[i].events);
	}
	control_keep_time(c);
	return 0;
}

int control_fd(const struct control *c)
{
	return c->epoll;
}

/* A socket file without a listener is what a killed service left behind. */
static int stale_remove(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int r = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ? -EADDRINUSE : -errno;
	close(fd);
	if (r == -ECONNREFUSED)
		return unlink(a->sun_path) < 0 ? -errno : 0;
	return r == -ENOENT ? 0 : r;
}

/* A service's own group has the file already; a filter may admit no change of owner. */
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
	int r = stale_remove(&a);
	if (r < 0)
		return r;
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0)
		return -errno;
	/* Nobody but us from the first moment on. */
	mode_t mask = umask(0177);
	r = bind(c->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (r == 0 && c->group != (gid_t)-1)
		r = group_admit(c);
	if (r == 0 && listen(c->listener, MAX_CONTROL_CLIENTS) < 0)
		r = -errno;
	return r;
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
	int r = n < 0 || (size_t)n >= sizeof(c->path) ? -ENAMETOOLONG : listener_open(c);
	if (r < 0) {
		c->path[0] = '\0'; /* not ours to remove */
		control_close(c);
		return r;
	}
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	listener.data.ptr = &c->listener;
	timer.data.ptr = &c->timer;
	if (c->epoll < 0 || c->timer < 0 ||
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listener, &listener) < 0 ||
		epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->timer, &timer) < 0) {
		r = -errno;
		control_close(c);
		return r;
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
