/* Inside the control socket: a connection, and the places that there are for them. */
#ifndef SERVICE_CONTROL_INTERNAL_H
#define SERVICE_CONTROL_INTERNAL_H

#include <sys/un.h>
#include "curfew/actor.h"
#include "curfew/control.h"

struct control_call {
	struct control *control;
	int fd; /* -1: nobody listens any more */
	uid_t uid;
	uint64_t number; /* in the order in which they came */
	char actor[ACTOR_MAX];
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
	uint64_t n_calls; /* ever */
	struct control_call *calls[MAX_CONTROL_CLIENTS];
};

/* control_call.c */
int64_t control_seconds(void); /* of the monotonic clock */
/* Takes a place over for the descriptor. 0, -EBUSY: there is none for this user, or -ENOMEM. */
int call_new(struct control *c, int fd, uid_t uid, pid_t pid);
/* Gone, or too late; freed once its handler has let go of it. */
void call_drop(struct control_call *call);
void call_free(struct control_call *call);
void call_serve(struct control_call *call, uint32_t events);

#endif
