/* The control socket: commands ask the running service, one request a connection, JSON a line.
 *
 *   request   {"command": "plan", "client": "acme", "reason": "..."}
 *   answer    {"record": {...}} any number of times, then {"end": CODE, "error": TEXT or absent, ...}
 *
 * Who asks is what the kernel says of the socket's other end, never what the request says. */
#ifndef CURFEW_CONTROL_H
#define CURFEW_CONTROL_H

#include <sys/types.h>

#include "curfew/pass.h"

struct json_t; /* jansson's */

/* Where a revocation stands when the command that asked for it is answered: "recorded" in the last word. */
enum recorded {
	RECORDED,	  /* in the journal */
	RECORDED_COPY,	  /* in the second copy alone: the journal gets it when it can be written */
	RECORDED_NOWHERE, /* in memory alone: closed until the service is restarted */
};

#define CONTROL_SOCKET "control" /* in the runtime directory */
/* Beside root, its members may ask. */
#define CONTROL_GROUP "curfew"

#define MAX_CONTROL_CLIENTS  32		/* connections */
#define CONTROL_RESERVED     8		/* of them, which only root gets */
#define MAX_CONTROL_PER_USER 8		/* of the others */
#define MAX_CONTROL_REQUEST  65536	/* bytes */
#define MAX_CONTROL_BACKLOG  (64 << 20) /* bytes that a client has not read yet */
#define CONTROL_TIMEOUT	     10 /* seconds for a request to come in, or for a reader that stands still */

/* ---- the service's end ---- */

struct control;
struct control_call; /* one request under way */

/* Takes over the request; answers now or later, always by control_end(). */
typedef void (*control_fn)(void *context, struct control_call *call, const struct json_t *request);

/* Makes the socket, root's and `group`'s alone; a socket that nobody listens on any more is replaced.
 * -EADDRINUSE: another service listens there. `group` is (gid_t)-1 for none. */
int control_open(struct control **out, const char *runtime_directory, gid_t group,
	control_fn handle, void *context);
/* Removes the socket. Calls that are under way end without a word. */
void control_close(struct control *c);
int control_fd(const struct control *c);
int control_dispatch(struct control *c);

/* "jane (uid 1000)", of the one who asked. */
const char *control_actor(const struct control_call *call);
/* Whether somebody is still there to read. */
bool control_is_open(const struct control_call *call);
void control_tell(struct control_call *call, const struct record *r);
/* The last word; `more` (stolen, may be NULL) are further members of it. The call is gone afterwards. */
void control_end(struct control_call *call, int code, const char *error, struct json_t *more);

/* ---- the commands' end ---- */

/* Connects as who the process is now, for calls that it makes when it is somebody else. Where no service answers there
 * is nothing to keep. */
void control_keep(const char *runtime_directory);

/* -ENOENT, -ECONNREFUSED: no service runs here. -EACCES: not for this user. Other negative errno: it broke off.
 * Else 0, and *end is the last word, to be released. `request` is stolen. */
int control_call(struct json_t **end, const char *runtime_directory, struct json_t *request,
	record_fn sink, void *context);
/* As pass_run(), by the service: mode, client, servers and reason go over, records come to o->sink. `error` gets
 * the service's words when the result is -EREMOTEIO. */
int control_pass(struct pass_result *out, char error[RECORD_TEXT_MAX],
	const char *runtime_directory, const struct pass_options *o);
struct json_t *control_result_json(const struct pass_result *r);
/* 0 or -EBADMSG. */
int control_result_parse(struct pass_result *out, const struct json_t *json);

#endif
