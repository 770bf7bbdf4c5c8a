/* Notices of the service: what is due goes into the outbox, and from there to the sender, one at a time. Nothing here holds
 * a pass up. */
#ifndef SERVICE_SENDING_H
#define SERVICE_SENDING_H

#include "curfew/base.h"

struct service;
struct sending;

int sending_open(struct service *s);
void sending_close(struct service *s);
struct pass_result;
/* Alarms of the pass, then sending_look(). `reasons`: enum reason, or-ed. */
void sending_pass_done(struct service *s, const struct pass_result *r, unsigned reasons);
/* After a reload, and once a minute: what has become due since. */
void sending_look(struct service *s);
/* When sending_tick() has something to do: monotonic milliseconds. */
int64_t sending_next(const struct service *s);
void sending_tick(struct service *s);
/* The configuration is another: the sender learns it by connecting again. */
void sending_reload(struct service *s);
/* Trouble that the team hears of at once; `key` keeps one from being told twice. */
void sending_alarm(struct service *s, const char *key, const char *reason, const char *detail);
/* A message to one address, to see that it comes. 0 or negative errno. */
int sending_test(struct service *s, const char *recipient);

#endif
