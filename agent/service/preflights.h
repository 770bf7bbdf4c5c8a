/* Preflights of the service: 14 days, 3 days, and 1 day before access of a client becomes less, one client at a time, beside
 * the requests of people. */
#ifndef SERVICE_PREFLIGHTS_H
#define SERVICE_PREFLIGHTS_H

#include "curfew/pass.h"

struct service;
struct request;
struct preflights;

int preflights_open(struct service *s); /* 0 or -ENOMEM */
void preflights_close(struct service *s);
/* Fills in a request that nobody waits for, when a preflight is due. */
bool preflights_take(struct request *out, struct service *s);
/* When to look again: monotonic milliseconds. */
int64_t preflights_next(const struct service *s);
/* record_fn over the service, for the one under way. */
int preflights_record(void *service, const struct record *r);
/* It has ended: on record, and told to the team where something failed. `whole` is false when it was cut short: then it
 * is made again. */
void preflights_ended(struct service *s, bool whole);

#endif
