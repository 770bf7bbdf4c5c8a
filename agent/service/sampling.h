/* Samples of use for the inventory, taken beside the passes: one worker at a time, and what it finds is written between two
 * passes, a little at once. Nothing here delays a pass. */
#ifndef SERVICE_SAMPLING_H
#define SERVICE_SAMPLING_H

#include "curfew/base.h"

struct service;
struct sampling;

int sampling_open(struct service *s);
void sampling_close(struct service *s);
/* When sampling_tick() has something to do: monotonic milliseconds, or INT64_MAX. */
int64_t sampling_next(const struct service *s);
void sampling_tick(struct service *s);
/* Before the configuration is replaced: the reading under way is dropped. */
void sampling_reload(struct service *s);

#endif
