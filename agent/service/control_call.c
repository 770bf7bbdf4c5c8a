/* One connection to the control socket: one request and its answer, each limited in size and time, and the limit on
 * connections. No user can keep root out: some connections are reserved for root, each user has a share of the rest,
 * and an idle connection is closed when its user opens another. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "service/control_internal.h"

/* Lines that are sent together: a fleet has 30,000 grants, and each send wakes the other side. */
#define CONTROL_TOGETHER ((size_t)16 * 1024)

static void call_hang_up(struct control_call *call)
{
	if (call->fd >= 0) {
		epoll_ctl(call->control->epoll, EPOLL_CTL_DEL, call->fd, NULL);
		close(call->fd);
	}
	call->fd = -1;
}

/* Frees the call only after its handler has ended it. */
void call_free(struct control_call *call)
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

void call_drop(struct control_call *call)
{
	if (call->asked && !call->ended)
		call_hang_up(call);
	else
		call_free(call);
}

static void call_watch(struct control_call *call, bool full)
{
	struct epoll_event e = {.data.ptr = call};

	if (call->full == full)
		return;
	call->full = full;
	/* Keep reading after the request, because that is how the service notices a hang-up. */
	e.events = EPOLLIN | (full ? (uint32_t)EPOLLOUT : 0);
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
				call->deadline = monotonic_ms() / 1000 + CONTROL_TIMEOUT;
			call_watch(call, true);
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
		call_watch(call, false);
}

/* Room for so much behind what is to be sent; NULL: none. */
static char *call_room(struct control_call *call, size_t size)
{
	size_t need = call->out_size + size;

	if (need > call->out_room) {
		size_t room = need < 65536 ? 65536 : need * 2;
		char *out = realloc(call->out, room);
		if (!out)
			return NULL;
		call->out = out;
		call->out_room = room;
	}
	return call->out + call->out_size;
}

/* Sends what was written into the room, or keeps it for the next line where `more` follows at once. Without room
 * (NULL), or if the line does not fit, nothing more is sent: half an answer must not look like a whole one. */
static void call_written(struct control_call *call, const char *room, size_t size, bool more)
{
	if (!room || call->out_size + size - call->out_sent > MAX_CONTROL_BACKLOG) {
		call_hang_up(call);
		return;
	}
	call->out_size += size;
	if (!more || call->out_size - call->out_sent >= CONTROL_TOGETHER)
		call_flush(call);
}

/* Sends one line; releases the JSON. */
static void call_say(struct control_call *call, json_t *json)
{
	_cleanup_free_ char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (call->fd < 0)
		return;
	size_t size = text ? strlen(text) + 1 : 0;
	char *room = text ? call_room(call, size) : NULL;
	if (room) {
		memcpy(room, text, size);
		room[size - 1] = '\n';
	}
	call_written(call, room, size, false);
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
	static const char begins[] = "{\"record\":", ends[] = "}\n";
	size_t size = sizeof(begins) - 1;

	if (call->fd < 0)
		return;
	char *room = call_room(call, RECORD_JSON_MAX + sizeof(begins) + sizeof(ends));
	if (room) {
		memcpy(room, begins, size);
		size += record_json_text(room + size, r);
		memcpy(room + size, ends, sizeof(ends));
		size += sizeof(ends) - 1;
	}
	/* The grants of a server come in a row, and its end behind them. */
	call_written(call, room, size, r->kind == RECORD_GRANT);
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

/* Answers an invalid request. No handler sees it. */
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
	/* The peer hung up, or sends more than its one request. */
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
		call_refuse(call, 64, "only one request per connection");
	else if (call->in_size > MAX_CONTROL_REQUEST)
		call_refuse(call, 64, "the request is too long");
}

void call_serve(struct control_call *call, uint32_t events)
{
	if (events & EPOLLOUT)
		call_flush(call);
	if (call->ended && (call->fd < 0 || call->out_size == 0)) {
		call_free(call);
		return;
	}
	if (call->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		call_read(call);
}

/* ---- the limit on connections ---- */

static size_t places_taken(const struct control *c, uid_t uid, bool by_others)
{
	size_t n = 0;

	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		n += c->calls[i] && (by_others ? c->calls[i]->uid != 0 : c->calls[i]->uid == uid);
	return n;
}

static struct control_call *idle_oldest(const struct control *c, uid_t uid)
{
	struct control_call *oldest = NULL;

	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++) {
		struct control_call *call = c->calls[i];
		if (call && !call->asked && call->uid == uid &&
			(!oldest || call->number < oldest->number))
			oldest = call;
	}
	return oldest;
}

static bool has_room(const struct control *c, uid_t uid)
{
	if (uid == 0)
		return places_taken(c, 0, false) + places_taken(c, 0, true) < MAX_CONTROL_CLIENTS;
	return places_taken(c, uid, false) < MAX_CONTROL_PER_USER &&
	       places_taken(c, uid, true) < MAX_CONTROL_CLIENTS - CONTROL_RESERVED;
}

static size_t place_find(struct control *c, uid_t uid)
{
	struct control_call *idle = has_room(c, uid) ? NULL : idle_oldest(c, uid);
	size_t i = 0;

	if (idle)
		call_free(idle);
	if (!has_room(c, uid))
		return MAX_CONTROL_CLIENTS;
	while (c->calls[i])
		i++;
	return i;
}

int call_new(struct control *c, int fd, uid_t uid, pid_t pid)
{
	struct control_call *call = calloc(1, sizeof(*call));
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = call};

	if (!call)
		return -ENOMEM;
	size_t i = place_find(c, uid);
	if (i == MAX_CONTROL_CLIENTS || epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		free(call);
		return -EBUSY;
	}
	call->control = c;
	call->fd = fd;
	call->uid = uid;
	call->number = c->n_calls++;
	call->deadline = monotonic_ms() / 1000 + CONTROL_TIMEOUT;
	actor_text(call->actor, uid, pid, NULL);
	c->calls[i] = call;
	return 0;
}
