/* The result of a pass as JSON, for plan, apply, revoke, and reinstate. */
#ifndef CURFEW_COMMANDS_PASS_JSON_H
#define CURFEW_COMMANDS_PASS_JSON_H

#include "commands/command.h"

struct json_t *pass_json(const struct pass_result *r, const struct records *k, instant_t now);

#endif
