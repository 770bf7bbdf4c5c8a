/* The line of `status` above a client's grants. */
#ifndef COMMANDS_STATUS_HEADING_H
#define COMMANDS_STATUS_HEADING_H

#include "curfew/schedule.h"

/* Of one client's grants: the one whose phase is the client's. */
const struct grant *status_heading_grant(const struct grant *items, size_t n);
/* Nothing is scheduled for any of them any more. */
bool status_is_over(const struct grant *items, size_t n, instant_t now);
void status_heading_print(
	const struct client *c, const struct grant *items, size_t n, instant_t now, bool color);

#endif
