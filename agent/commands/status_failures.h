/* What failed last for access that is not as scheduled, and what a DBA must run: the part of `curfew status` that the
 * servers do not tell. */
#ifndef COMMANDS_STATUS_FAILURES_H
#define COMMANDS_STATUS_FAILURES_H

#include "commands/status_view.h"

/* Once for each login and server, of those grants of one client that are neither ok nor waiting. */
void status_failures_print(const struct grant *items, size_t n, const struct status_view *seen);
/* The same of access that is no longer configured. */
void status_residual_failures_print(const struct status_view *seen);
/* {"last_failure", "remedy"} of one grant into `object`, null without one. */
void status_failure_json(
	struct json_t *object, const struct grant *g, const struct status_view *seen);

#endif
