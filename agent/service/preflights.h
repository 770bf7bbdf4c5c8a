/* Preflights of the service: 14 days, 3 days, and 1 day before access of a client is reduced or ends. One client at a time;
 * the requests of people come first. */
#ifndef SERVICE_PREFLIGHTS_H
#define SERVICE_PREFLIGHTS_H

#include "curfew/pass.h"

struct service;
struct request;
struct preflights;

int preflights_open(struct service *s); /* 0 or -ENOMEM */
void preflights_close(struct service *s);
/* Fills in a request for a preflight that is due. False: none is. */
bool preflights_take(struct request *out, struct service *s);
/* When to call preflights_take() again: monotonic milliseconds. */
int64_t preflights_next(const struct service *s);
/* A record_fn, with the service as context: takes a record of the current preflight. */
int preflights_record(void *service, const struct record *r);
/* Records the current preflight, and mails the team if a check failed. If it was cut short, `whole` is false, and it is
 * repeated. */
void preflights_ended(struct service *s, bool whole);

#endif
