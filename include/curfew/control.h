/* The control socket: commands ask the running service, one request a connection, one JSON object a line.
 *
 *   request   {"command": "plan", "client": "acme", "reason": "..."}
 *   answer    {"record": {...}} any number of times, then {"end": CODE, "error": TEXT or absent, ...}
 *
 * The kernel identifies the peer (SO_PEERCRED); the request cannot. */
#ifndef CURFEW_CONTROL_H
#define CURFEW_CONTROL_H

#include <sys/types.h>

#include "curfew/pass.h"

struct json_t; /* jansson's */

/* Where a revocation is recorded when the command is answered: member "recorded" of the final answer. */
enum recorded {
	RECORDED,      /* in the journal */
	RECORDED_COPY, /* only in the second copy; copied into the journal when that can be written */
	RECORDED_NOWHERE, /* only in memory: lasts until the service restarts */
};

#define CONTROL_SOCKET "control" /* in the runtime directory */
/* Members of this group may connect, besides root. */
#define CONTROL_GROUP "curfew"

#define MAX_CONTROL_CLIENTS  32		/* connections */
#define CONTROL_RESERVED     8		/* of them reserved for root */
#define MAX_CONTROL_PER_USER 8		/* of the others, for one user */
#define MAX_CONTROL_REQUEST  65536	/* bytes */
#define MAX_CONTROL_BACKLOG  (64 << 20) /* bytes of an answer that the peer has not read yet */
#define CONTROL_TIMEOUT	     10 /* seconds for a request to arrive, or without progress of a reader */

/* ---- the service's end ---- */

struct control;
struct control_call; /* one request that is being handled */

/* Takes ownership of the request. Answers now or later, always with control_end(). */
typedef void (*control_fn)(void *context, struct control_call *call, const struct json_t *request);

/* Creates the socket with access for root and `group`; replaces a socket without a listener. -EADDRINUSE: another
 * service listens. `group` is (gid_t)-1 for none. */
int control_open(struct control **out, const char *runtime_directory, gid_t group,
	control_fn handle, void *context);
/* Removes the socket and closes current connections without an answer. */
void control_close(struct control *c);
int control_fd(const struct control *c);
int control_dispatch(struct control *c);

/* "jane (uid 1000)": the user who sent the request. */
const char *control_actor(const struct control_call *call);
/* Whether the peer is still connected. */
bool control_is_open(const struct control_call *call);
void control_tell(struct control_call *call, const struct record *r);
/* Sends the final answer with the members of `more` (ownership passes; may be NULL). The call must not be used
 * afterward. */
void control_end(struct control_call *call, int code, const char *error, struct json_t *more);

/* ---- the commands' end ---- */

/* Connects as the current user, for calls that the process makes after it has become another user. Does nothing if no
 * service listens. */
void control_keep(const char *runtime_directory);

/* -ENOENT, -ECONNREFUSED: no service is running. -EACCES: this user may not connect. Other negative errno: the
 * connection was lost. 0: *end is the final answer, which the caller releases. Takes ownership of `request`. */
int control_call(struct json_t **end, const char *runtime_directory, struct json_t *request,
	record_fn sink, void *context);
/* Like pass_run(), but by the service: sends mode, client, servers, and reason; records come to o->sink. With
 * -EREMOTEIO `error` is the service's message. */
int control_pass(struct pass_result *out, char error[RECORD_TEXT_MAX],
	const char *runtime_directory, const struct pass_options *o);
struct json_t *control_result_json(const struct pass_result *r);
/* 0 or -EBADMSG. */
int control_result_parse(struct pass_result *out, const struct json_t *json);

#endif
