/* Samples of use for the inventory, taken beside the passes by one worker at a time. The results are written between two
 * passes in small parts, so that no pass is delayed. */
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
/* Call before the configuration is replaced: stops the current worker. */
void sampling_reload(struct service *s);

#endif
