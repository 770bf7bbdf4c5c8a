/* Used only by program/: what the servers of a group must agree on. */
#ifndef CURFEW_PROGRAM_REPLICAS_H
#define CURFEW_PROGRAM_REPLICAS_H

#include "program/loading.h"

/* Of all servers, when each of them was read and before they are sorted. */
void replicas_check(struct reading *r, const struct program *p);

#endif
