/* Private to the control socket: its connections and their number. */
#ifndef SERVICE_CONTROL_INTERNAL_H
#define SERVICE_CONTROL_INTERNAL_H

#include <sys/un.h>
#include "curfew/actor.h"
#include "curfew/control.h"

struct control_call {
	struct control *control;
	int fd; /* -1: closed */
	uid_t uid;
	uint64_t number; /* in order of arrival */
	char actor[ACTOR_MAX];
	int64_t deadline; /* monotonic seconds; 0: the service is preparing the answer, so no limit */
	char *in;
	size_t in_size;
	char *out;
	size_t out_size, out_sent, out_room;
	bool full;  /* the socket's buffer: waits until the other side has read */
	bool asked; /* a handler has the request, until control_end() */
	bool ended; /* closes once all output is sent */
};

struct control {
	int epoll, listener, timer;
	gid_t group;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	control_fn handle;
	void *context;
	uint64_t n_calls; /* since the start */
	struct control_call *calls[MAX_CONTROL_CLIENTS];
};

/* control_call.c */
/* Accepts the connection and takes ownership of the descriptor. Returns 0, -EBUSY if this user has too many
 * connections, or -ENOMEM. */
int call_new(struct control *c, int fd, uid_t uid, pid_t pid);
/* Closes the connection; frees it once its handler has ended it. */
void call_drop(struct control_call *call);
void call_free(struct control_call *call);
void call_serve(struct control_call *call, uint32_t events);

#endif
