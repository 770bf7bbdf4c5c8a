/* Notices of the service: due notices go into the outbox, and from there to the sender, one at a time. Nothing here
 * delays a pass. */
#ifndef SERVICE_SENDING_H
#define SERVICE_SENDING_H

#include "curfew/notice.h"

struct service;
struct sending;
struct pass_result;
struct sending_view;

int sending_open(struct service *s);
void sending_close(struct service *s);
/* Sends the alarms of the pass, then calls sending_look(). `reasons`: bits of enum reason. */
void sending_pass_done(struct service *s, const struct pass_result *r, unsigned reasons);
/* Makes the notices that have become due. Called after a reload and once a minute. */
void sending_look(struct service *s);
/* When sending_tick() is due: monotonic milliseconds. */
int64_t sending_next(const struct service *s);
void sending_tick(struct service *s);
/* The configuration has changed. The sender reads it again when it reconnects. */
void sending_reload(struct service *s);
/* Notifies the team at once, of each alarm at most once an hour. */
/* False: it is not in a mail yet. Where notices are off it has nobody to go to. */
bool sending_alarm(struct service *s, enum notice_alarm alarm, const char *detail);
/* Notifies team and account lead of denied packets that look like a user's. */
void sending_denied(struct service *s);
/* What a preflight found, to the team and the account lead. */
struct sending_preflight {
	const char *client, *what,
		*failed; /* "access becomes read-only"; a line for each failure */
	instant_t at;
	int days; /* ahead */
};
void sending_preflight_failed(struct service *s, const struct sending_preflight *f);
/* Sends a test message to one address. 0 or negative errno. */
int sending_test(struct service *s, const char *recipient);

/* Notices are configured. */
bool sending_is_on(const struct service *s);
/* What a notice is made of now; the first one switches notices on. 0 or negative errno. */
int sending_view_make(struct sending_view *out, struct service *s);
/* Passes the next message on, if the sender has none. */
void sending_give(struct service *s);
void sending_fail_log(int rc, const char *what);

#endif
